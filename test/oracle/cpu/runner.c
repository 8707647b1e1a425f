/* The processor's half of the CPU oracle: runs single instructions in given states and reports what became of them.
 *
 * Freestanding (no libc, no TLS), because the cases own FS, GS, every register and most low addresses:
 *   0x10000000  2 pages  code, all int3 but for the instruction under test and a jump to the way out after it
 *   0x20000000  5 pages  P0 P1 read-write, P2 unmapped, P3 read-only, P4 read-write
 *   0x30000000           this program
 * Protocol on stdin/stdout, see native.ts: 4 pages of initial memory; then batches of a count and that many cases.
 * A case ends by falling through to the way out or by a signal; the handler leaves without sigreturn. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define CODE 0x10000000ul
#define MEMORY 0x20000000ul
#define PAGE 4096ul

struct input {
  u64 gpr[16];
  u64 rflags;
  u32 code_offset, code_length;
  u8 code[16];
  u32 patch_offset, patch_length;
  u64 pad;
  u8 patch[64];
  u8 pad2[16];
  u8 fx[512];
} __attribute__((aligned(16)));

struct output {
  u64 gpr[16];
  u64 rflags;
  u64 rip;
  u32 signal, trap, error, code;
  u64 cr2;
  u64 pad[3];
  u8 fx[512];
  u8 w0[1024], w1[64], w2[64];
} __attribute__((aligned(16)));

struct output out;
u64 host_rsp;
u64 way_out;
static u8 initial[4 * PAGE];
static struct input cases[256];
static struct output results[256];
static u8 alternate_stack[65536] __attribute__((aligned(16)));

static long call3(long n, long a, long b, long c) {
  long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return r;
}
static long call6(long n, long a, long b, long c, long d, long e, long f) {
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return r;
}
static void die(int status) {
  for (;;) call3(60, status, 0, 0);
}
void *memcpy(void *to, const void *from, u64 n) {
  void *r = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return r;
}
void *memset(void *to, int value, u64 n) {
  void *r = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return r;
}
static int read_all(void *to, u64 n) {
  for (u8 *p = to; n > 0;) {
    long got = call3(0, 0, (long)p, n);
    if (got <= 0) return 0;
    p += got;
    n -= got;
  }
  return 1;
}
static void write_all(const void *from, u64 n) {
  for (const u8 *p = from; n > 0;) {
    long put = call3(1, 1, (long)p, n);
    if (put <= 0) die(3);
    p += put;
    n -= put;
  }
}

void run_case(struct input *in);
void leave_case(void);
void restore_signal(void);
__asm__(
  ".text\n"
  ".globl run_case\n"
  "run_case:\n"
  "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
  "  mov %rsp, host_rsp\n"
  "  fxrstor64 256(%rdi)\n"
  "  pushq 128(%rdi)\n"
  "  popfq\n"
  "  mov 0(%rdi), %rax\n  mov 8(%rdi), %rcx\n  mov 16(%rdi), %rdx\n  mov 24(%rdi), %rbx\n"
  "  mov 32(%rdi), %rsp\n  mov 40(%rdi), %rbp\n  mov 48(%rdi), %rsi\n"
  "  mov 64(%rdi), %r8\n  mov 72(%rdi), %r9\n  mov 80(%rdi), %r10\n  mov 88(%rdi), %r11\n"
  "  mov 96(%rdi), %r12\n  mov 104(%rdi), %r13\n  mov 112(%rdi), %r14\n  mov 120(%rdi), %r15\n"
  "  mov 56(%rdi), %rdi\n"
  "  jmp *entry\n"
  "case_end:\n"
  "  mov %rax, out+0\n  mov %rcx, out+8\n  mov %rdx, out+16\n  mov %rbx, out+24\n"
  "  mov %rsp, out+32\n  mov %rbp, out+40\n  mov %rsi, out+48\n  mov %rdi, out+56\n"
  "  mov %r8, out+64\n  mov %r9, out+72\n  mov %r10, out+80\n  mov %r11, out+88\n"
  "  mov %r12, out+96\n  mov %r13, out+104\n  mov %r14, out+112\n  mov %r15, out+120\n"
  "  mov host_rsp, %rsp\n"
  "  pushfq\n"
  "  popq out+128\n"
  "  fxsave64 out+192\n"
  "leave_case:\n"
  "  mov host_rsp, %rsp\n"
  "  cld\n"
  "  pushq $0x202\n"
  "  popfq\n"
  "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
  "  ret\n"
  ".globl restore_signal\n"
  "restore_signal:\n"
  "  mov $15, %eax\n"
  "  syscall\n"
  ".globl _start\n"
  "_start:\n"
  "  and $-16, %rsp\n"
  "  call start\n"
  "  hlt\n"
);
void case_end(void);
u64 entry;
static int running;

/* ucontext on x86-64: flags, link, stack (24 bytes), then 23 general registers and the pointer to the FXSAVE image. */
enum { G_R8, G_R9, G_R10, G_R11, G_R12, G_R13, G_R14, G_R15, G_RDI, G_RSI, G_RBP, G_RBX, G_RDX, G_RAX, G_RCX, G_RSP, G_RIP, G_EFL,
       G_CSGSFS, G_ERR, G_TRAPNO, G_OLDMASK, G_CR2 };

static void on_signal(int signal, void *info, void *context) {
  static const u8 order[16] = { G_RAX, G_RCX, G_RDX, G_RBX, G_RSP, G_RBP, G_RSI, G_RDI, G_R8, G_R9, G_R10, G_R11, G_R12, G_R13, G_R14, G_R15 };
  if (!running) die(10);
  u64 *g = (u64 *)((u8 *)context + 40);
  void *fx = *(void **)((u8 *)context + 40 + 23 * 8);
  for (int i = 0; i < 16; i++) out.gpr[i] = g[order[i]];
  out.rflags = g[G_EFL];
  out.rip = g[G_RIP];
  out.signal = signal;
  out.trap = g[G_TRAPNO];
  out.error = g[G_ERR];
  out.code = ((u32 *)info)[2];
  out.cr2 = ((u64 *)info)[2];
  if (fx) memcpy(out.fx, fx, 512);
  __asm__ volatile("jmp leave_case");
}

static void handle(int signal) {
  struct { void *handler; u64 flags; void *restorer; u64 mask; } action = {
    (void *)on_signal, 0x4 | 0x08000000 | 0x40000000 | 0x04000000, (void *)restore_signal, 0 };
  if (call6(13, signal, (long)&action, 0, 8, 0, 0) != 0) die(4);
}

/* The code pages twice: executable and read-only for the case, writable for us. */
static u8 *writable_code;
static void place_code(void) {
  long fd = call3(319, (long)"code", 0, 0);
  if (fd < 0 || call3(77, fd, 2 * PAGE, 0) != 0) die(11);
  if (call6(9, CODE, 2 * PAGE, 5, 0x100001, fd, 0) != (long)CODE) die(5);
  writable_code = (u8 *)call6(9, 0, 2 * PAGE, 3, 1, fd, 0);
  memset(writable_code, 0xcc, 2 * PAGE);
}
static void place(u64 address, long pages, int protection) {
  if (call6(9, address, pages * PAGE, protection, 0x100032, -1, 0) != (long)address) die(5);
}

static u32 last_offset;

static void prepare(struct input *in) {
  u8 *code = writable_code;
  memset(code + last_offset, 0xcc, 32);
  last_offset = in->code_offset;
  u8 *at = code + in->code_offset;
  memcpy(at, in->code, in->code_length);
  at += in->code_length;
  at[0] = 0xff; /* jmp *way_out */
  at[1] = 0x24;
  at[2] = 0x25;
  *(u32 *)(at + 3) = (u32)(u64)&way_out;
  entry = CODE + in->code_offset;
  u8 *m = (u8 *)MEMORY;
  memcpy(m + 0xe00, initial + 0xe00, 1024);
  memcpy(m + 0x1fc0, initial + 0x1fc0, 64);
  memcpy(m + 0x4000, initial + 0x3000, 64);
  if (in->patch_length) memcpy(m + in->patch_offset, in->patch, in->patch_length);
  out.signal = 0;
  out.trap = 0;
  out.error = 0;
  out.code = 0;
  out.cr2 = 0;
  out.rip = entry + in->code_length;
}

void start(void) {
  static const int signals[] = { 4, 5, 7, 8, 11 };
  struct { void *sp; int flags; u64 size; } alternate = { alternate_stack, 0, sizeof alternate_stack };
  if (call3(131, (long)&alternate, 0, 0) != 0) die(6);
  for (int i = 0; i < 5; i++) handle(signals[i]);
  place_code();
  place(MEMORY, 2, 3);
  place(MEMORY + 3 * PAGE, 2, 3);
  way_out = (u64)case_end;
  if (!read_all(initial, sizeof initial)) die(7);
  u8 *m = (u8 *)MEMORY;
  memcpy(m, initial, 2 * PAGE);
  memcpy(m + 3 * PAGE, initial + 2 * PAGE, 2 * PAGE);
  if (call3(10, MEMORY + 3 * PAGE, PAGE, 1) != 0) die(8);
  u64 bases[2];
  if (!read_all(bases, 16)) die(7);
  if (call3(158, 0x1002, bases[0], 0) != 0) die(9);
  if (call3(158, 0x1001, bases[1], 0) != 0) die(9);
  for (;;) {
    u32 count;
    if (!read_all(&count, 4)) die(0);
    while (count > 0) {
      u32 part = count < 256 ? count : 256;
      if (!read_all(cases, part * sizeof cases[0])) die(7);
      for (u32 i = 0; i < part; i++) {
        prepare(&cases[i]);
        running = 1;
        run_case(&cases[i]);
        running = 0;
        memcpy(out.w0, m + 0xe00, 1024);
        memcpy(out.w1, m + 0x1fc0, 64);
        memcpy(out.w2, m + 0x4000, 64);
        memcpy(&results[i], &out, sizeof out);
      }
      write_all(results, part * sizeof results[0]);
      count -= part;
    }
    /* Memory outside the windows must be as it was: a case that reaches further says so here, once a batch. */
    u32 strays = 0;
    for (u32 i = 0; i < 2 * PAGE; i++) {
      if ((i >= 0xe00 && i < 0x1200) || i >= 0x1fc0) continue;
      if (m[i] != initial[i]) strays++, m[i] = initial[i];
    }
    for (u32 i = 64; i < PAGE; i++) if (m[0x4000 + i] != initial[0x3000 + i]) strays++, m[0x4000 + i] = initial[0x3000 + i];
    write_all(&strays, 4);
  }
}
