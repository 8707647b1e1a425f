/* The processor as oracle: runs single instructions on given floating-point states and reports what they did.
 *
 * stdin: records, stdout: the same records after execution. One record is
 *     0  u8  length of the code       1  u8[15] code (memory operand at [rdi])
 *    16  u64 rax                     24  u64 rflags
 *    32  u32 signal (0 in, SIGFPE or SIGILL out)
 *    64  u8[128] memory operand     192  u8[512] FXSAVE64 image
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct record {
  uint8_t length, code[15];
  uint64_t rax, rflags;
  uint32_t signal, reserved[7];
  uint8_t memory[128];
  uint8_t fx[512] __attribute__((aligned(16)));
};
_Static_assert(sizeof(struct record) == 704, "record layout");

static sigjmp_buf escape;
static struct record work __attribute__((aligned(64)));
static uint8_t clean[512] __attribute__((aligned(16)));

static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)info;
  ucontext_t *u = context;
  work.signal = signal;
  memcpy(work.fx, u->uc_mcontext.fpregs, 512);
  siglongjmp(escape, 1);
}

static void run(uint8_t *code) {
  memcpy(code, work.code, work.length);
  code[work.length] = 0xc3;
  if (sigsetjmp(escape, 1)) return;
  uint64_t rax = work.rax, flags = work.rflags;
  __asm__ volatile(
      "fxrstor64 %[fx]\n\tpush %[flags]\n\tpopfq\n\tcall *%[code]\n\tfxsave64 %[fx]\n\tpushfq\n\tpop %[flags]\n\tcld"
      : "+a"(rax), [flags] "+&r"(flags), [fx] "+m"(work.fx)
      : [code] "r"(code), "D"(work.memory)
      : "memory", "cc", "rcx", "rdx", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
  work.rax = rax;
  work.rflags = flags;
}

int main(void) {
  uint8_t *code = mmap(0, 1 << 20, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGFPE, &action, 0);
  sigaction(SIGILL, &action, 0);
  sigaction(SIGSEGV, &action, 0);
  static struct record batch[256];
  __asm__ volatile("fxsave64 %0" : "=m"(clean));
  size_t n, at = 0;
  while ((n = fread(batch, sizeof batch[0], 256, stdin)) > 0) {
    for (size_t i = 0; i < n; i++) {
      work = batch[i];
      run(code + at);
      at = (at + 64) & 0xfffff;
      __asm__ volatile("fxrstor64 %0" : : "m"(clean));
      batch[i] = work;
    }
    fwrite(batch, sizeof batch[0], n, stdout);
  }
  return 0;
}
