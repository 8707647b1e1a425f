/* What a program can see of its own memory: regions from /proc/self/maps, page states from /proc/self/pagemap, faults
 * from /proc/self/stat (proc(5)). For the demo and the self-tests; uses no heap, so looking changes little. */
#ifndef MEMORY_VIEW_H
#define MEMORY_VIEW_H
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGE_PRESENT (1UL << 63)
#define PAGE_EXCLUSIVE (1UL << 56) /* mapped by nobody else */

typedef struct {
  uintptr_t start, end;
  char protection[5];
  char name[64];
} region_t;

/* Reads up to `limit` regions; returns how many there are, or -1. */
static inline int read_regions(region_t *regions, int limit) {
  static char text[16384];
  int fd = open("/proc/self/maps", O_RDONLY), count = 0;
  if (fd < 0) return -1;
  size_t length = 0;
  for (ssize_t part; length < sizeof text - 1 && (part = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)part;
  close(fd);
  text[length] = 0;
  for (char *line = text; *line && count < limit; count++) {
    char *end = strchr(line, '\n');
    if (!end) break;
    *end = 0;
    region_t *region = &regions[count];
    char *at;
    region->start = strtoul(line, &at, 16);
    region->end = strtoul(at + 1, &at, 16);
    memcpy(region->protection, at + 1, 4);
    region->protection[4] = 0;
    at += 6;
    for (int field = 0; field < 3; field++) at += strspn(at, " "), at += strcspn(at, " "); /* offset, device, inode */
    at += strspn(at, " ");
    strncpy(region->name, at, sizeof region->name - 1);
    region->name[sizeof region->name - 1] = 0;
    line = end + 1;
  }
  return count;
}

/* The region that holds an address; start == end == 0 when none does. */
static inline region_t region_at(const void *address) {
  static region_t regions[128];
  int count = read_regions(regions, 128);
  for (int i = 0; i < count; i++)
    if (regions[i].start <= (uintptr_t)address && (uintptr_t)address < regions[i].end) return regions[i];
  return (region_t){0};
}

/* How many of the pages of [start, start + length) have all the bits in their pagemap entry; -1 without pagemap. */
static inline long count_pages(const void *start, size_t length, uint64_t bits) {
  static uint64_t entries[256];
  int fd = open("/proc/self/pagemap", O_RDONLY);
  if (fd < 0) return -1;
  long count = 0;
  uintptr_t page = (uintptr_t)start / PAGE, end = ((uintptr_t)start + length + PAGE - 1) / PAGE;
  lseek(fd, (off_t)(page * 8), SEEK_SET);
  while (page < end) {
    size_t wanted = end - page < 256 ? end - page : 256;
    ssize_t got = read(fd, entries, wanted * 8);
    if (got <= 0) break;
    for (ssize_t i = 0; i < got / 8; i++) count += (entries[i] & bits) == bits;
    page += (uintptr_t)got / 8;
  }
  close(fd);
  return count;
}

static inline long resident_pages(const void *start, size_t length) {
  return count_pages(start, length, PAGE_PRESENT);
}

/* Page faults so far (field 10 of /proc/self/stat, minflt). */
static inline long fault_count(void) {
  static volatile char buffer[512]; /* written before the count is taken, so that its own pages' faults are in it */
  buffer[0] = buffer[sizeof buffer - 1] = 0;
  char *text = (char *)buffer;
  int fd = open("/proc/self/stat", O_RDONLY);
  if (fd < 0) return -1;
  ssize_t length = read(fd, text, sizeof buffer - 1);
  close(fd);
  if (length <= 0) return -1;
  text[length] = 0;
  char *at = strrchr(text, ')');
  for (int field = 2; at && field < 10; field++) at = strchr(at + 1, ' ');
  return at ? atol(at + 1) : -1;
}
#endif
