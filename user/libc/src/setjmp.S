/* setjmp and longjmp: the callee-saved registers of the System V ABI, the stack pointer as it is after the return,
 * and the return address. jmp_buf: rbx rbp r12 r13 r14 r15 rsp rip. */
        .text
        .globl  setjmp
        .type   setjmp, @function
setjmp:
        movq    %rbx, (%rdi)
        movq    %rbp, 8(%rdi)
        movq    %r12, 16(%rdi)
        movq    %r13, 24(%rdi)
        movq    %r14, 32(%rdi)
        movq    %r15, 40(%rdi)
        leaq    8(%rsp), %rdx
        movq    %rdx, 48(%rdi)
        movq    (%rsp), %rdx
        movq    %rdx, 56(%rdi)
        xorl    %eax, %eax
        ret
        .size   setjmp, . - setjmp

        .globl  longjmp
        .type   longjmp, @function
longjmp:
        movl    %esi, %eax
        testl   %eax, %eax
        jnz     1f
        incl    %eax            /* C17 7.13.2.1: a value of 0 is returned as 1 */
1:      movq    (%rdi), %rbx
        movq    8(%rdi), %rbp
        movq    16(%rdi), %r12
        movq    24(%rdi), %r13
        movq    32(%rdi), %r14
        movq    40(%rdi), %r15
        movq    48(%rdi), %rsp
        jmpq    *56(%rdi)
        .size   longjmp, . - longjmp
        .section .note.GNU-stack,"",@progbits
