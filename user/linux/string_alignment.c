// The C library's string functions at every alignment and length, up against an unmapped page.
#include "check.h"
#include <sys/mman.h>
#include <wchar.h>
static unsigned long sum;
int main(void) {
  char *end = (char *)mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 2 * PAGE;
  munmap(end, PAGE);
  char *two = (char *)mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 2 * PAGE;
  munmap(two, PAGE);
  for (int n = 1; n < 160; n++) { /* strings that end at the last byte before the hole */
    char *p = end - n, *q = two - n;
    for (int i = 0; i < n; i++) p[i] = q[i] = 'a' + (i * n) % 23;
    p[n - 1] = q[n - 1] = 0;
    sum = sum * 31 + strlen(p) + strcmp(p, q) + memcmp(p, q, n) + strnlen(p, 1000) + (strchr(p, 'c') ? strchr(p, 'c') - p : 0) + (strrchr(p, 'd') ? strrchr(p, 'd') - p : 0) + (memchr(p, 'k', n) ? (char *)memchr(p, 'k', n) - p : 0) + strspn(p, "abcdefgh") + strcspn(p, "xyz") + strncmp(p, q, n + 50) + (strstr(p, "ab") ? strstr(p, "ab") - p : 3) + ((char *)memchr(p, 0, n) - p) + strcasecmp(p, q);
    if (n > 3) { q[n / 2] ^= 1; int c = strcmp(p, q), d = memcmp(p, q, n); sum += (c > 0) * 5 + (d > 0) * 7; q[n / 2] ^= 1; }
    char *r = stpcpy(two - n, p); sum += two - r; memmove(end - n, end - n, n); memcpy(two - n, end - n, n); memset(two - n, n, n); strcpy(two - n, p); strncpy(two - n, p, n);
  }
  printf("edges %lx\n", sum);
  static char a[512], b[512], c[512];
  for (int x = 0; x < 33; x++) for (int y = 0; y < 33; y += 3) for (int n = 0; n < 200; n += n < 70 ? 1 : 13) {
    for (int i = 0; i < 300; i++) a[i] = i * 3 + x, b[i] = 0; memcpy(b + y, a + x, n); for (int i = 0; i < 300; i++) if (b[i] != (i >= y && i < y + n ? a[x + i - y] : 0)) { printf("memcpy %d %d %d\n", x, y, n); return 1; }
    if (n % 5 == 0) { memcpy(c, a, 300); memmove(c + y, c + x, n); for (int i = 0; i < n; i++) if (c[y + i] != a[x + i]) { printf("memmove %d %d %d\n", x, y, n); return 1; } memset(c + x, n, n); for (int i = 0; i < n; i++) if (c[x + i] != (char)n) return 1; sum = sum * 31 + (unsigned char)c[x + n]; }
  }
  printf("copies %lx\n", sum);
  for (size_t big = 1000; big < 3000000; big = big * 3 + 17) { char *p = malloc(big), *q = malloc(big); memset(p, 5, big); p[big - 1] = 6; memcpy(q, p, big); FACT(memcmp(p, q, big) == 0); FACT((char *)memchr(q, 6, big) == q + big - 1); memmove(q + 1, q, big - 1); FACT(q[big - 1] == 5); free(p); free(q); }
  wchar_t w[50]; wcscpy(w, L"wide string"); printf("%zu %d %ls\n", wcslen(w), wcscmp(w, L"wide strinh") < 0, wcschr(w, L's'));
  return 0;
}
