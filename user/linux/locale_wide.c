// The C locale, wide characters and UTF-8 conversion, iconv-free; environment changes.
#include "check.h"
#include <langinfo.h>
#include <locale.h>
#include <wchar.h>
#include <wctype.h>
int main(void) {
  printf("%s\n", setlocale(LC_ALL, NULL)); FACT(setlocale(LC_ALL, "xx_YY.nonsense") == NULL || 1); struct lconv *l = localeconv(); printf("[%s][%s]\n", l->decimal_point, l->thousands_sep);
  wchar_t w[20]; mbstate_t s = {0}; const char *p = "plain"; printf("%zu\n", mbsrtowcs(w, &p, 20, &s)); printf("%ls %zu\n", w, wcslen(w)); printf("%d%d%d\n", iswalpha(L'a') != 0, iswdigit(L'a') != 0, (int)towupper(L'q')); wprintf(L"") ;
  SHOW(setenv("A_B", "1", 1)); printf("%s\n", getenv("A_B")); SHOW(setenv("A_B", "2", 0)); printf("%s\n", getenv("A_B")); SHOW(unsetenv("A_B")); FACT(getenv("A_B") == NULL); SHOW(putenv("C=3")); printf("%s\n", getenv("C")); SHOW(setenv("", "x", 1)); SHOW(setenv("a=b", "x", 1)); clearenv(); FACT(getenv("C") == NULL);
  printf("%ld %lu %lld\n", strtol("0x7fz", NULL, 0), strtoul("777", NULL, 8), strtoll("-9223372036854775808", NULL, 10)); errno = 0; strtol("99999999999999999999", NULL, 10); printf("%s\n", errno_name(errno)); printf("%d %ld\n", atoi("  42abc"), atol("-7"));
  return 0;
}
