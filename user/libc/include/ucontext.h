#ifndef _UCONTEXT_H
#define _UCONTEXT_H
#include <signal.h>
enum {
  REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RDI, REG_RSI, REG_RBP, REG_RBX,
  REG_RDX, REG_RAX, REG_RCX, REG_RSP, REG_RIP, REG_EFL, REG_CSGSFS, REG_ERR, REG_TRAPNO, REG_OLDMASK, REG_CR2
};
typedef struct {
  long gregs[23];
  void *fpregs;
  unsigned long __reserved[8];
} mcontext_t;
typedef struct {
  void *ss_sp;
  int ss_flags;
  size_t ss_size;
} stack_t;
/* What a SA_SIGINFO handler's third argument points at. */
typedef struct ucontext {
  unsigned long uc_flags;
  struct ucontext *uc_link;
  stack_t uc_stack;
  mcontext_t uc_mcontext;
  sigset_t uc_sigmask;
} ucontext_t;
#endif
