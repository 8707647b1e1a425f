/* mmap and munmap: placement, errors, partial unmapping, reuse of the window. */
#include "selftest.h"

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static int is_mapped(char *page) {
  return region_at(page).end != 0;
}

TEST(map_zero_filled) {
  char *base = map_pages(64, RW);
  EXPECT((uintptr_t)base % PAGE == 0);
  EXPECT(resident_pages(base, 64 * PAGE) == 0);
  for (size_t i = 0; i < 64 * PAGE; i++) EXPECT(base[i] == 0);
  memset(base, 0xff, 64 * PAGE);
  munmap(base, 64 * PAGE);
  base = map_pages(64, RW);
  for (size_t i = 0; i < 64 * PAGE; i++) EXPECT(base[i] == 0); /* nobody's old bytes */
  return NULL;
}

TEST(map_fixed_replaces) {
  char *base = map_pages(4, RW);
  memset(base, 'a', 4 * PAGE);
  EXPECT(mmap(base + PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base + PAGE);
  EXPECT(base[0] == 'a' && base[PAGE] == 0 && base[3 * PAGE - 1] == 0 && base[3 * PAGE] == 'a');
  return NULL;
}

TEST(map_fixed_noreplace) {
  char *base = map_pages(4, RW);
  errno = 0;
  EXPECT(mmap(base + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
  EXPECT(errno == EEXIST);
  munmap(base + PAGE, PAGE);
  EXPECT(mmap(base + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == base + PAGE);
  return NULL;
}

TEST(map_hint) {
  char *base = map_pages(8, RW);
  munmap(base, 8 * PAGE);
  EXPECT(mmap(base + 2 * PAGE, PAGE, RW, PRIVATE, -1, 0) == base + 2 * PAGE);
  char *other = mmap(base + 2 * PAGE, PAGE, RW, PRIVATE, -1, 0); /* taken: goes elsewhere */
  EXPECT(other != MAP_FAILED && other != base + 2 * PAGE);
  return NULL;
}

static int map_error(void *address, size_t length, int flags, int fd, off_t offset) {
  errno = 0;
  return mmap(address, length, RW, flags, fd, offset) == MAP_FAILED ? errno : 0;
}

TEST(map_errors) {
  EXPECT(map_error(NULL, 0, PRIVATE, -1, 0) == EINVAL);
  EXPECT(map_error(NULL, PAGE, MAP_ANONYMOUS, -1, 0) == EINVAL);
  EXPECT(map_error(NULL, PAGE, MAP_PRIVATE, -1, 0) == EBADF);
  EXPECT(map_error(NULL, PAGE, MAP_PRIVATE, 0, 100) == EINVAL);
  EXPECT(map_error((void *)1, PAGE, PRIVATE | MAP_FIXED, -1, 0) == EINVAL);
  EXPECT(map_error(NULL, 1UL << 48, PRIVATE, -1, 0) == ENOMEM);
  EXPECT(map_error(NULL, -PAGE, PRIVATE, -1, 0) == ENOMEM);
  return NULL;
}

TEST(map_file_private) {
  int fd = open(self_path, O_RDONLY);
  EXPECT(fd >= 0);
  char *base = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
  EXPECT(base != MAP_FAILED);
  close(fd);
  EXPECT(memcmp(base, "\177ELF", 4) == 0);
  base[0] = 'x';
  fd = open(self_path, O_RDONLY);
  char again[4];
  EXPECT(read(fd, again, 4) == 4 && memcmp(again, "\177ELF", 4) == 0);
  return NULL;
}

TEST(map_file_shared) {
  int fd = open("/tmp/selftest.shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
  EXPECT(fd >= 0);
  static char block[8192];
  memset(block, 'f', sizeof block);
  EXPECT(write(fd, block, sizeof block) == sizeof block);
  char *one = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0), *two = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
  EXPECT(one != MAP_FAILED && two != MAP_FAILED);
  one[PAGE + 7] = 'm';
  EXPECT(two[7] == 'm');
  char byte;
  EXPECT(lseek(fd, PAGE + 7, SEEK_SET) == (off_t)PAGE + 7 && read(fd, &byte, 1) == 1 && byte == 'm');
  EXPECT(lseek(fd, 9, SEEK_SET) == 9 && write(fd, "w", 1) == 1 && one[9] == 'w');
  return NULL;
}

TEST(map_rounds_up) {
  char *base = mmap(NULL, PAGE + 1, RW, PRIVATE, -1, 0);
  base[2 * PAGE - 1] = 1;
  EXPECT(munmap(base, 1) == 0);
  EXPECT(!is_mapped(base));
  EXPECT(base[2 * PAGE - 1] == 1);
  return NULL;
}

/* Ten pages holding 1…10, with pages [from, to) unmapped: exactly those are gone. */
static const char *unmap_part(int from, int to) {
  char *base = map_pages(10, RW);
  for (int i = 0; i < 10; i++) base[(size_t)i * PAGE] = (char)(i + 1);
  EXPECT(munmap(base + (size_t)from * PAGE, (size_t)(to - from) * PAGE) == 0);
  for (int i = 0; i < 10; i++) {
    if (i >= from && i < to) {
      EXPECT(!is_mapped(base + (size_t)i * PAGE));
      provoke(read_byte, base + (size_t)i * PAGE);
      EXPECT(fault.count == 1 && fault.code == SEGV_MAPERR);
    } else {
      EXPECT(base[(size_t)i * PAGE] == i + 1);
    }
  }
  EXPECT(resident_pages(base, 10 * PAGE) == 10 - (to - from));
  return NULL;
}

TEST(unmap_middle) { return unmap_part(4, 7); }
TEST(unmap_head) { return unmap_part(0, 3); }
TEST(unmap_tail) { return unmap_part(6, 10); }

TEST(unmap_across) {
  char *base = map_pages(12, PROT_NONE);
  EXPECT(mmap(base + 2 * PAGE, 3 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base + 2 * PAGE);
  EXPECT(mmap(base + 7 * PAGE, 3 * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == base + 7 * PAGE);
  base[2 * PAGE] = base[4 * PAGE] = 'x';
  EXPECT(munmap(base + 3 * PAGE, 5 * PAGE) == 0); /* from inside one region, over a second, into a third */
  for (int i = 0; i < 12; i++) EXPECT(is_mapped(base + (size_t)i * PAGE) == !(i >= 3 && i < 8));
  EXPECT(base[2 * PAGE] == 'x');
  EXPECT(region_at(base + 8 * PAGE).protection[1] == '-' && region_at(base + 2 * PAGE).protection[1] == 'w');
  return NULL;
}

TEST(unmap_hole) {
  char *base = map_pages(6, RW);
  EXPECT(munmap(base + 2 * PAGE, 2 * PAGE) == 0);
  EXPECT(munmap(base + 2 * PAGE, 2 * PAGE) == 0); /* nothing there is no error (munmap(2)) */
  EXPECT(munmap(base, 6 * PAGE) == 0);
  return NULL;
}

TEST(unmap_errors) {
  char *base = map_pages(2, RW);
  errno = 0;
  EXPECT(munmap(base + 1, PAGE) == -1 && errno == EINVAL);
  errno = 0;
  EXPECT(munmap(base, 0) == -1 && errno == EINVAL);
  errno = 0;
  EXPECT(munmap(base, -PAGE) == -1 && errno == EINVAL);
  *base = 1;
  return NULL;
}

TEST(unmap_frees) {
  /* 16 MiB a round: 640 MiB in all, more than most machines here are given. */
  for (int round = 0; round < 40; round++) {
    char *base = map_pages(4096, RW);
    for (size_t i = 0; i < 4096; i++) base[i * PAGE] = 1;
    EXPECT(munmap(base, 4096 * PAGE) == 0);
  }
  return NULL;
}

TEST(window_reuse) {
  char *first = map_pages(256, RW);
  munmap(first, 256 * PAGE);
  for (int i = 0; i < 3000; i++) {
    char *again = map_pages(256, RW);
    EXPECT(again == first);
    EXPECT(*again == 0);
    *again = 1;
    munmap(again, 256 * PAGE);
  }
  return NULL;
}

TEST(window_fragments) {
  enum { COUNT = 200 };
  static char *piece[COUNT];
  for (int i = 0; i < COUNT; i++) piece[i] = map_pages(2, i % 2 ? RW : PROT_READ);
  for (int i = 0; i < COUNT; i += 2) munmap(piece[i], 2 * PAGE);
  for (int i = 1; i < COUNT; i += 2) EXPECT(is_mapped(piece[i]));
  int reused = 0;
  for (int i = 0; i < COUNT; i += 2) {
    char *again = map_pages(2, PROT_READ);
    for (int j = 0; j < COUNT; j += 2) reused += again == piece[j];
  }
  EXPECT(reused == COUNT / 2);
  return NULL;
}
