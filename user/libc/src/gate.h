/* The one place where a system call leaves the program.
 *
 * Built as usual, this is `int $0x80`, the meniOS gate. Two other builds exist for tests only:
 *   MENIOS_GATE_SYSCALL  the same numbers through `syscall` (menios --abi menios)
 *   MENIOS_GATE_LINUX    numbers translated to Linux's, so that libc and self-tests run on a host kernel as an oracle */
#ifndef GATE_H
#define GATE_H
#include <menios/abi.h>

#ifdef MENIOS_GATE_LINUX
static inline long gate_number(long number) {
  switch (number) {
    case SYS_kill: return 62;
    case SYS_sigaction: return 13;
    case SYS_sigprocmask: return 14;
    case SYS_ioctl: return 16;
    case SYS_shmget: return 29;
    case SYS_shmat: return 30;
    case SYS_shmdt: return 67;
    case SYS_shmctl: return 31;
    case SYS_chdir: return 80;
    case SYS_getcwd: return 79;
    case SYS_time: return 201;
    case SYS_gettimeofday: return 96;
    case SYS_nanosleep: return 35;
    case SYS_clock_gettime: return 228;
    case SYS_clock_settime: return 227;
    case SYS_clock_getres: return 229;
    case SYS_setitimer: return 38;
    case SYS_getitimer: return 36;
    case SYS_alarm: return 37;
    case SYS_fcntl: case SYS_read: case SYS_write: case SYS_open: case SYS_close: case SYS_lseek: case SYS_mmap:
    case SYS_munmap: case SYS_pipe: case SYS_yield: case SYS_dup: case SYS_dup2: case SYS_fork: case SYS_execve:
    case SYS_waitpid: return number;
    case SYS_exit: return 231;
    default: return 0xffff; /* ENOSYS */
  }
}
#define GATE_INSTRUCTION "syscall"
#define GATE_NUMBER(number) gate_number(number)
#elif defined MENIOS_GATE_SYSCALL
#define GATE_INSTRUCTION "syscall"
#define GATE_NUMBER(number) (number)
#else
#define GATE_INSTRUCTION "int $0x80"
#define GATE_NUMBER(number) (number)
#endif

static inline long gate6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile(GATE_INSTRUCTION
                   : "=a"(result)
                   : "a"(GATE_NUMBER(number)), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
static inline long gate4(long number, long a, long b, long c, long d) {
  register long r10 __asm__("r10") = d;
  long result;
  __asm__ volatile(GATE_INSTRUCTION
                   : "=a"(result)
                   : "a"(GATE_NUMBER(number)), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}
static inline long gate3(long number, long a, long b, long c) {
  long result;
  __asm__ volatile(GATE_INSTRUCTION
                   : "=a"(result)
                   : "a"(GATE_NUMBER(number)), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

/* Splits a gate result: -1 and errno for [-4095, -1], the result itself otherwise. */
long __result(long value);

#define CALL0(n) __result(gate3(n, 0, 0, 0))
#define CALL1(n, a) __result(gate3(n, (long)(a), 0, 0))
#define CALL2(n, a, b) __result(gate3(n, (long)(a), (long)(b), 0))
#define CALL3(n, a, b, c) __result(gate3(n, (long)(a), (long)(b), (long)(c)))
#define CALL4(n, a, b, c, d) __result(gate4(n, (long)(a), (long)(b), (long)(c), (long)(d)))
#define CALL6(n, a, b, c, d, e, f) __result(gate6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))
#endif
