/* malloc: boundary tags, segregated free lists, a heap that grows by sbrk and shrinks when its top is free.
 *
 *   block:  | size, bits | payload …… |          bit 0: in use    bit 1: the block before is in use    bit 2: own mapping
 *   free:   | size, bits | next | previous | …… | size |           the last word of a free block repeats its size
 *
 * Invariants: blocks are multiples of 16 bytes and payloads 16-byte aligned; no two free blocks touch; the heap ends
 * with a used block of size 0. Blocks of MAP_THRESHOLD or more live in mappings of their own and are unmapped by free. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define USED 1UL
#define BEFORE_USED 2UL
#define MAPPED 4UL
#define BITS 15UL
#define HEADER 8UL
#define SMALLEST 32UL
#define MAP_THRESHOLD (256UL << 10)
#define GROW_BYTES (64UL << 10)
#define TRIM_BYTES (256UL << 10)
#define PAGE 4096UL

typedef struct block {
  size_t header;
  struct block *next, *previous; /* only while free */
} block_t;

/* List i holds blocks of [32 << i, 64 << i) bytes. */
#define LISTS 32
static block_t lists[LISTS];
static char *heap_end; /* address of the closing block, null before first use */

static size_t size_of(const block_t *block) {
  return block->header & ~BITS;
}
static block_t *at(void *base, size_t offset) {
  return (block_t *)((char *)base + offset);
}
static void *payload(block_t *block) {
  return (char *)block + HEADER;
}
static block_t *block_of(void *pointer) {
  return (block_t *)((char *)pointer - HEADER);
}
static int list_of(size_t size) {
  return 58 - __builtin_clzl(size);
}

static void link_free(block_t *block, size_t size) {
  block->header = size | BEFORE_USED;
  *(size_t *)((char *)block + size - sizeof(size_t)) = size;
  at(block, size)->header &= ~BEFORE_USED;
  block_t *list = &lists[list_of(size)];
  block->next = list->next;
  block->previous = list;
  block->next->previous = list->next = block;
}

static void unlink_free(block_t *block) {
  block->previous->next = block->next;
  block->next->previous = block->previous;
}

/* Returns the merged free block around `block`, not linked. Neighbours that were free are unlinked. */
static block_t *merge(block_t *block, size_t *size) {
  block_t *after = at(block, *size);
  if (!(after->header & USED)) {
    unlink_free(after);
    *size += size_of(after);
  }
  if (!(block->header & BEFORE_USED)) {
    size_t before = *((size_t *)block - 1);
    block = at(block, -before);
    unlink_free(block);
    *size += before;
  }
  return block;
}

/* Gives whole pages at the top of the heap back once there are many. */
static void trim(block_t *block, size_t size) {
  if ((char *)block + size != heap_end || size < TRIM_BYTES) return;
  if (sbrk(0) != heap_end + HEADER) return; /* the program moved the break itself */
  size_t surplus = (size - GROW_BYTES) & ~(PAGE - 1);
  unlink_free(block);
  heap_end -= surplus;
  ((block_t *)heap_end)->header = USED;
  link_free(block, size - surplus);
  sbrk(-(intptr_t)surplus);
}

static void release(block_t *block) {
  size_t size = size_of(block);
  block = merge(block, &size);
  link_free(block, size);
  trim(block, size);
}

/* Adds at least `need` bytes of free heap. */
static int grow(size_t need) {
  size_t bytes = (need + GROW_BYTES + PAGE - 1) & ~(PAGE - 1);
  if (!heap_end) {
    for (int i = 0; i < LISTS; i++) lists[i].next = lists[i].previous = &lists[i];
  }
  char *base = sbrk((intptr_t)bytes);
  if (base == (char *)-1) return -1;
  block_t *block;
  size_t size;
  if (heap_end && base == heap_end + HEADER) {
    block = (block_t *)heap_end; /* the closing block becomes the header of the new space */
    size = bytes;
  } else {
    /* A new piece of heap: its first payload must be 16-byte aligned, so the header sits 8 below. */
    char *first = (char *)(((uintptr_t)base + HEADER + 15) & ~15UL) - HEADER;
    block = (block_t *)first;
    block->header = BEFORE_USED;
    size = ((size_t)(base + bytes - first) - HEADER) & ~BITS;
  }
  heap_end = (char *)block + size;
  ((block_t *)heap_end)->header = USED;
  block->header = size | (block->header & BEFORE_USED) | USED;
  ((block_t *)heap_end)->header |= BEFORE_USED;
  block = merge(block, &size);
  link_free(block, size);
  return 0;
}

/* Cuts `block`, taken from its list, down to `size` and marks it used. */
static void *take(block_t *block, size_t size) {
  size_t whole = size_of(block);
  block->header |= USED;
  at(block, whole)->header |= BEFORE_USED;
  if (whole - size >= SMALLEST) {
    block->header = size | (block->header & (USED | BEFORE_USED));
    link_free(at(block, size), whole - size);
  }
  return payload(block);
}

static block_t *find(size_t size) {
  if (!heap_end) return NULL;
  for (int i = list_of(size); i < LISTS; i++)
    for (block_t *block = lists[i].next; block != &lists[i]; block = block->next)
      if (size_of(block) >= size) return block;
  return NULL;
}

/* A mapping of its own: the block's header is 16 bytes before the payload, with the offset from the mapping in front. */
static void *map_block(size_t size, size_t alignment) {
  size_t front = alignment > 16 ? alignment : 16;
  if (size > SIZE_MAX / 2 - front) goto fail;
  size_t bytes = (size + front + PAGE - 1) & ~(PAGE - 1);
  size_t asked = alignment > PAGE ? bytes + alignment : bytes;
  char *base = mmap(NULL, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) goto fail;
  char *user = (char *)(((uintptr_t)base + front + alignment - 1) & ~(alignment - 1));
  size_t *words = (size_t *)user;
  words[-2] = (size_t)(user - base);
  words[-1] = ((size_t)(base + asked - user) & ~BITS) | USED | MAPPED;
  return user;
fail:
  errno = ENOMEM;
  return NULL;
}

static void unmap_block(void *user) {
  size_t front = ((size_t *)user)[-2];
  size_t rest = size_of(block_of(user));
  munmap((char *)user - front, (front + rest + PAGE - 1) & ~(PAGE - 1));
}

static size_t block_size(size_t size) {
  size_t wanted = (size + HEADER + 15) & ~15UL;
  return wanted < SMALLEST ? SMALLEST : wanted;
}

void *malloc(size_t size) {
  if (size >= MAP_THRESHOLD) return map_block(size, 16);
  size_t wanted = block_size(size);
  block_t *block = find(wanted);
  if (!block) {
    if (grow(wanted) != 0) return NULL;
    block = find(wanted);
  }
  unlink_free(block);
  return take(block, wanted);
}

void free(void *pointer) {
  if (!pointer) return;
  block_t *block = block_of(pointer);
  if (!(block->header & USED)) {
    static const char message[] = "free: not an allocated block\n";
    write(2, message, sizeof message - 1);
    abort();
  }
  if (block->header & MAPPED) unmap_block(pointer);
  else release(block);
}

size_t malloc_usable_size(void *pointer) {
  if (!pointer) return 0;
  block_t *block = block_of(pointer);
  return block->header & MAPPED ? size_of(block) : size_of(block) - HEADER;
}

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  void *pointer = malloc(bytes);
  if (pointer && !(block_of(pointer)->header & MAPPED)) memset(pointer, 0, bytes);
  return pointer;
}

void *realloc(void *pointer, size_t size) {
  if (!pointer) return malloc(size);
  block_t *block = block_of(pointer);
  size_t usable = malloc_usable_size(pointer);
  if (!(block->header & MAPPED) && size < MAP_THRESHOLD) {
    size_t wanted = block_size(size), whole = size_of(block);
    block_t *after = at(block, whole);
    if (whole < wanted && !(after->header & USED) && whole + size_of(after) >= wanted) {
      unlink_free(after);
      whole += size_of(after);
      block->header = whole | (block->header & (USED | BEFORE_USED));
      at(block, whole)->header |= BEFORE_USED;
    }
    if (whole >= wanted) {
      if (whole - wanted >= SMALLEST) {
        block->header = wanted | (block->header & (USED | BEFORE_USED));
        block_t *rest = at(block, wanted);
        rest->header = (whole - wanted) | USED | BEFORE_USED;
        release(rest);
      }
      return pointer;
    }
  } else if (size <= usable && size >= usable / 2 && size >= MAP_THRESHOLD) {
    return pointer;
  }
  void *moved = malloc(size);
  if (!moved) return NULL;
  memcpy(moved, pointer, usable < size ? usable : size);
  free(pointer);
  return moved;
}

void *reallocarray(void *pointer, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(pointer, bytes);
}

void *memalign(size_t alignment, size_t size) {
  if (alignment <= 16) return malloc(size);
  if (size + alignment + SMALLEST >= MAP_THRESHOLD || size > SIZE_MAX / 2) return map_block(size, alignment);
  char *pointer = malloc(size + alignment + SMALLEST);
  if (!pointer) return NULL;
  char *user = (char *)(((uintptr_t)pointer + alignment - 1) & ~(alignment - 1));
  if (user != pointer) {
    if ((size_t)(user - pointer) < SMALLEST) user += alignment; /* the front must be a block of its own */
    block_t *front = block_of(pointer), *block = block_of(user);
    size_t whole = size_of(front), cut = (size_t)(user - pointer);
    block->header = (whole - cut) | USED | BEFORE_USED;
    front->header = cut | (front->header & (USED | BEFORE_USED));
    release(front);
  }
  return user;
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
  int before = errno;
  void *pointer = memalign(alignment, size);
  errno = before; /* posix_memalign reports by its result and leaves errno alone */
  if (!pointer) return ENOMEM;
  *result = pointer;
  return 0;
}

void *aligned_alloc(size_t alignment, size_t size) {
  if (alignment == 0 || (alignment & (alignment - 1))) {
    errno = EINVAL;
    return NULL;
  }
  return memalign(alignment, size);
}
