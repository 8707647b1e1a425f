// Process identity and small information calls: uname, sysinfo, getpid, gettid, prctl, getrandom, sched, getcpu.
#include "check.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
int main(void) {
  struct utsname u; SHOW(uname(&u)); printf("%s %s\n", u.sysname, u.machine);
  FACT(getpid() == syscall(SYS_gettid)); FACT(getpid() > 0);
  char name[16] = ""; SHOW(prctl(PR_SET_NAME, "a-name-that-is-too-long")); SHOW(prctl(PR_GET_NAME, name)); printf("%s\n", name);
  SHOW(prctl(PR_SET_PDEATHSIG, SIGTERM)); int s = 0; SHOW(prctl(PR_GET_PDEATHSIG, &s)); SHOW(s); SHOW(prctl(PR_GET_DUMPABLE)); SHOW(prctl(99999));
  unsigned char a[64] = {0}, b[64] = {0}; SHOW(getrandom(a, 64, 0)); SHOW(getrandom(b, 64, GRND_NONBLOCK)); FACT(memcmp(a, b, 64) != 0); SHOW(getrandom(a, 10, 0x100)); SHOW(getentropy(a, 64));
  struct sysinfo i; SHOW(sysinfo(&i)); FACT(i.totalram > 0 && i.freeram <= i.totalram); FACT(i.procs > 0);
  SHOW(sched_yield()); cpu_set_t set; FACT(sched_getaffinity(0, sizeof set, &set) >= 0 && CPU_COUNT(&set) >= 1); SHOW(sched_getscheduler(0)); SHOW(sched_get_priority_max(SCHED_FIFO)); SHOW(sched_get_priority_min(SCHED_OTHER));
  FACT(sysconf(_SC_NPROCESSORS_ONLN) >= 1); SHOW(sysconf(_SC_PAGESIZE)); SHOW(sysconf(_SC_CLK_TCK)); SHOW(getpagesize()); FACT(sysconf(_SC_OPEN_MAX) > 10);
  errno = 0; setpriority(PRIO_PROCESS, 0, 0); SHOW(getpriority(PRIO_PROCESS, 0)); SHOW(nice(3)); SHOW(getpriority(PRIO_PROCESS, 0));
  struct rusage r; SHOW(getrusage(RUSAGE_SELF, &r)); FACT(r.ru_maxrss > 10); SHOW(getrusage(RUSAGE_CHILDREN, &r)); SHOW(r.ru_minflt); SHOW(getrusage(7, &r));
  FACT(getuid() == geteuid() && getgid() == getegid()); char h[100]; SHOW(gethostname(h, 100)); SHOW(syscall(9999)); SHOW(syscall(SYS_getcpu, NULL, NULL, NULL));
  SHOW(getpgid(0) >= 0); SHOW(syscall(SYS_membarrier, 0, 0, 0) >= 0); SHOW(isatty(0)); SHOW(isatty(99));
  return 0;
}
