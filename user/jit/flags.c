// Flags that are asked for behind a place where ways come together, by readers that want all of them, some, or all but one: of comparisons of
// floats and of integers; and indirect jumps, into the function and to an address that is not canonical.
#include "check.h"
#include <math.h>
static uint64_t hash = 1;
static inline void mix(uint64_t value) { hash = (hash ^ value) * 1099511628211u; }

/* The jump over nothing is taken now and then: behind it nobody knows which instruction set the flags. */
#define MEET "jrcxz 1f\nnop\n1:\n"
#define MEET_AGAIN "jrcxz 2f\nnop\n2:\n"
#define READERS(set, type, first, second) \
  for (uint64_t way = 0; way < 2; way++) { \
    uint64_t all, some = 7, carry = 5; \
    uint8_t a, b, c; \
    __asm__ volatile("sub $128, %%rsp\n" set "\n" MEET "pushfq\npop %0\nadd $128, %%rsp" : "=r"(all) : [x] type(first), [y] type(second), "c"(way) : "cc", "memory"); \
    __asm__ volatile(set "\n" MEET "inc %0\nadc $3, %1\nsetp %2" : "+r"(some), "+r"(carry), "=q"(a) : [x] type(first), [y] type(second), "c"(way) : "cc"); \
    mix(all & 0x8d5), mix(some), mix(carry), mix(a); \
    __asm__ volatile(set "\n" MEET "setb %0\nseta %1\nsete %2" : "=q"(a), "=q"(b), "=q"(c) : [x] type(first), [y] type(second), "c"(way) : "cc"); \
    mix(a | b << 1 | c << 2); \
    __asm__ volatile(set "\n" MEET "dec %0\n" MEET_AGAIN "setc %1\nsetz %2\nsets %3" : "+r"(some), "=q"(a), "=q"(b), "=q"(c) : [x] type(first), [y] type(second), "c"(way) : "cc"); \
    mix(a | b << 1 | c << 2); \
    __asm__ volatile(set "\n" MEET "lea 1(%0), %0\nsetl %1\nsetg %2\nseto %3" : "+r"(some), "=q"(a), "=q"(b), "=q"(c) : [x] type(first), [y] type(second), "c"(way) : "cc"); \
    mix(a | b << 1 | c << 2); \
  }

static void compare(void) {
  static const double doubles[] = {0.0, -0.0, 1, -1, 1.5, 1e300, -1e300, INFINITY, -INFINITY, NAN, 5e-324, 2.2250738585072014e-308};
  static const float floats[] = {0.0f, -0.0f, 1, -1, 1.5f, 3e38f, INFINITY, -INFINITY, NAN, 1e-45f, 1.17549435e-38f};
  static const uint64_t words[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};
  enum { DOUBLES = sizeof doubles / sizeof *doubles, FLOATS = sizeof floats / sizeof *floats, WORDS = sizeof words / sizeof *words };
  for (int turn = 0; turn < 200; turn++) {
    for (int i = 0; i < DOUBLES; i++) for (int j = 0; j < DOUBLES; j++) READERS("ucomisd %[y], %[x]", "x", doubles[i], doubles[j])
    if (turn % 40 == 0) printf("ucomisd %016lx\n", hash);
    for (int i = 0; i < FLOATS; i++) for (int j = 0; j < FLOATS; j++) READERS("comiss %[y], %[x]", "x", floats[i], floats[j])
    if (turn % 40 == 0) printf("comiss %016lx\n", hash);
    for (int i = 0; i < WORDS; i++) for (int j = 0; j < WORDS; j++) READERS("cmp %[y], %[x]", "r", words[i], words[j])
    if (turn % 40 == 0) printf("cmp %016lx\n", hash);
  }
}

/* A jump by a pointer, as interpreters do; the last one leads nowhere. */
static sigjmp_buf back;
static volatile int faulted;
static void fault(int signal, siginfo_t *info, void *context) {
  const uint8_t *at = (const uint8_t *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  faulted = signal * 100 + (info->si_code == SI_KERNEL) * 10 + (at[0] == 0xff || at[0] == 0x3e || at[0] == 0x41);
  siglongjmp(back, 1);
}
static __attribute__((noinline)) uint64_t interpret(int length, void *nowhere) {
  static void *handlers[] = {&&add, &&twice, &&flip, &&next};
  uint64_t x = 1;
  int at = 0;
  void *volatile target;
  next:
  if (++at > length) return x;
  target = at == length ? nowhere : handlers[(x ^ at) % 3];
  if (target == NULL) return x;
  goto *target;
  add: x += at; target = handlers[3]; goto *target;
  twice: x *= 2; target = handlers[3]; goto *target;
  flip: x = ~x ^ x >> 7; target = handlers[3]; goto *target;
}

int main(void) {
  compare();
  struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  printf("jumps %016lx\n", interpret(300000, NULL));
  static const uint64_t nowhere[] = {0x8000000000000000, 0x0000800000000000, 0xffff7fffffffffff, 0x123456789abcdef0};
  for (int i = 0; i < 4; i++) {
    faulted = 0;
    if (sigsetjmp(back, 1) == 0) interpret(100000, (void *)nowhere[i]);
    printf("nowhere %d\n", faulted);
  }
  return 0;
}
