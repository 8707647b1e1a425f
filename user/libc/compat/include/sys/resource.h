/* Resource usage: the gate has no such call, so getrusage is answered from /proc/self/stat in compat/pthread.c. */
#ifndef _SYS_RESOURCE_H
#define _SYS_RESOURCE_H
#include <sys/time.h>
#define RUSAGE_SELF 0
struct rusage {
  struct timeval ru_utime, ru_stime;
  long ru_maxrss, ru_minflt, ru_majflt;
};
int getrusage(int who, struct rusage *usage);
#endif
