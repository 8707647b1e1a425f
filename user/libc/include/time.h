#ifndef _TIME_H
#define _TIME_H
#include <sys/types.h>
struct timespec {
  time_t tv_sec;
  long tv_nsec;
};
struct tm {
  int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
};
#define CLOCKS_PER_SEC 1000000L
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
time_t time(time_t *result);
clock_t clock(void);
int nanosleep(const struct timespec *wanted, struct timespec *remaining);
int clock_gettime(clockid_t clock, struct timespec *now);
int clock_settime(clockid_t clock, const struct timespec *now);
int clock_getres(clockid_t clock, struct timespec *resolution);
double difftime(time_t end, time_t start);
/* UTC only: meniOS has no time zone. */
struct tm *gmtime_r(const time_t *when, struct tm *result);
struct tm *gmtime(const time_t *when);
time_t timegm(struct tm *fields);
#endif
