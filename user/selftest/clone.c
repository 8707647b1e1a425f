/* fork: copy-on-write in both directions, partially committed regions, shared mappings. */
#include "selftest.h"

TEST(cow_child_write) {
  int status;
  char *base = map_pages(4, PROT_READ | PROT_WRITE);
  strcpy(base, "parent");
  strcpy(base + 3 * PAGE, "last");
  IN_CHILD(status, {
    if (strcmp(base, "parent") != 0) _exit(1);
    strcpy(base, "child");
    base[PAGE] = 'c';
    _exit(strcmp(base, "child") == 0 && strcmp(base + 3 * PAGE, "last") == 0 ? 0 : 2);
  });
  EXPECT(status == 0);
  EXPECT(strcmp(base, "parent") == 0);
  EXPECT(base[PAGE] == 0);
  return NULL;
}

TEST(cow_parent_write) {
  int go[2], status;
  char *base = map_pages(2, PROT_READ | PROT_WRITE), byte;
  strcpy(base, "before");
  EXPECT(pipe(go) == 0);
  pid_t child = fork();
  if (child == 0) {
    read(go[0], &byte, 1);
    _exit(strcmp(base, "before") == 0 && base[PAGE] == 0 ? 0 : 1);
  }
  strcpy(base, "after");
  base[PAGE] = 'p';
  write(go[1], "!", 1);
  EXPECT(waitpid(child, &status, 0) == child);
  EXPECT(status == 0);
  EXPECT(strcmp(base, "after") == 0);
  return NULL;
}

static int generation(char *base, int depth) {
  for (int i = 0; i < 8; i++)
    if (base[(size_t)i * PAGE] != (i < depth ? i + 1 : 0)) return 1;
  if (depth == 8) return 0;
  base[(size_t)depth * PAGE] = (char)(depth + 1);
  pid_t child = fork();
  if (child == 0) _exit(generation(base, depth + 1));
  int status;
  if (waitpid(child, &status, 0) != child) return 2;
  for (int i = depth + 1; i < 8; i++)
    if (base[(size_t)i * PAGE] != 0) return 3; /* a descendant's write must not be seen here */
  return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

TEST(cow_generations) {
  EXPECT(generation(map_pages(8, PROT_READ | PROT_WRITE), 0) == 0);
  return NULL;
}

TEST(cow_counts) {
  int status;
  char *base = map_pages(16, PROT_READ | PROT_WRITE);
  memset(base, 1, 16 * PAGE);
  IN_CHILD(status, {
    fault_count(); /* its own pages are copied by the first call */
    long before = fault_count();
    for (int i = 0; i < 16; i++) (void)*(volatile char *)(base + (size_t)i * PAGE);
    if (fault_count() != before) _exit(1); /* reading shares without a fault */
    if (count_pages(base, 16 * PAGE, PAGE_PRESENT | PAGE_EXCLUSIVE) != 0) _exit(2);
    before = fault_count();
    for (int i = 0; i < 5; i++) base[(size_t)i * PAGE] = 2;
    if (fault_count() != before + 5) _exit(3); /* writing copies once a page */
    if (count_pages(base, 16 * PAGE, PAGE_PRESENT | PAGE_EXCLUSIVE) != 5) _exit(4);
  });
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT(count_pages(base, 16 * PAGE, PAGE_PRESENT | PAGE_EXCLUSIVE) == 16);
  return NULL;
}

TEST(clone_partially_committed) {
  int status;
  char *base = map_pages(60, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 60; i += 3) base[(size_t)i * PAGE + 4095] = (char)(i + 1);
  char *heap = sbrk(5 * 4096 + 123); /* the region ends inside a page */
  heap[5 * 4096 + 122] = 'e';
  IN_CHILD(status, {
    if (resident_pages(base, 60 * PAGE) != 20) _exit(1);
    for (int i = 0; i < 60; i++)
      if (base[(size_t)i * PAGE + 4095] != (i % 3 == 0 ? i + 1 : 0)) _exit(2);
    if (heap[5 * 4096 + 122] != 'e') _exit(3);
    for (int i = 0; i < 60; i++) base[(size_t)i * PAGE] = 'c'; /* the rest is still filled on demand */
    if (resident_pages(base, 60 * PAGE) != 60) _exit(4);
  });
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT(resident_pages(base, 60 * PAGE) == 20 || resident_pages(base, 60 * PAGE) == 60); /* reads may map zero pages */
  for (int i = 0; i < 60; i++) EXPECT(base[(size_t)i * PAGE] == 0);
  return NULL;
}

TEST(clone_stack) {
  /* Data that shares a page with the part of the stack not yet used, and data deep below. */
  int status;
  volatile char local[3 * 4096];
  for (size_t i = 0; i < sizeof local; i += 512) local[i] = (char)(i / 512 + 1);
  IN_CHILD(status, {
    for (size_t i = 0; i < sizeof local; i += 512)
      if (local[i] != (char)(i / 512 + 1)) _exit(1);
    local[512] = 99;
  });
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT(local[512] == 2);
  return NULL;
}

TEST(clone_shared_mapping) {
  int status;
  volatile int *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT(shared != MAP_FAILED);
  shared[0] = 1;
  IN_CHILD(status, {
    if (shared[0] != 1) _exit(1);
    shared[0] = 2;
    shared[PAGE / 4] = 3; /* a page nobody had touched before */
  });
  EXPECT(status == 0);
  EXPECT(shared[0] == 2 && shared[PAGE / 4] == 3);
  return NULL;
}

TEST(clone_many) {
  enum { COUNT = 60 };
  pid_t child[COUNT];
  int go[2];
  EXPECT(pipe(go) == 0);
  for (int i = 0; i < COUNT; i++) {
    child[i] = fork();
    if (child[i] == 0) {
      char byte;
      close(go[1]);
      read(go[0], &byte, 1); /* all live at once until the write end closes */
      _exit(i);
    }
    EXPECT(child[i] > 0);
  }
  close(go[1]);
  for (int i = 0; i < COUNT; i++) {
    int status;
    EXPECT(waitpid(child[i], &status, 0) == child[i]);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == i);
  }
  return NULL;
}
