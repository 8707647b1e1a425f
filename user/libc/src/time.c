/* Clocks, sleeping and timers. */
#include "gate.h"
#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

time_t time(time_t *result) { return CALL1(SYS_time, result); }
int gettimeofday(struct timeval *now, void *zone) { return (int)CALL2(SYS_gettimeofday, now, zone); }
int nanosleep(const struct timespec *wanted, struct timespec *remaining) { return (int)CALL2(SYS_nanosleep, wanted, remaining); }
int clock_gettime(clockid_t clock, struct timespec *now) { return (int)CALL2(SYS_clock_gettime, clock, now); }
int clock_settime(clockid_t clock, const struct timespec *now) { return (int)CALL2(SYS_clock_settime, clock, now); }
int clock_getres(clockid_t clock, struct timespec *resolution) { return (int)CALL2(SYS_clock_getres, clock, resolution); }
int setitimer(int which, const struct itimerval *value, struct itimerval *old) { return (int)CALL3(SYS_setitimer, which, value, old); }
int getitimer(int which, struct itimerval *value) { return (int)CALL2(SYS_getitimer, which, value); }
unsigned alarm(unsigned seconds) { return (unsigned)CALL1(SYS_alarm, seconds); }
double difftime(time_t end, time_t start) { return (double)(end - start); }

clock_t clock(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) return -1;
  return now.tv_sec * CLOCKS_PER_SEC + now.tv_nsec / 1000;
}

int usleep(useconds_t microseconds) {
  struct timespec wanted = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
  return nanosleep(&wanted, NULL);
}

unsigned sleep(unsigned seconds) {
  struct timespec wanted = {seconds, 0}, remaining = {0, 0};
  return nanosleep(&wanted, &remaining) == 0 ? 0 : (unsigned)(remaining.tv_sec + (remaining.tv_nsec > 0));
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that the leap day is last. */
static long days_from_civil(long year, int month, int day) {
  year -= month <= 2;
  long era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  long of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

time_t timegm(struct tm *fields) {
  long days = days_from_civil(fields->tm_year + 1900L, fields->tm_mon + 1, fields->tm_mday);
  return ((days * 24 + fields->tm_hour) * 60 + fields->tm_min) * 60 + fields->tm_sec;
}

struct tm *gmtime_r(const time_t *when, struct tm *result) {
  long days = *when / 86400, second = *when % 86400;
  if (second < 0) second += 86400, days--;
  long year = 1970 + days / 366;
  while (days_from_civil(year + 1, 1, 1) <= days) year++;
  while (days_from_civil(year, 1, 1) > days) year--;
  int month = 1;
  while (month < 12 && days_from_civil(year, month + 1, 1) <= days) month++;
  *result = (struct tm){.tm_sec = (int)(second % 60), .tm_min = (int)(second / 60 % 60), .tm_hour = (int)(second / 3600),
                        .tm_mday = (int)(days - days_from_civil(year, month, 1)) + 1, .tm_mon = month - 1,
                        .tm_year = (int)(year - 1900), .tm_wday = (int)(((days + 4) % 7 + 7) % 7),
                        .tm_yday = (int)(days - days_from_civil(year, 1, 1))};
  return result;
}

struct tm *gmtime(const time_t *when) {
  static struct tm result;
  return gmtime_r(when, &result);
}
