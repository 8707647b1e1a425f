// Calls and returns that do not pair up as translated code expects: deep recursion, longjmp, a fault in the callee, stacks that are
// switched, a return address that is changed.
#include "check.h"
#define APART __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls", "no-tree-vectorize", "no-unroll-loops")))
static volatile uint64_t sink;
static uint64_t table[64];
/* Too long to be inlined by a translator. */
#define WORK(x) ({ \
    for (int i_ = 0; i_ < 3; i_++) { x = x * 31 + table[x & 63]; if (x & 1) x ^= x >> 9; else x += 7; if (x & 2) table[(x >> 3) & 63] ^= x; } \
    x = x & 4 ? x * 5 + 1 : x ^ 0x5555; \
    if (x & 8) x -= table[1]; \
    if (x & 16) x += table[2]; \
    if (x & 32) x ^= table[3]; \
    if (x & 64) x = x * 3 + table[4]; \
    if (x & 128) x -= table[5] >> 1; \
    if (x & 256) x ^= table[6] << 1; \
  })

/* Two functions that call each other, deeper than any host stack would bear. */
static uint64_t odd(uint64_t x, int depth);
static APART uint64_t even(uint64_t x, int depth) {
  WORK(x);
  if (depth == 0) return x;
  uint64_t below = odd(x + depth, depth - 1);
  return below * 3 + (x ^ depth);
}
static APART uint64_t odd(uint64_t x, int depth) {
  WORK(x);
  if (depth == 0) return x + 1;
  uint64_t below = even(x - depth, depth - 1);
  return (below >> 1) + x * depth;
}

/* Every seventh call leaves through three callers at once. */
static jmp_buf out;
static APART uint64_t jumps(uint64_t x, int n) {
  WORK(x);
  if (n % 7 == 0) sink = x, longjmp(out, 1 + (int)(x & 3));
  return x ^ n;
}
static APART uint64_t through(uint64_t x, int n) { WORK(x); x += jumps(x, n); WORK(x); return x + 1; }
static APART uint64_t passing(uint64_t x, int n) { WORK(x); x += through(x, n) * 3; WORK(x); return x; }

/* A callee that faults and is left by the handler, and one whose page appears in the handler. */
static APART uint64_t reads(uint64_t x, const char *from) { WORK(x); x += *(const volatile unsigned char *)from; WORK(x); return x; }
static APART uint64_t asks(uint64_t x, const char *from) { WORK(x); x ^= reads(x, from); WORK(x); return x; }

/* Coroutines: a switch goes in by one call and comes out by another. */
void switch_stack(void **from, void *to);
__asm__("switch_stack:\n\tpush %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\tmov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
        "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret");
static void *first, *second;
static char stack[65536] __attribute__((aligned(16)));
static uint64_t carried;
static APART uint64_t yield_to(void **from, void **to, uint64_t x) { WORK(x); carried = x; switch_stack(from, *to); x = carried; WORK(x); return x; }
static void other(void) { for (uint64_t x = 5;; WORK(x)) x += yield_to(&second, &first, carried + x); }

/* Returns to where its argument says. */
static APART uint64_t astray(uint64_t x, int n) {
  WORK(x);
  __asm__ volatile("" : : : "memory");
  void **slot = (void **)__builtin_frame_address(0) + 1;
  if (n % 5 == 0) *slot = (char *)*slot + 3; /* over the three bytes behind the call */
  WORK(x);
  return x;
}
static APART uint64_t strays(uint64_t x, int n) {
  uint64_t result, argument = n;
  __asm__ volatile("sub $136, %%rsp\n\tcall *%3\n\tadd $1, %%eax\n\tadd $136, %%rsp" : "=a"(result), "+D"(x), "+S"(argument) : "r"(astray) : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
  return result;
}

int main(void) {
  for (int i = 0; i < 64; i++) table[i] = i * 0x9e3779b97f4a7c15u;
  uint64_t total = 0;
  for (int round = 0; round < 30; round++) total = total * 7 + even(round, 20 + round * 300);
  printf("recursion %016lx\n", total);
  for (int round = 0; round < 4; round++) total = total * 7 + odd(round, 20000);
  for (int round = 0; round < 3000; round++) total += even(round, 12);
  printf("shallow again %016lx\n", total);

  for (volatile int n = 1; n < 40000; n++) {
    int left = setjmp(out);
    if (left == 0) total += passing(total, n);
    else total ^= sink * left;
  }
  printf("longjmp %016lx\n", total);

  catch_faults();
  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  mprotect(area + 4096, 4096, PROT_NONE);
  for (volatile int n = 0; n < 20000; n++) {
    if (sigsetjmp(back, 1) == 0) total += asks(total, area + (n % 50 == 49 ? 4096 : 0) + n % 4096);
    else total += fault_offset;
  }
  printf("faults %016lx\n", total);

  void **top = (void **)(stack + sizeof stack) - 2;
  *--top = (void *)other;
  second = top - 6;
  for (uint64_t n = 0; n < 20000; n++) total += yield_to(&first, &second, total ^ n);
  printf("coroutines %016lx\n", total);

  for (int n = 0; n < 100000; n++) total = total * 3 + strays(total, n);
  printf("astray %016lx\n", total);
}
