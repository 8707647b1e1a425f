/* Runs a script of memory operations on the host kernel and prints what each one did: the oracle of host-kernel.test.ts.
 *
 * No libc, so that nothing but the script maps, unmaps or breaks. The script arrives on standard input, one operation a
 * line: a letter and hexadecimal arguments. Each prints one line: its result, or for a touch the signal and code.
 *   m addr len prot flags   mmap        u addr len            munmap      p addr len prot    mprotect
 *   r addr old new fl naddr mremap      b addr                brk         a addr len advice  madvise
 *   w addr value            store       l addr                load        c addr len         mincore
 *   k addr len              mlock       n addr len            munlock     f                  fork, the child goes on
 *   M                       the lines of /proc/self/maps
 * Build: gcc -static -nostdlib -no-pie -O1 -fno-stack-protector -fcf-protection=none -mno-red-zone */
typedef unsigned long u64;
typedef long s64;

static s64 call(s64 n, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  s64 result;
  register u64 r10 __asm__("r10") = d;
  register u64 r8 __asm__("r8") = e;
  register u64 r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}

static char script[6 << 20];
static char output[1 << 16];
static u64 used;
static char maps[1 << 17];
static unsigned char residency[4096];

static void flush(void) {
  u64 done = 0;
  while (done < used) done += call(1, 1, (u64)output + done, used - done, 0, 0, 0);
  used = 0;
}
static void put(char c) {
  if (used == sizeof output) flush();
  output[used++] = c;
}
static void hex(s64 value) {
  char digits[20];
  int n = 0;
  u64 v = value;
  if (value < 0) { put('-'); v = -value; }
  do digits[n++] = "0123456789abcdef"[v & 15]; while (v >>= 4);
  while (n) put(digits[--n]);
}

/* A touch is one instruction; the handler notes the signal and goes on behind it. */
static volatile int signal_number, signal_code;
struct context { u64 flags, link, stack[3], gregs[23]; };
static void handler(int number, int *info, struct context *context) {
  signal_number = number;
  signal_code = info[2];
  context->gregs[16] = context->gregs[11]; /* rip = rbx: where the touch said to go on */
}
__attribute__((naked)) static void restorer(void) { __asm__("mov $15,%eax\n syscall"); }
struct action { void *handler; u64 flags; void *restorer; u64 mask; };

static s64 load(u64 address) {
  u64 value;
  register u64 after __asm__("rbx");
  __asm__ volatile("lea 1f(%%rip),%%rbx\n movzbq (%2),%0\n 1:" : "=&r"(value), "=&r"(after) : "r"(address) : "memory");
  return value;
}
static void store(u64 address, u64 value) {
  register u64 after __asm__("rbx");
  __asm__ volatile("lea 1f(%%rip),%%rbx\n movb %b2,(%1)\n 1:" : "=&r"(after) : "r"(address), "q"(value) : "memory");
}

static char *at;
static u64 number(void) {
  u64 v = 0;
  while (*at == ' ') at++;
  for (;; at++) {
    if (*at >= '0' && *at <= '9') v = v * 16 + *at - '0';
    else if (*at >= 'a' && *at <= 'f') v = v * 16 + *at - 'a' + 10;
    else return v;
  }
}

static void print_maps(void) {
  s64 fd = call(2, (u64)"/proc/self/maps", 0, 0, 0, 0, 0), n, length = 0;
  while ((n = call(0, fd, (u64)maps + length, sizeof maps - length, 0, 0, 0)) > 0) length += n;
  call(3, fd, 0, 0, 0, 0, 0);
  for (s64 i = 0; i < length; i++) put(maps[i]);
  put('.');
  put('\n');
}

void start(void) {
  struct action action = {handler, 0x4000000 | 4 | 0x40000000, restorer, 0};
  call(13, 11, (u64)&action, 0, 8, 0, 0);
  call(13, 7, (u64)&action, 0, 8, 0, 0);
  s64 n, length = 0;
  while ((n = call(0, 0, (u64)script + length, sizeof script - 1 - length, 0, 0, 0)) > 0) length += n;
  script[length] = 0;
  at = script;
  /* Everything this program touches is resident before the first line. */
  for (u64 i = 0; i < sizeof maps; i += 4096) ((volatile char *)maps)[i] = 0;
  hex(call(12, 0, 0, 0, 0, 0, 0));
  put('\n');
  while (*at) {
    char op = *at++;
    s64 result = 0;
    u64 a = 0, b = 0, c = 0, d = 0, e = 0;
    signal_number = 0;
    switch (op) {
      case 'm': a = number(); b = number(); c = number(); d = number(); result = call(9, a, b, c, d, -1, 0); break;
      case 'u': a = number(); b = number(); result = call(11, a, b, 0, 0, 0, 0); break;
      case 'p': a = number(); b = number(); c = number(); result = call(10, a, b, c, 0, 0, 0); break;
      case 'r': a = number(); b = number(); c = number(); d = number(); e = number(); result = call(25, a, b, c, d, e, 0); break;
      case 'b': a = number(); result = call(12, a, 0, 0, 0, 0, 0); break;
      case 'a': a = number(); b = number(); c = number(); result = call(28, a, b, c, 0, 0, 0); break;
      case 'w': a = number(); b = number(); store(a, b); break;
      case 'l': a = number(); result = load(a); if (signal_number) result = 0; break;
      case 'c':
        a = number(); b = number();
        result = call(27, a, b, (u64)residency, 0, 0, 0);
        if (result == 0) for (u64 i = 0; i < (b + 4095) / 4096; i++) put('0' + (residency[i] & 1));
        break;
      case 'k': a = number(); b = number(); result = call(149, a, b, 0, 0, 0, 0); break;
      case 'n': a = number(); b = number(); result = call(150, a, b, 0, 0, 0, 0); break;
      case 'f':
        flush();
        result = call(57, 0, 0, 0, 0, 0, 0);
        if (result > 0) {
          call(61, result, 0, 0, 0, 0, 0);
          call(231, 0, 0, 0, 0, 0, 0);
        }
        break;
      case 'M': print_maps(); break;
    }
    hex(result);
    if (signal_number) { put(' '); put('s'); hex(signal_number); put(' '); hex(signal_code); }
    put('\n');
    while (*at && *at != '\n') at++;
    if (*at) at++;
  }
  flush();
  call(231, 0, 0, 0, 0, 0, 0);
}
__asm__(".globl _start\n_start: and $-16,%rsp\n call start\n");
