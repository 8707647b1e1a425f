/* Where a signal handler returns to: the kernel put this address below the frame it restores. */
#include <menios/abi.h>
        .text
        .globl  __sigreturn
        .type   __sigreturn, @function
__sigreturn:
#if defined MENIOS_GATE_LINUX
        movl    $15, %eax
        syscall
#elif defined MENIOS_GATE_SYSCALL
        movl    $SYS_sigreturn, %eax
        syscall
#else
        movl    $SYS_sigreturn, %eax
        int     $0x80
#endif
        hlt
        .size   __sigreturn, . - __sigreturn
        .section .note.GNU-stack,"",@progbits
