// A mapped file shrinks and grows while ranges over it are live; what pwrite puts into it is seen at once.
#include "check.h"
int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 8192);
  catch_faults();
  int fd = temporary_file();
  for (int kind = 0; kind < 2; kind++) {
    ftruncate(fd, LENGTH);
    area = map_area(kind == 0 ? MAP_SHARED : MAP_PRIVATE, fd);
    warm(area);
    uint64_t word = 12345;
    pwrite(fd, &word, 8, 6 * PAGE);
    try_sum(kind == 0 ? "shared, after pwrite" : "private, after pwrite", area, LENGTH);
    for (int page = 50; page >= 0; page -= 7) {
      ftruncate(fd, page * PAGE);
      try_sum("read beyond the end", area, LENGTH);
      try_fill("write beyond the end", area, LENGTH, page);
    }
    ftruncate(fd, LENGTH);
    try_sum("read after it grew", area, LENGTH);
    try_fill("write after it grew", area, LENGTH, 77);
    try_sum("read after that", area, LENGTH);
    ftruncate(fd, 3 * PAGE + 100); /* the rest of a shared page is zero from now on */
    ftruncate(fd, LENGTH);
    try_sum("read after the end lay inside a page", area, LENGTH);
    munmap(area, LENGTH);
  }
}
