#ifndef _UNISTD_H
#define _UNISTD_H
#include <sys/types.h>
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif
#define _SC_PAGESIZE 30
#define _SC_PAGE_SIZE 30
#define _SC_NPROCESSORS_ONLN 84
#define _SC_PHYS_PAGES 85
extern char **environ;
ssize_t read(int fd, void *buffer, size_t count);
ssize_t write(int fd, const void *buffer, size_t count);
int close(int fd);
off_t lseek(int fd, off_t offset, int whence);
int pipe(int ends[2]);
int dup(int fd);
int dup2(int fd, int target);
int isatty(int fd);
int chdir(const char *path);
char *getcwd(char *buffer, size_t size);
pid_t fork(void);
int execve(const char *path, char *const argv[], char *const envp[]);
int execv(const char *path, char *const argv[]);
int execvp(const char *name, char *const argv[]);
void _exit(int status) __attribute__((noreturn));
/* The gate has no number for getpid: the pid is the first field of /proc/self/stat. */
pid_t getpid(void);
pid_t getppid(void);
int getpagesize(void);
long sysconf(int name);
unsigned sleep(unsigned seconds);
int usleep(useconds_t microseconds);
unsigned alarm(unsigned seconds);
int brk(void *end);
void *sbrk(intptr_t increment);
#endif
