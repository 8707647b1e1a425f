// setjmp and longjmp, sigsetjmp, varargs of every kind, switch tables, deep recursion, function pointers, nested callbacks.
#include "check.h"
#include <setjmp.h>
#include <stdarg.h>
static jmp_buf one; static sigjmp_buf two; static volatile int trail;
static double mix(int n, ...) { va_list a, c; va_start(a, n); va_copy(c, a); double s = 0; for (int i = 0; i < n; i++) switch (i % 5) { case 0: s += va_arg(a, int); break; case 1: s += va_arg(a, double); break; case 2: s += va_arg(a, long); break; case 3: s += (double)va_arg(a, long double); break; case 4: s += strlen(va_arg(a, char *)); } s += va_arg(c, int) * 1000; va_end(a); va_end(c); return s; }
struct big { long a[5]; }; struct pair { double x; long y; }; struct floats { float a, b, c; };
static struct big make(int n, struct big b, struct pair p, struct floats f) { b.a[n] += p.y + (long)p.x + (long)(f.a + f.b + f.c); return b; }
static struct pair swap(struct pair p) { return (struct pair){p.y, (long)p.x}; }
static void deep(int n) { if (n == 0) longjmp(one, 7); trail++; deep(n - 1); }
static int ack(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ack(m - 1, 1) : ack(m - 1, ack(m, n - 1)); }
static int dense(int x) { switch (x) { case 0: return 5; case 1: return 9; case 2: return -1; case 3: return 44; case 4: return x * 3; case 5: return 2; case 6: return 8; case 7: return 1; default: return 0; } }
static int sparse(long x) { switch (x) { case 1: return 1; case 1000: return 2; case -5: return 3; case 1L << 40: return 4; case 77: return 5; default: return 0; } }
static void onsig(int s) { siglongjmp(two, s); }
static int add(int a, int b) { return a + b; } static int sub(int a, int b) { return a - b; } static int mul(int a, int b) { return a * b; }
int main(void) {
  volatile int local = 1; int r = setjmp(one); if (r == 0) { local = 2; deep(100); } printf("%d %d %d\n", r, local, (int)trail); if (setjmp(one) == 0) longjmp(one, 0); else printf("zero becomes one\n");
  printf("%g %g\n", mix(5, 1, 2.5, 3L, 4.25L, "five"), mix(12, 1, 2.5, 3L, 4.25L, "five", 6, 7.5, 8L, 9.25L, "ten!", 11, 12.5));
  struct big b = make(2, (struct big){{1, 2, 3, 4, 5}}, (struct pair){2.5, 10}, (struct floats){1, 2, 3}); printf("%ld %ld\n", b.a[2], b.a[4]); struct pair p = swap((struct pair){7.9, 3}); printf("%g %ld\n", p.x, p.y);
  printf("%d\n", ack(2, 300)); int s = 0; for (int i = -2; i < 10; i++) s = s * 7 + dense(i); printf("%d %d%d%d%d%d%d\n", s, sparse(1), sparse(1000), sparse(-5), sparse(1L << 40), sparse(77), sparse(2));
  signal(SIGUSR1, onsig); for (int i = 0; i < 3; i++) if ((r = sigsetjmp(two, 1)) == 0) raise(SIGUSR1); else printf("signal %d\n", r == SIGUSR1); int (*f[])(int, int) = {add, sub, mul}; for (int i = 0; i < 9; i++) s = f[i % 3](s, i); printf("%d\n", s);
  void *labels[] = {&&a, &&c, &&d, &&end}; int i = 0; goto *labels[i]; a: printf("a"); goto *labels[++i]; c: printf("c"); goto *labels[++i]; d: printf("d"); goto *labels[++i]; end: printf("\n");
  unsigned __int128 w = 1; for (int k = 1; k < 34; k++) w *= k; unsigned __int128 q = w / 1000000007u, m = w % 1000000007u; printf("%lx %lx %lu %lx\n", (long)(w >> 64), (long)w, (long)m, (long)(q >> 3)); char *block = __builtin_alloca(100000); memset(block, 1, 100000); printf("%d\n", block[99999]);
  return 0;
}
