#ifndef _SETJMP_H
#define _SETJMP_H
/* rbx rbp r12 r13 r14 r15 rsp rip, then the mask flag and the mask of sigsetjmp. */
typedef unsigned long jmp_buf[8];
typedef struct {
  unsigned long registers[8];
  int saved;
  unsigned long mask;
} sigjmp_buf[1];
int setjmp(jmp_buf environment) __attribute__((returns_twice));
void longjmp(jmp_buf environment, int value) __attribute__((noreturn));
int __sigsetjmp_mask(sigjmp_buf environment, int save);
#define sigsetjmp(environment, save) (__sigsetjmp_mask(environment, save), setjmp((environment)->registers))
void siglongjmp(sigjmp_buf environment, int value) __attribute__((noreturn));
#endif
