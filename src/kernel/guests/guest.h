/* The least a guest needs: system calls, printing, signals, without any libc, so that a test says exactly what it asks.
 * Programs print no addresses and no process numbers: the same binary runs on the host's kernel as the oracle. */
#ifndef GUEST_H
#define GUEST_H
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <asm/unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

static inline long call6(long n, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
#define CALL(n, ...) CALL_(__NR_##n, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(n, a, b, c, d, e, f, ...) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memset(void *target, int value, size_t count) {
  for (char *at = target; count--;) *at++ = (char)value;
  return target;
}
void *memcpy(void *target, const void *source, size_t count) {
  for (size_t i = 0; i < count; i++) ((char *)target)[i] = ((const char *)source)[i];
  return target;
}
static size_t length_of(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n;
}

/* %s %d %x %% */
static void say(const char *format, ...) {
  char line[1024];
  size_t at = 0;
  va_list arguments;
  va_start(arguments, format);
  for (; *format && at < sizeof line - 80; format++) {
    if (*format != '%') {
      line[at++] = *format;
      continue;
    }
    format++;
    if (*format == 's') {
      for (const char *text = va_arg(arguments, const char *); *text && at < sizeof line - 1; text++) line[at++] = *text;
    } else if (*format == '%') {
      line[at++] = '%';
    } else {
      unsigned long base = *format == 'x' ? 16 : 10, value;
      long number = va_arg(arguments, long);
      if (*format == 'd' && number < 0) line[at++] = '-', value = -(unsigned long)number;
      else value = (unsigned long)number;
      char digits[24];
      int count = 0;
      do digits[count++] = "0123456789abcdef"[value % base];
      while (value /= base);
      while (count) line[at++] = digits[--count];
    }
  }
  va_end(arguments);
  CALL(write, 1, line, at);
}

/* Signals: the kernel's own layouts. */
typedef struct {
  int signo, error, code, pad;
  union {
    struct { int pid, uid, status; };
    void *address;
    char room[112];
  };
} info_t;
typedef struct {
  unsigned long flags;
  void *link;
  struct { void *sp; int flags; size_t size; } stack;
  unsigned long r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
  unsigned short cs, gs, fs, ss;
  unsigned long err, trapno, oldmask, cr2;
  void *fpstate;
  unsigned long reserved[8];
  unsigned long mask;
} context_t;
struct action {
  void (*handler)(int, info_t *, context_t *);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};
enum {
  HUP = 1, INT = 2, QUIT = 3, ILL = 4, TRAP = 5, ABRT = 6, BUS = 7, FPE = 8, KILL = 9, USR1 = 10, SEGV = 11, USR2 = 12, PIPE = 13, ALRM = 14,
  TERM = 15, CHLD = 17, CONT = 18, STOP = 19, TSTP = 20, RT = 34
};
#define NOCLDSTOP 1ul
#define NOCLDWAIT 2ul
#define SIGINFO 4ul
#define RESTORER 0x04000000ul
#define ONSTACK 0x08000000ul
#define RESTART 0x10000000ul
#define NODEFER 0x40000000ul
#define RESETHAND 0x80000000ul
#define BIT(signal) (1ul << ((signal) - 1))
void restore(void);
__asm__("restore: mov $15, %eax\n syscall\n");
typedef void (*handler_t)(int, info_t *, context_t *);
static long act(int signal, handler_t handler, unsigned long flags, unsigned long mask) {
  struct action action = {handler, flags | RESTORER, restore, mask};
  return CALL(rt_sigaction, signal, &action, 0, 8);
}
static long block(int how, unsigned long set) { return CALL(rt_sigprocmask, how, &set, 0, 8); }
static unsigned long pending(void) {
  unsigned long set = 0;
  CALL(rt_sigpending, &set, 8);
  return set;
}

static long tid_(void) { return CALL(gettid); }
static long self(void) { return CALL(getpid); }
static long fork_(void) { return CALL(fork); }
static void leave(int status) {
  for (;;) CALL(exit_group, status);
}
static long wait_(long pid, int *status, int options) { return CALL(wait4, pid, status, options, 0); }
static void nap(long milliseconds) {
  struct { long seconds, nanoseconds; } time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  CALL(nanosleep, &time, 0);
}

long guest(int argc, char **argv, char **envp);
__attribute__((noreturn, used)) void enter(long *stack) {
  char **argv = (char **)(stack + 1);
  leave((int)guest((int)stack[0], argv, argv + stack[0] + 1));
  __builtin_unreachable();
}
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call enter\n");
#endif
