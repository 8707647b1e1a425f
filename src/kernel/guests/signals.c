/* Handlers: siginfo, ucontext, masks, nesting, flags, alternate stacks, faults that a handler repairs. */
#include "guest.h"

static volatile int seen[65], order[16], count;
static void note(int signal, info_t *info, context_t *context) {
  seen[signal]++;
  if (count < 16) order[count++] = signal;
}

static void describe(int signal, info_t *info, context_t *context) {
  say("signal %d code %d from me %d cs %x ss %x mask %x flags %x\n", (long)signal, (long)info->code, (long)(info->pid == self()), (long)context->cs,
      (long)context->ss, context->mask, context->flags & ~1ul);
}

/* Faults: skip the instruction by changing rip, or repair a register. */
static void skip(int signal, info_t *info, context_t *context) {
  say("fault %d code %d address %x trap %d error %x cr2 %x\n", (long)signal, (long)info->code, (long)info->address, (long)context->trapno, (long)context->err,
      (long)(context->trapno == 14 ? context->cr2 : 0));
  context->rip = context->rbx;
}
#define FAULT(instruction, ...)                                                                                                                                \
  __asm__ volatile("lea 1f(%%rip), %%rbx\n " instruction "\n1:" : : __VA_ARGS__ : "rax", "rbx", "rcx", "rdx", "memory")

static volatile char *stack_seen;
static char alternate[16384] __attribute__((aligned(16)));
static void on_stack(int signal, info_t *info, context_t *context) {
  char here;
  stack_seen = &here;
  struct { void *sp; int flags; size_t size; } now;
  CALL(sigaltstack, 0, &now);
  say("on alternate %d flags %d aligned %d\n", (long)(&here >= alternate && &here < alternate + sizeof alternate), (long)now.flags,
      (long)(((unsigned long)__builtin_frame_address(0)) % 16));
}

static void reenter(int signal, info_t *info, context_t *context) {
  note(signal, info, context);
  if (seen[signal] < 3) CALL(kill, self(), signal);
  say("level %d\n", (long)seen[signal]);
}

static double computed;
static void spoil(int signal, info_t *info, context_t *context) {
  volatile double x = 1.5;
  for (int i = 0; i < 10; i++) x = x * 1.25 + i;
  computed = x;
  __asm__ volatile("pxor %%xmm15, %%xmm15" ::: "xmm15");
}

long guest(int argc, char **argv, char **envp) {
  act(USR1, describe, SIGINFO, BIT(USR2));
  CALL(kill, self(), USR1);
  CALL(tkill, tid_(), USR1);

  act(SEGV, skip, SIGINFO, 0);
  act(FPE, skip, SIGINFO, 0);
  act(ILL, skip, SIGINFO, 0);
  act(TRAP, skip, SIGINFO, 0);
  act(BUS, skip, SIGINFO, 0);
  FAULT("movl $1, 0x1234");
  FAULT("movl (%0), %%eax", "r"(0x10000ul));
  FAULT("movl %%eax, (%0)", "r"(0xffff800000001000ul));
  FAULT("movl %%eax, (%0)", "r"(0x1234567812345678ul));
  FAULT("xor %%ecx, %%ecx; mov $5, %%eax; cltd; idiv %%ecx", "i"(0));
  FAULT("hlt", "i"(0));
  FAULT("int $0x21", "i"(0));

  for (int i = 0; i < 65; i++) seen[i] = 0;
  act(USR1, note, SIGINFO, BIT(USR2));
  act(USR2, note, SIGINFO, 0);
  block(0, BIT(USR1) | BIT(USR2) | BIT(RT));
  act(RT, note, SIGINFO, 0);
  for (int i = 0; i < 3; i++) {
    CALL(kill, self(), USR2);
    CALL(kill, self(), USR1);
    CALL(kill, self(), RT);
  }
  say("pending %x\n", pending());
  block(1, ~0ul);
  say("usr1 %d usr2 %d rt %d pending %x\n", (long)seen[USR1], (long)seen[USR2], (long)seen[RT], pending());
  for (int i = 0; i < count; i++) say("%d ", (long)order[i]);
  say("\n");

  struct { void *sp; int flags; size_t size; } stack = {alternate, 0, sizeof alternate}, old;
  say("sigaltstack %d\n", CALL(sigaltstack, &stack, &old));
  say("was disabled %d\n", (long)(old.flags == 2));
  act(USR1, on_stack, SIGINFO | ONSTACK, 0);
  CALL(kill, self(), USR1);
  stack.size = 100;
  say("too small %d\n", CALL(sigaltstack, &stack, 0));

  for (int i = 0; i < 65; i++) seen[i] = 0;
  act(USR1, reenter, SIGINFO | NODEFER, 0);
  CALL(kill, self(), USR1);
  for (int i = 0; i < 65; i++) seen[i] = 0;
  act(USR1, reenter, SIGINFO, 0);
  CALL(kill, self(), USR1);

  act(USR2, note, SIGINFO | RESETHAND, 0);
  CALL(kill, self(), USR2);
  struct action now;
  CALL(rt_sigaction, USR2, 0, &now, 8);
  say("reset to default %d\n", (long)(now.handler == 0));

  act(USR1, spoil, SIGINFO, 0);
  double kept = 3.25, product;
  unsigned long flags;
  __asm__ volatile("movsd %2, %%xmm15\n stc\n mov %3, %%edi\n mov %4, %%esi\n mov $62, %%eax\n syscall\n pushfq\n pop %1\n movsd %%xmm15, %0"
                   : "=m"(product), "=r"(flags) : "m"(kept), "r"((int)self()), "i"(USR1) : "rax", "rcx", "rdi", "rsi", "r11", "xmm15", "memory");
  say("xmm kept %d carry kept %d handler computed %d\n", (long)(product == kept), (long)(flags & 1), (long)(computed > 0));
  say("bad signal %d %d %d\n", act(65, note, 0, 0), act(KILL, note, 0, 0), CALL(kill, self(), 70));
  say("bad size %d\n", CALL(rt_sigaction, USR1, 0, &now, 16));
  /* SIGSEGV while blocked kills. */
  long child = fork_();
  int status = 0;
  if (child == 0) {
    block(0, BIT(SEGV));
    *(volatile int *)8 = 1;
    leave(1);
  }
  wait_(child, &status, 0);
  say("blocked fault: status %x\n", (long)(status & 0x7f));
  child = fork_();
  if (child == 0) {
    act(SEGV, (handler_t)1, 0, 0);
    *(volatile int *)8 = 1;
    leave(1);
  }
  wait_(child, &status, 0);
  say("ignored fault: status %x\n", (long)(status & 0x7f));
  return 0;
}
