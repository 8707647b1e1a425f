/* Blocks allocated by one thread and freed by another, through a ring between neighbours. Linux only; the output does not
 * depend on the allocator. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, RING = 64, ROUNDS = 3000 };
static struct {
  pthread_mutex_t lock;
  unsigned char *block[RING];
  size_t size[RING];
} ring[THREADS];

static void *work(void *argument) {
  long me = (long)argument, next = (me + 1) % THREADS;
  uint64_t state = (uint64_t)me * 7919 + 1;
  unsigned long errors = 0;
  for (int i = 0; i < ROUNDS; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    size_t size = (state >> 33) % ((state >> 60) ? 500 : 50000) + 1;
    unsigned char *block = malloc(size);
    memset(block, (int)(size & 0xff), size);
    int slot = (int)(state >> 40) % RING;
    slot = slot < 0 ? -slot : slot;
    pthread_mutex_lock(&ring[next].lock);
    unsigned char *old = ring[next].block[slot];
    size_t old_size = ring[next].size[slot];
    ring[next].block[slot] = block;
    ring[next].size[slot] = size;
    pthread_mutex_unlock(&ring[next].lock);
    if (old) errors += old[0] != (old_size & 0xff) || old[old_size - 1] != (old_size & 0xff);
    free(old);
    pthread_mutex_lock(&ring[me].lock);
    old = ring[me].block[slot];
    ring[me].block[slot] = NULL;
    pthread_mutex_unlock(&ring[me].lock);
    free(old);
  }
  return (void *)errors;
}

int main(void) {
  pthread_t thread[THREADS];
  unsigned long errors = 0;
  for (long i = 0; i < THREADS; i++) pthread_mutex_init(&ring[i].lock, NULL);
  for (long i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, work, (void *)i);
  for (long i = 0; i < THREADS; i++) {
    void *result;
    pthread_join(thread[i], &result);
    errors += (unsigned long)result;
  }
  for (int i = 0; i < THREADS; i++)
    for (int j = 0; j < RING; j++) free(ring[i].block[j]);
  printf("%d threads, %lu errors\n", THREADS, errors);
  return errors != 0;
}
