// Every kind of processor exception as a signal: number, code, trap number, and whether si_addr is the instruction.
#include "check.h"
#include <setjmp.h>
#include <ucontext.h>
static sigjmp_buf back;
static void report(int signal, siginfo_t *info, void *context) {
  ucontext_t *u = context;
  long rip = u->uc_mcontext.gregs[REG_RIP];
  printf("signal %d code %d trap %d error %d addr %s\n", signal, info->si_code, (int)u->uc_mcontext.gregs[REG_TRAPNO],
         (int)u->uc_mcontext.gregs[REG_ERR], info->si_addr == (void *)rip ? "at rip" : info->si_addr == 0 ? "null" : "elsewhere");
  siglongjmp(back, 1);
}
#define TRY(title, ...) do { printf("%-22s ", title); fflush(stdout); if (!sigsetjmp(back, 1)) { __VA_ARGS__; printf("nothing\n"); } } while (0)
int main(void) {
  static char area[65536];
  stack_t alternate = {.ss_sp = area, .ss_size = sizeof area};
  sigaltstack(&alternate, NULL);
  struct sigaction a = {.sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  int list[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  for (int i = 0; i < 5; i++) sigaction(list[i], &a, NULL);
  TRY("ud2", __asm__ volatile("ud2"));
  TRY("undefined", __asm__ volatile(".byte 0x06"));
  TRY("lock on register", __asm__ volatile(".byte 0xf0, 0x90"));
  TRY("divide by zero", __asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx" ::: "eax", "ecx", "edx"));
  TRY("divide overflow", __asm__ volatile("movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx" ::: "eax", "ecx", "edx"));
  TRY("div quotient too big", __asm__ volatile("movq $1, %%rdx; xorl %%eax, %%eax; movl $1, %%ecx; divq %%rcx" ::: "rax", "rcx", "rdx"));
  TRY("int3", __asm__ volatile("int3"));
  TRY("int1", __asm__ volatile(".byte 0xf1"));
  TRY("hlt", __asm__ volatile("hlt"));
  TRY("cli", __asm__ volatile("cli"));
  TRY("in", __asm__ volatile("inb $0x80, %%al" ::: "al"));
  TRY("rdmsr", __asm__ volatile("xorl %%ecx, %%ecx; rdmsr" ::: "eax", "ecx", "edx"));
  TRY("mov cr0", __asm__ volatile("movq %%cr0, %%rax" ::: "rax"));
  TRY("wbinvd", __asm__ volatile("wbinvd"));
  TRY("movaps unaligned", __asm__ volatile("movaps 1(%0), %%xmm0" : : "r"((uintptr_t)&a & ~15UL) : "xmm0"));
  TRY("non-canonical read", __asm__ volatile("movq (%0), %%rax" : : "r"(0x800000000000UL) : "rax"));
  TRY("non-canonical stack", __asm__ volatile("movq %%rsp, %%rbx; movq %0, %%rsp; popq %%rax; movq %%rbx, %%rsp" : : "r"(0x800000000000UL) : "rax", "rbx"));
  TRY("jump to null", __asm__ volatile("xorl %%eax, %%eax; jmp *%%rax" ::: "rax"));
  TRY("jump to the last byte", __asm__ volatile("movq $-1, %%rax; jmp *%%rax" ::: "rax"));
  TRY("jump to the kernel", __asm__ volatile("movq $-4096, %%rax; jmp *%%rax" ::: "rax"));
  TRY("jump where none is", __asm__ volatile("movabsq $0x7fffffff7fffffff, %%rax; jmp *%%rax" ::: "rax"));
  TRY("sse exception", { unsigned m = 0x1f80 & ~0x200; __asm__ volatile("ldmxcsr %0; xorps %%xmm0, %%xmm0; movl $0x3f800000, %%eax; movd %%eax, %%xmm1; divss %%xmm0, %%xmm1" : : "m"(m) : "xmm0", "xmm1", "eax"); });
  unsigned normal = 0x1f80;
  __asm__ volatile("ldmxcsr %0" : : "m"(normal));
  TRY("x87 exception", { unsigned short c = 0x37b; __asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait; fstp %%st(0)" : : "m"(c)); });
  __asm__ volatile("fninit");
  TRY("int 0x81", __asm__ volatile("int $0x81"));
  TRY("trap flag", __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" ::: "memory"));
  return 0;
}
