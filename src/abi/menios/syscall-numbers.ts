/** System call numbers of meniOS, spoken through `int 0x80`, and through `syscall` by newer binaries (`--abi menios`).
 *  Arguments and results travel as on Linux x86-64. Import-free leaf. */

export const MENIOS_SYSCALLS = {
  read: 0, write: 1, open: 2, close: 3, lseek: 8, mmap: 9, munmap: 11, pipe: 22, yield: 24, dup: 32, dup2: 33, sleep: 35, fork: 57,
  execve: 59, exit: 60, waitpid: 61, listdir: 62, stdin_poll: 63, proc_kill: 64, proc_list: 65, kill: 66, sigaction: 67,
  sigprocmask: 68, fcntl: 72, ioctl: 73, shmget: 74, shmat: 75, shmdt: 76, shmctl: 77, chdir: 78, getcwd: 79, getpagesize: 80,
  time: 81, gettimeofday: 82, nanosleep: 83, clock_gettime: 84, clock_settime: 85, clock_getres: 86, setitimer: 87, getitimer: 88,
  alarm: 89, sigreturn: 90,
} as const;
export type MeniosSyscallName = keyof typeof MENIOS_SYSCALLS;
