/* mmap(2) and its family over the meniOS gate, with errno kept in sync.
 *
 * The gate has neither mprotect nor madvise. madvise is advice, so accepting it without effect is what POSIX asks for,
 * except MADV_DONTNEED, whose effect on anonymous private memory (zeroes on the next read) programs rely on: a fixed
 * mapping over the range has the same effect when the memory is readable and writable. mprotect has no such
 * substitute that keeps the contents, so it fails with ENOSYS. */
#include "gate.h"
#include <errno.h>
#include <sys/mman.h>

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  return (void *)CALL6(SYS_mmap, address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length) {
  return (int)CALL2(SYS_munmap, address, length);
}

int mprotect(void *address, size_t length, int protection) {
  (void)address, (void)length, (void)protection;
  errno = ENOSYS;
  return -1;
}

int madvise(void *address, size_t length, int advice) {
  if (advice != MADV_DONTNEED) return 0;
  void *again = mmap(address, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return again == MAP_FAILED ? -1 : 0;
}
