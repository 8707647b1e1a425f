// Many areas grow page by page under live ranges, in turn, until little memory is left; every other one goes and comes back.
#include "check.h"
enum { AREAS = 12, AREA_PAGES = 64 };
static char *areas[AREAS];
static uint64_t all(int pages) {
  uint64_t total = 0;
  for (int i = 0; i < AREAS; i++) total = total * 131 + sum(areas[i], pages * PAGE);
  return total;
}
int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 8192);
  for (int i = 0; i < AREAS; i++) areas[i] = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  for (int pages = 1; pages <= AREA_PAGES; pages += 9) {
    for (int i = 0; i < AREAS; i++) fill(areas[i], pages * PAGE, i * 1000 + pages);
    printf("%d pages each: %016lx\n", pages, all(pages));
  }
  for (int round = 0; round < 3; round++) {
    for (int i = round & 1; i < AREAS; i += 2) munmap(areas[i], LENGTH), areas[i] = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    printf("every other one new: %016lx\n", all(AREA_PAGES));
    for (int page = AREA_PAGES - 1; page >= 0; page -= 5) for (int i = 0; i < AREAS; i++) fill(areas[i] + page * PAGE, PAGE, page * i);
    printf("written from behind: %016lx\n", all(AREA_PAGES));
    fflush(stdout);
    pid_t pid = fork(); /* the copies come out of what is left */
    if (pid == 0) {
      for (int i = 0; i < AREAS; i += 4) fill(areas[i] + 3 * PAGE, 20 * PAGE, round);
      printf("child: %016lx\n", all(AREA_PAGES));
      fflush(stdout);
      _exit(0);
    }
    waitpid(pid, NULL, 0);
    for (int i = 1; i < AREAS; i += 4) fill(areas[i] + 5 * PAGE, 20 * PAGE, round + 50);
    printf("parent: %016lx\n", all(AREA_PAGES));
  }
}
