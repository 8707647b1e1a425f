/* Process entry. rsp points at argc, argv[], 0, envp[], 0 and the auxiliary vector, 16-byte aligned, as on Linux
 * (System V ABI, figure 3.9). The frame pointer is cleared to end every backtrace here. */
        .text
        .globl  _start
        .type   _start, @function
_start:
        xorl    %ebp, %ebp
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    __start
        hlt
        .size   _start, . - _start
        .section .note.GNU-stack,"",@progbits
