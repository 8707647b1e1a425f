/* The user demo: one small program that does to its memory what operating systems are about, and says what it sees.
 * Its output is the same in every run. */
#include "../common/memory_view.h"
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static void title(const char *text) {
  static int chapter;
  printf("\n%d. %s\n", ++chapter, text);
}

/* -- 1 -- */
static void show_regions(void) {
  static region_t regions[32];
  int count = read_regions(regions, 32);
  title("An address space is a table of regions");
  for (int i = 0; i < count; i++) {
    const char *name = strrchr(regions[i].name, '/');
    size_t length = regions[i].end - regions[i].start;
    printf("   %012lx-%012lx %s %5zu KiB, %3ld pages present  %s\n", regions[i].start, regions[i].end, regions[i].protection,
           length / 1024, resident_pages((void *)regions[i].start, length), name ? name + 1 : regions[i].name);
  }
}

/* -- 2 -- */
static __attribute__((noinline)) int descend(int depth) {
  volatile char frame[PAGE];
  frame[0] = (char)depth;
  int below = depth > 1 ? descend(depth - 1) : 0;
  return below + (frame[0] == (char)depth);
}

static void show_stack(void) {
  title("The stack grows by faulting");
  uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);
  long before = fault_count();
  int levels = descend(100);
  long faults = fault_count() - before;
  size_t size = 100 * PAGE;
  printf("   %d calls deep, a page each: %ld page faults, %ld of the %zu pages below are present now\n", levels, faults,
         resident_pages((void *)(here - size), size), size / PAGE);
}

/* -- 3 -- */
static void touch(char *start, size_t pages, size_t step) {
  for (size_t i = 0; i < pages; i += step) ((volatile char *)start)[i * PAGE] = 1;
}

static void show_heap(void) {
  title("The heap grows and shrinks by brk");
  sbrk(0); /* the first call reserves the window */
  char *base = sbrk((intptr_t)(64 * PAGE));
  printf("   grown by 64 pages: %ld present\n", resident_pages(base, 64 * PAGE));
  long before = fault_count();
  touch(base, 16, 1);
  printf("   16 touched: %ld faults, %ld present\n", fault_count() - before, resident_pages(base, 64 * PAGE));
  sbrk(-(intptr_t)(60 * PAGE));
  printf("   shrunk to 4 pages: %ld present\n", resident_pages(base, 64 * PAGE));
  sbrk((intptr_t)(60 * PAGE));
  int zero = 1;
  for (size_t i = 4 * PAGE; i < 16 * PAGE; i++) zero &= base[i] == 0;
  printf("   grown again: page 0 still holds %d, the pages that were given back read %s\n", base[0], zero ? "zero" : "garbage");
  sbrk(-(intptr_t)(64 * PAGE));
}

/* -- 4 -- */
static void show_mapping(void) {
  title("mmap promises memory, the first touch delivers it");
  size_t size = 256 * PAGE;
  char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("   1 MiB mapped: %ld of 256 pages present\n", resident_pages(base, size));
  touch(base, 256, 8);
  printf("   every eighth page touched: %ld present\n", resident_pages(base, size));
  munmap(base + size / 4, size / 2);
  printf("   the middle half unmapped: %ld present, the address is %s\n", resident_pages(base, size),
         region_at(base + size / 2).end == 0 ? "in no region" : "still mapped");
  char *again = mmap(base + size / 4, size / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("   half a MiB asked for there: %s, and reads %d\n", again == base + size / 4 ? "it fills the hole" : "it lies elsewhere", *again);
  munmap(base, size);
}

/* -- 5 -- */
static volatile int repairs;
static void repair(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  void *page = (void *)((uintptr_t)info->si_addr & ~(PAGE - 1));
  mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  repairs++;
}

static void show_recovery(void) {
  title("A program may answer its own faults");
  struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO}, old;
  sigaction(SIGSEGV, &action, &old);
  volatile char *base = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 8; i += 2) base[i * PAGE] = (char)('a' + i);
  printf("   4 writes to forbidden pages: SIGSEGV handled %d times, then the writes went through: %c %c %c %c\n", repairs, base[0],
         base[2 * PAGE], base[4 * PAGE], base[6 * PAGE]);
  sigaction(SIGSEGV, &old, NULL);
  munmap((void *)base, 8 * PAGE);
}

/* -- 6 -- */
static void show_fork(void) {
  title("fork shares every page until somebody writes");
  enum { PAGES = 32 };
  char *base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  touch(base, PAGES, 1);
  strcpy(base, "written by the parent before fork");
  int go[2], status;
  pipe(go);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    read(go[0], &byte, 1); /* the parent speaks first */
    printf("   child:  the page says \"%s\"\n", base);
    printf("   child:  %ld of %d pages are mine alone\n", count_pages(base, PAGES * PAGE, PAGE_PRESENT | PAGE_EXCLUSIVE), PAGES);
    long before = fault_count();
    strcpy(base, "written by the child");
    touch(base + PAGE, 3, 1);
    long faults = fault_count() - before;
    printf("   child:  wrote to 4 pages: %ld faults, each a copy; %ld pages are mine alone\n", faults,
           count_pages(base, PAGES * PAGE, PAGE_PRESENT | PAGE_EXCLUSIVE));
    printf("   child:  the page says \"%s\"; bye\n", base);
    exit(7);
  }
  printf("   parent: forked; %ld of %d pages are mine alone\n", count_pages(base, PAGES * PAGE, PAGE_PRESENT | PAGE_EXCLUSIVE), PAGES);
  fflush(stdout);
  write(go[1], "!", 1);
  pid_t waited = waitpid(child, &status, 0);
  printf("   parent: the child ended with status %d%s\n", WEXITSTATUS(status), waited == child ? "" : " (not the one I forked)");
  printf("   parent: my page still says \"%s\"; %ld pages are mine alone\n", base,
         count_pages(base, PAGES * PAGE, PAGE_PRESENT | PAGE_EXCLUSIVE));
  close(go[0]);
  close(go[1]);
  munmap(base, PAGES * PAGE);
}

/* -- 7 -- */
static void show_exec(void) {
  title("A failed exec changes nothing");
  char *const arguments[] = {"nothing", NULL};
  int result = execve("/no/such/program", arguments, environ);
  printf("   execve(\"/no/such/program\") = %d (%s), and here we are\n", result, strerror(errno));
}

int main(void) {
  printf("meniOS: one process, its own address space\n");
  show_regions();
  show_stack();
  show_heap();
  show_mapping();
  show_recovery();
  show_fork();
  show_exec();
  printf("\ndone\n");
  return 0;
}
