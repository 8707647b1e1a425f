// Code that changes: in its own page, in another, through an alias, 2,000 functions of a guest's own compiler, and data among code.
#include "check.h"
typedef int (*function)(int);
static unsigned char *code;
/* mov $value,%eax; add %edi,%eax; ret */
static function put_add(unsigned char *at, int value) {
  unsigned char bytes[] = {0xb8, 0, 0, 0, 0, 0x01, 0xf8, 0xc3};
  memcpy(bytes + 1, &value, 4);
  memcpy(at, bytes, sizeof bytes);
  return (function)at;
}
static void again_and_again(void) {
  long total = 0;
  for (int i = 0; i < 600; i++) {
    function f = put_add(code + 64, i);
    for (int k = 0; k < 40; k++) total = total * 3 + f(k);
  }
  printf("one function, 600 times: %016lx\n", total);
  total = 0;
  function hot = put_add(code + 64, 1);
  for (int k = 0; k < 60000; k++) total += hot(k);
  put_add(code + 64, 2);
  for (int k = 0; k < 60000; k++) total = total * 3 + hot(k);
  printf("a hot function changed: %016lx\n", total);
}
static void two_thousand(void) {
  static function made[2000];
  unsigned char *at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *start = at;
  long total = 0;
  for (int i = 0; i < 2000; i++, at += 32) {
    made[i] = put_add(at, i * 7);
    for (int k = 0; k < 6; k++) total = total * 5 + made[i](k); /* warm while the next ones are written beside it */
  }
  for (int round = 0; round < 20; round++) for (int i = 0; i < 2000; i++) total = total * 5 + made[i](round);
  for (int i = 0; i < 2000; i += 3) put_add((unsigned char *)made[i], i);
  for (int round = 0; round < 4; round++) for (int i = 0; i < 2000; i++) total = total * 5 + made[i](round);
  printf("two thousand functions: %016lx\n", total);
  munmap(start, 16 * PAGE);
}
/* A loop that changes the immediate of its own next instruction: the same page, the same block. */
static void itself(void) {
  static const unsigned char loop[] = {
      0x31, 0xc0,                         /* xor %eax,%eax */
      0x89, 0x3d, 0x01, 0x00, 0x00, 0x00, /* mov %edi,1(%rip): into the next instruction's immediate */
      0x05, 0, 0, 0, 0,                   /* add $…,%eax */
      0xff, 0xcf,                         /* dec %edi */
      0x75, 0xf1,                         /* jne to the mov */
      0xc3};
  memcpy(code + 512, loop, sizeof loop);
  long total = 0;
  for (int i = 1; i < 40; i++) total = total * 3 + ((function)(code + 512))(i);
  printf("changes itself: %016lx\n", total);
}
/* A loop in one page that stores into the code it calls in the next one. */
static void next_page(void) {
  static const unsigned char loop[] = {
      0x53, 0x31, 0xdb,                         /* push %rbx; xor %ebx,%ebx */
      0x89, 0x3d, 0xf8, 0x0f, 0x00, 0x00,       /* mov %edi,0xff8(%rip): page 1 offset 1 */
      0xe8, 0xf2, 0x0f, 0x00, 0x00,             /* call page 1 */
      0x01, 0xc3,                               /* add %eax,%ebx */
      0xff, 0xcf, 0x75, 0xef,                   /* dec %edi; jne to the mov */
      0x89, 0xd8, 0x5b, 0xc3};
  memcpy(code, loop, sizeof loop);
  int32_t store = (int32_t)(PAGE + 1 - 9), call = (int32_t)(PAGE - 14);
  memcpy(code + 5, &store, 4);
  memcpy(code + 10, &call, 4);
  put_add(code + PAGE, 0);
  long total = 0;
  for (int i = 1; i < 60; i++) total = total * 3 + ((function)code)(i);
  printf("changes the next page: %016lx\n", total);
}
/* A counter in the same page as the code that counts, in a line of its own and right behind it. */
static void data_among_code(void) {
  for (int distance = 32; distance <= 2048; distance *= 4) {
    unsigned char loop[] = {0xff, 0x05, 0, 0, 0, 0, 0xff, 0xcf, 0x75, 0xf6, 0x8b, 0x05, 0, 0, 0, 0, 0xc3}; /* incl; dec %edi; jne; mov; ret */
    int32_t first = distance - 6, second = distance - 16;
    memcpy(loop + 2, &first, 4);
    memcpy(loop + 12, &second, 4);
    memset(code + 2 * PAGE, 0, PAGE);
    memcpy(code + 2 * PAGE, loop, sizeof loop);
    int counted = 0;
    for (int i = 0; i < 10; i++) counted = ((function)(code + 2 * PAGE))(400);
    printf("counts %d bytes behind its code: %d\n", distance, counted);
  }
}
static void through_an_alias(void) {
  int fd = memfd_create("code", 0);
  ftruncate(fd, PAGE);
  unsigned char *writable = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  function f = (function)mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  long total = 0;
  for (int i = 0; i < 200; i++) {
    put_add(writable, i);
    unsigned a = 0, b, c = 0, d;
    asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory"); /* the manual asks for it (SDM 3A §8.1.3) */
    for (int k = 0; k < 50; k++) total = total * 3 + f(k);
  }
  printf("through an alias: %016lx\n", total);
  lseek(fd, 1, SEEK_SET);
  int value = 4711;
  write(fd, &value, 4);
  printf("by write(2): %d\n", f(0));
  mprotect(f, PAGE, PROT_READ);
  area = (char *)f;
  if (sigsetjmp(back, 1) == 0) printf("not executable: %d\n", f(0));
  else tell_fault("not executable");
  mprotect(f, PAGE, PROT_READ | PROT_EXEC);
  printf("executable again: %d\n", f(1));
  munmap(f, PAGE);
  mmap(f, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  put_add((unsigned char *)f, 5);
  printf("replaced: %d\n", f(1));
}
/* A hot loop that has written pages as data writes them again when they have been run as code: a function is one word long. */
static __attribute__((noinline)) void put_words(uint64_t *to, size_t count, uint64_t word) {
  for (size_t i = 0; i < count; i++) to[i] = word;
}
static void under_a_range(void) {
  unsigned char *pages = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t words[2];
  put_add((unsigned char *)&words[0], 1);
  put_add((unsigned char *)&words[1], 100);
  long total = 0;
  for (int round = 0; round < 8; round++) put_words((uint64_t *)pages, LENGTH / 8, words[0]);
  for (int round = 0; round < 30; round++) {
    function f = (function)(pages + round % 7 * 9 * PAGE + 16);
    for (int k = 0; k < 20; k++) total = total * 3 + f(k);
    put_words((uint64_t *)pages, LENGTH / 8, words[round & 1]);
    for (int k = 0; k < 20; k++) total = total * 3 + f(k);
  }
  printf("data, then code, then written: %016lx\n", total);
  munmap(pages, LENGTH);
}
static void after_fork(void) {
  function f = put_add(code + 64, 10);
  long total = 0;
  for (int k = 0; k < 30000; k++) total += f(k);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    put_add(code + 64, 20);
    for (int k = 0; k < 30000; k++) total += f(k);
    printf("child's own code: %ld\n", total);
    fflush(stdout);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  for (int k = 0; k < 30000; k++) total += f(k);
  printf("parent's code: %ld\n", total);
}
int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  catch_faults();
  code = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  again_and_again();
  two_thousand();
  itself();
  next_page();
  data_among_code();
  through_an_alias();
  under_a_range();
  after_fork();
}
