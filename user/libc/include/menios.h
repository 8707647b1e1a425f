/* Calls that only meniOS has. */
#ifndef _MENIOS_H
#define _MENIOS_H
#include <stddef.h>
#include <sys/types.h>

/* Writes the newline-separated names of a directory; returns the bytes needed. A null buffer only asks for the size. */
ssize_t listdir(const char *path, char *buffer, size_t size);
/* The next byte of standard input, or -1 with EAGAIN when none is waiting. */
int stdin_poll(void);
/* Ends a process with the given exit status. */
int proc_kill(pid_t pid, int status);
/* A table of the processes, one a line after the header "PID STATE NAME"; returns the bytes needed. */
ssize_t proc_list(char *buffer, size_t size);
/* Gives up the rest of the time slice. */
int yield(void);
/* Sleeps for microseconds. */
int sleep_us(unsigned long microseconds);

#endif
