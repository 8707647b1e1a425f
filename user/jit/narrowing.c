// Mappings are taken away, protected and replaced while ranges over them are live.
#include "check.h"
#include <sys/syscall.h>
static void each_page_gone(void) {
  for (int page = 0; page < PAGES; page += 9) {
    area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    warm(area);
    munmap(area + page * PAGE, PAGE);
    try_sum("read after munmap of a page", area, LENGTH);
    try_fill("write after munmap of a page", area, LENGTH, 1);
    mmap(area + page * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    try_sum("read after a new page took its place", area, LENGTH);
    munmap(area, LENGTH);
  }
}
static void protection(void) {
  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  warm(area);
  mprotect(area + 5 * PAGE, PAGE, PROT_READ);
  try_fill("write to a read-only page", area, LENGTH, 2);
  try_sum("read of it", area, LENGTH);
  mprotect(area + 7 * PAGE, 2 * PAGE, PROT_NONE);
  try_sum("read of PROT_NONE", area, LENGTH);
  try_fill("write of PROT_NONE", area + 6 * PAGE, LENGTH - 6 * PAGE, 3);
  mprotect(area, LENGTH, PROT_READ | PROT_WRITE);
  try_fill("write after all was allowed", area, LENGTH, 4);
  try_sum("read after all was allowed", area, LENGTH);
  mprotect(area, LENGTH, PROT_READ);
  try_fill("write when nothing may be written", area, LENGTH, 5);
  try_sum("read when nothing may be written", area, LENGTH);
  munmap(area, LENGTH);
}
static void advice(void) {
  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  warm(area);
  madvise(area + 3 * PAGE, PAGE, MADV_DONTNEED);
  try_sum("read after DONTNEED of a page", area, LENGTH);
  fill(area, LENGTH, 6);
  madvise(area, LENGTH, MADV_DONTNEED);
  try_sum("read after DONTNEED of all", area, LENGTH);
  fill(area, LENGTH, 7);
  madvise(area, LENGTH, MADV_FREE); /* D is cleared; what is written afterwards stays */
  fill(area, LENGTH, 8);
  try_sum("read after FREE and a write", area, LENGTH);
  munmap(area, LENGTH);
}
static void moves(void) {
  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  char *place = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  warm(area);
  char *moved = mremap(area + 8 * PAGE, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
  printf("moved where asked: %d\n", moved == place);
  try_sum("read where it was", area, LENGTH);
  try_fill("write where it was", area, LENGTH, 9);
  try_sum("read where it is", place, LENGTH);
  fill(place, LENGTH, 10);
  try_sum("read where it is, again", place, LENGTH);
  int fd = temporary_file();
  mmap(area + 8 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  try_fill("write to a file's pages instead", area, LENGTH, 11);
  uint64_t word = 0;
  pread(fd, &word, 8, PAGE);
  printf("the file has %lu\n", word);
  munmap(area, LENGTH), munmap(place, LENGTH), close(fd);
}
static void heap(void) {
  char *start = (char *)(syscall(SYS_brk, 0) + PAGE - 1 & -PAGE); /* musl has no sbrk */
  syscall(SYS_brk, start + LENGTH);
  area = start;
  warm(start);
  syscall(SYS_brk, start + LENGTH / 2);
  try_sum("read after brk shrank", start, LENGTH);
  syscall(SYS_brk, start + LENGTH);
  try_sum("read after brk grew again", start, LENGTH);
}
int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 8192);
  catch_faults();
  each_page_gone();
  protection();
  advice();
  moves();
  heap();
}
