/* Shared by the benchmark programs: PROGRAM [SCALE] prints one checksum line, the same everywhere for a given scale. */
#ifndef BENCH_H
#define BENCH_H
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline long scale_of(int argc, char **argv, long usual) {
  return argc > 1 ? atol(argv[1]) : usual;
}

/* xorshift64*: Marsaglia's generator with Vigna's multiplier. */
static uint64_t random_state = 88172645463325252u;
static inline uint64_t next_random(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 2685821657736338717u;
}

static inline uint64_t mix(uint64_t hash, uint64_t value) {
  return (hash ^ value) * 1099511628211u;
}
#endif
