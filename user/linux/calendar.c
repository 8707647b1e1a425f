// Calendar arithmetic in UTC and with a POSIX time zone rule; strftime; mktime normalisation.
#include "check.h"
#include <time.h>
int main(void) {
  time_t list[] = {0, 951782399, 1234567890, 1583020800, 2147483647, 4102444799, -86401, 253402300799};
  char b[100];
  for (int i = 0; i < 8; i++) { struct tm t; gmtime_r(&list[i], &t); strftime(b, 100, "%Y-%m-%d %H:%M:%S %a %b %j %U %V %G", &t); printf("%s %d\n", b, timegm(&t) == list[i]); }
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1); tzset();
  time_t edges[] = {1711846799, 1711846800, 1729990799, 1729990800, 1700000000};
  for (int i = 0; i < 5; i++) { struct tm t; localtime_r(&edges[i], &t); strftime(b, 100, "%F %T %Z %z", &t); printf("%s %d %d\n", b, t.tm_isdst, mktime(&t) == edges[i]); }
  struct tm odd = {.tm_year = 124, .tm_mon = 14, .tm_mday = -3, .tm_hour = 49, .tm_min = 100, .tm_sec = -5, .tm_isdst = -1};
  time_t when = mktime(&odd); printf("%ld %d-%d-%d %d:%d:%d\n", (long)when, odd.tm_year, odd.tm_mon, odd.tm_mday, odd.tm_hour, odd.tm_min, odd.tm_sec);
  struct tm p = {0}; FACT(strptime("2023-07-04 12:34:56", "%Y-%m-%d %H:%M:%S", &p) != NULL); printf("%d %d %d %d\n", p.tm_year, p.tm_mon, p.tm_hour, p.tm_sec); printf("%s", asctime(&p));
  return 0;
}
