/* mmap(2) and its family over the meniOS gate, with errno kept in sync.
 *
 * The gate has neither mprotect nor madvise, so both are made from mmap where that has exactly the same effect:
 *
 *   mprotect  Inaccessible private anonymous memory can only have come from mmap(PROT_NONE), so nothing was ever written
 *             there and mapping it anew with another protection changes nothing else. Memory that has the wanted
 *             protection already stays as it is. Everything else would lose its contents and fails with ENOSYS.
 *   madvise   MADV_DONTNEED makes private anonymous memory read as zero again: mapped anew with the protection it has.
 *             Other advice has no effect that POSIX promises.
 *
 * What is mapped, and how, is read from /proc/self/maps (proc(5)). */
#include "gate.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define PIECES 128

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  return (void *)CALL6(SYS_mmap, address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length) {
  return (int)CALL2(SYS_munmap, address, length);
}

typedef struct {
  uintptr_t start, end;
  int protection;
  int is_private, is_anonymous;
} piece_t;

/* A buffered reader of /proc/self/maps that uses no heap: allocators call this. */
typedef struct {
  int fd;
  ssize_t length, at;
  char buffer[2048];
} reader_t;

static int next_byte(reader_t *reader) {
  if (reader->at == reader->length) {
    reader->length = read(reader->fd, reader->buffer, sizeof reader->buffer);
    reader->at = 0;
    if (reader->length <= 0) return reader->length = 0, -1;
  }
  return (unsigned char)reader->buffer[reader->at++];
}

/* Reads a hexadecimal number and the byte after it. */
static uintptr_t next_number(reader_t *reader, int *after) {
  uintptr_t value = 0;
  for (;;) {
    int c = next_byte(reader), digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return *after = c, value;
    value = value * 16 + (uintptr_t)digit;
  }
}

/* One line: start-end perm offset device inode name. Returns 0 at the end. */
static int next_piece(reader_t *reader, piece_t *piece) {
  int c;
  piece->start = next_number(reader, &c);
  if (c != '-') return 0;
  piece->end = next_number(reader, &c);
  piece->protection = (next_byte(reader) == 'r' ? PROT_READ : 0) | (next_byte(reader) == 'w' ? PROT_WRITE : 0) |
                      (next_byte(reader) == 'x' ? PROT_EXEC : 0);
  piece->is_private = next_byte(reader) == 'p';
  next_byte(reader);
  next_number(reader, &c); /* offset */
  next_number(reader, &c); /* device, major and minor */
  next_number(reader, &c);
  uintptr_t inode = 0;
  while ((c = next_byte(reader)) >= '0' && c <= '9') inode = inode * 10 + (uintptr_t)(c - '0');
  piece->is_anonymous = inode == 0;
  while (c != '\n' && c >= 0) c = next_byte(reader);
  return 1;
}

/* The parts of regions within [start, end); -1 with ENOMEM when there is a hole, or more parts than PIECES. */
static int find_pieces(uintptr_t start, uintptr_t end, piece_t *pieces) {
  static reader_t reader;
  piece_t piece;
  int count = 0;
  reader.length = reader.at = 0;
  reader.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (reader.fd < 0) return -1;
  uintptr_t covered = start;
  while (covered < end && count < PIECES && next_piece(&reader, &piece)) {
    if (piece.end <= covered) continue;
    if (piece.start > covered) break;
    piece.start = covered;
    if (piece.end > end) piece.end = end;
    covered = piece.end;
    pieces[count++] = piece;
  }
  close(reader.fd);
  if (covered >= end) return count;
  errno = ENOMEM;
  return -1;
}

static int map_again(const piece_t *piece, int protection) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (protection == PROT_NONE ? MAP_NORESERVE : 0);
  return mmap((void *)piece->start, piece->end - piece->start, protection, flags, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int check_range(void *address, size_t *length) {
  *length = (*length + PAGE - 1) & ~(PAGE - 1);
  if ((uintptr_t)address % PAGE == 0 && (uintptr_t)address + *length >= (uintptr_t)address) return 0;
  errno = EINVAL;
  return -1;
}

int mprotect(void *address, size_t length, int protection) {
  static piece_t pieces[PIECES];
  if (check_range(address, &length) != 0) return -1;
  int count = find_pieces((uintptr_t)address, (uintptr_t)address + length, pieces);
  for (int i = 0; i < count; i++)
    if (pieces[i].protection != protection && (pieces[i].protection != PROT_NONE || !pieces[i].is_private || !pieces[i].is_anonymous)) {
      errno = ENOSYS;
      return -1;
    }
  for (int i = 0; i < count; i++)
    if (pieces[i].protection != protection && map_again(&pieces[i], protection) != 0) return -1;
  return count < 0 ? -1 : 0;
}

int madvise(void *address, size_t length, int advice) {
  static piece_t pieces[PIECES];
  if (check_range(address, &length) != 0) return -1;
  if (advice != MADV_DONTNEED) return 0;
  int count = find_pieces((uintptr_t)address, (uintptr_t)address + length, pieces);
  for (int i = 0; i < count; i++)
    if (!pieces[i].is_private || !pieces[i].is_anonymous) {
      errno = ENOSYS;
      return -1;
    }
  for (int i = 0; i < count; i++)
    if (pieces[i].protection != PROT_NONE && map_again(&pieces[i], pieces[i].protection) != 0) return -1;
  return count < 0 ? -1 : 0;
}
