/* Faults: what a handler learns of them and how it may repair them. */
#include "selftest.h"
#include <setjmp.h>
#include <ucontext.h>

fault_t fault;
static sigjmp_buf after;

static void record(int signal, siginfo_t *info, void *context) {
  (void)context;
  fault.count++;
  fault.signal = signal;
  fault.code = info->si_code;
  fault.address = (uintptr_t)info->si_addr;
  siglongjmp(after, 1);
}

void provoke(void (*access)(char *), char *argument) {
  struct sigaction action = {.sa_sigaction = record, .sa_flags = SA_SIGINFO}, segv, bus;
  fault = (fault_t){0};
  sigaction(SIGSEGV, &action, &segv);
  sigaction(SIGBUS, &action, &bus);
  if (sigsetjmp(after, 1) == 0) access(argument);
  sigaction(SIGSEGV, &segv, NULL);
  sigaction(SIGBUS, &bus, NULL);
}

void read_byte(char *at) { (void)*(volatile char *)at; }
void write_byte(char *at) { *(volatile char *)at = 1; }
static void call(char *at) { ((void (*)(void))at)(); }

#define EXPECT_FAULT(access, at, wanted_code, wanted_address)                 \
  do {                                                                        \
    provoke(access, (char *)(at));                                            \
    EXPECT(fault.count == 1);                                                 \
    EXPECT(fault.signal == SIGSEGV);                                          \
    EXPECT(fault.code == wanted_code);                                        \
    EXPECT(fault.address == (uintptr_t)(wanted_address));                     \
  } while (0)

TEST(fault_null_pointer) {
  for (uintptr_t at = 0; at < 65536; at += 8191) {
    EXPECT_FAULT(read_byte, at, SEGV_MAPERR, at);
    EXPECT_FAULT(write_byte, at, SEGV_MAPERR, at);
  }
  EXPECT_FAULT(call, 0, SEGV_MAPERR, 0);
  return NULL;
}

static char *repaired;
static volatile int repairs;
static void repair(int signal, siginfo_t *info, void *context) {
  (void)signal;
  ucontext_t *state = context;
  char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1));
  repairs++;
  if (state->uc_mcontext.gregs[REG_CR2] != (long)info->si_addr || repairs > 300) _exit(3);
  repaired = mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  *page = 'r';
}

TEST(fault_recovery) {
  struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
  EXPECT(sigaction(SIGSEGV, &action, NULL) == 0);
  volatile char *base = map_pages(4, PROT_READ | PROT_WRITE);
  munmap((void *)base, 4 * PAGE);
  base[PAGE + 5] = 'x';
  EXPECT(repairs == 1);
  EXPECT(repaired == base + PAGE);
  EXPECT(base[PAGE] == 'r' && base[PAGE + 5] == 'x');
  EXPECT(base[0] == 'r'); /* a read is repaired as well, and sees what the handler wrote */
  EXPECT(repairs == 2);
  return NULL;
}

TEST(fault_recovery_many) {
  struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  char *base = map_pages(256, PROT_NONE);
  memset(base + 10, 0x55, 255 * PAGE); /* one string instruction, interrupted at every page */
  EXPECT(repairs == 256);
  long sum = 0;
  for (size_t i = 10; i < 255 * PAGE + 10; i++) sum += base[i] == 0x55;
  EXPECT(sum == (long)(255 * PAGE));
  EXPECT(base[0] == 'r' && base[255 * PAGE + 10] == 0);
  return NULL;
}

TEST(fault_write_to_read_only) {
  char *base = map_pages(2, PROT_READ);
  EXPECT(base[0] == 0);
  EXPECT_FAULT(write_byte, base + 100, SEGV_ACCERR, base + 100);
  EXPECT_FAULT(write_byte, base + PAGE + 1, SEGV_ACCERR, base + PAGE + 1);
  return NULL;
}

TEST(fault_execute_data) {
  char *base = map_pages(1, PROT_READ | PROT_WRITE);
  base[16] = (char)0xc3; /* ret */
  EXPECT_FAULT(call, base + 16, SEGV_ACCERR, base + 16);
  char *code = map_pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
  code[16] = (char)0xc3;
  provoke(call, code + 16);
  EXPECT(fault.count == 0);
  return NULL;
}

TEST(fault_kernel_half) {
  EXPECT_FAULT(read_byte, 0xffff800000000000UL, SEGV_MAPERR, 0xffff800000000000UL);
  EXPECT_FAULT(write_byte, 0xffffffff80000123UL, SEGV_MAPERR, 0xffffffff80000123UL);
  return NULL;
}

TEST(fault_non_canonical) {
  EXPECT_FAULT(read_byte, 0x0000800000000000UL, SI_KERNEL, 0);
  EXPECT_FAULT(write_byte, 0x1234567812345678UL, SI_KERNEL, 0);
  return NULL;
}

TEST(fault_unmapped) {
  char *base = map_pages(3, PROT_READ | PROT_WRITE);
  munmap(base + PAGE, PAGE);
  EXPECT_FAULT(read_byte, base + PAGE + 8, SEGV_MAPERR, base + PAGE + 8);
  provoke(write_byte, base + 2 * PAGE);
  EXPECT(fault.count == 0);
  return NULL;
}

TEST(fault_guard_pages) {
  char *base = map_pages(5, PROT_NONE);
  EXPECT(mmap(base + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == base + 2 * PAGE);
  provoke(write_byte, base + 2 * PAGE);
  EXPECT(fault.count == 0);
  EXPECT_FAULT(write_byte, base + 2 * PAGE - 1, SEGV_ACCERR, base + 2 * PAGE - 1);
  EXPECT_FAULT(read_byte, base + 3 * PAGE, SEGV_ACCERR, base + 3 * PAGE);
  return NULL;
}

static const char constant[] = "constant";
TEST(fault_text_is_read_only) {
  EXPECT_FAULT(write_byte, fault_text_is_read_only, SEGV_ACCERR, fault_text_is_read_only);
  EXPECT_FAULT(write_byte, constant, SEGV_ACCERR, constant);
  return NULL;
}

TEST(fault_file_beyond_end) {
  int fd = open("/tmp/selftest.short", O_RDWR | O_CREAT | O_TRUNC, 0600);
  EXPECT(fd >= 0);
  EXPECT(write(fd, "short", 5) == 5);
  char *base = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  EXPECT(base != MAP_FAILED);
  EXPECT(base[0] == 's' && base[5] == 0 && base[PAGE - 1] == 0);
  provoke(read_byte, base + PAGE);
  EXPECT(fault.count == 1);
  EXPECT(fault.signal == SIGBUS);
  EXPECT(fault.code == BUS_ADRERR);
  EXPECT(fault.address == (uintptr_t)base + PAGE);
  return NULL;
}

TEST(fault_kills_without_handler) {
  int status;
  IN_CHILD(status, write_byte(NULL));
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  IN_CHILD(status, __asm__ volatile("ud2"));
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
  IN_CHILD(status, __asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; xorl %%edx, %%edx; divl %%ecx" ::: "eax", "ecx", "edx"));
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGFPE);
  IN_CHILD(status, __asm__ volatile("hlt"));
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  IN_CHILD(status, __asm__ volatile("int3"));
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
  return NULL;
}
