/* brk and sbrk over anonymous mappings: the gate has no brk of its own.
 *
 * The first use reserves a window of address space without access; growing maps the next pages readable and writable
 * over it, shrinking maps them inaccessible again, which gives their frames back. So the heap is contiguous, every
 * page is zero when it (re)appears, and nothing else can be mapped in its way.
 * Invariant: [window, mapped) is accessible and mapped = window + pages(top - window). */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define WINDOW_BYTES (1UL << 30)

static char *window, *mapped, *top;

static int reserve_window(void) {
  if (window) return 0;
  void *base = mmap(NULL, WINDOW_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    errno = ENOMEM;
    return -1;
  }
  window = mapped = top = base;
  return 0;
}

static int remap(char *from, char *to, int protection) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (protection == PROT_NONE ? MAP_NORESERVE : 0);
  if (from == to || mmap(from, (size_t)(to - from), protection, flags, -1, 0) != MAP_FAILED) return 0;
  errno = ENOMEM;
  return -1;
}

/* Moves the end of the heap; fails with ENOMEM outside the window or when memory is short, changing nothing. */
int brk(void *end) {
  if (reserve_window() != 0) return -1;
  char *wanted = end;
  if (wanted < window || wanted > window + WINDOW_BYTES) {
    errno = ENOMEM;
    return -1;
  }
  char *pages = window + (((size_t)(wanted - window) + PAGE - 1) & ~(PAGE - 1));
  if (pages > mapped && remap(mapped, pages, PROT_READ | PROT_WRITE) != 0) return -1;
  if (pages < mapped && remap(pages, mapped, PROT_NONE) != 0) return -1;
  mapped = pages;
  top = wanted;
  return 0;
}

void *sbrk(intptr_t increment) {
  if (reserve_window() != 0) return (void *)-1;
  char *before = top;
  if ((increment > 0 && (size_t)increment > (size_t)(window + WINDOW_BYTES - top)) ||
      (increment < 0 && (size_t)-increment > (size_t)(top - window))) {
    errno = ENOMEM;
    return (void *)-1;
  }
  return increment == 0 || brk(top + increment) == 0 ? before : (void *)-1;
}
