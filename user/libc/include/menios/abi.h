/* The meniOS system call numbers. rax holds the number; rdi rsi rdx r10 r8 r9 hold the arguments; rax returns the
 * result, or a negative errno. Every other register is preserved. Structures, flags, signal numbers and errno values
 * are those of Linux on x86-64, so one kernel handler can serve both gates. */
#ifndef _MENIOS_ABI_H
#define _MENIOS_ABI_H

#define SYS_read 0
#define SYS_write 1
#define SYS_open 2
#define SYS_close 3
#define SYS_lseek 8
#define SYS_mmap 9
#define SYS_munmap 11
#define SYS_pipe 22
#define SYS_yield 24
#define SYS_dup 32
#define SYS_dup2 33
#define SYS_sleep 35 /* microseconds */
#define SYS_fork 57
#define SYS_execve 59
#define SYS_exit 60
#define SYS_waitpid 61
#define SYS_listdir 62    /* path, buffer, size: newline-separated names; a null buffer asks for the size */
#define SYS_stdin_poll 63 /* the next byte of standard input, or EAGAIN */
#define SYS_proc_kill 64  /* pid, status */
#define SYS_proc_list 65  /* buffer, size: text with the header "PID STATE NAME" */
#define SYS_kill 66
#define SYS_sigaction 67
#define SYS_sigprocmask 68
#define SYS_fcntl 72
#define SYS_ioctl 73
#define SYS_shmget 74
#define SYS_shmat 75
#define SYS_shmdt 76
#define SYS_shmctl 77
#define SYS_chdir 78
#define SYS_getcwd 79
#define SYS_getpagesize 80
#define SYS_time 81
#define SYS_gettimeofday 82
#define SYS_nanosleep 83
#define SYS_clock_gettime 84
#define SYS_clock_settime 85
#define SYS_clock_getres 86
#define SYS_setitimer 87
#define SYS_getitimer 88
#define SYS_alarm 89
#define SYS_sigreturn 90

/* Limits of this gate; the Linux gate has Linux's. */
#define MENIOS_PATH_MAX 256       /* bytes with the terminating zero: ENAMETOOLONG */
#define MENIOS_EXEC_ARGUMENTS 64  /* E2BIG */
#define MENIOS_EXEC_VARIABLES 64  /* E2BIG */
#define MENIOS_EXEC_BYTES 4096    /* all strings together: E2BIG */

#endif
