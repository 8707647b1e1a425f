/* Files, directories, process lists, time, and the gate itself. */
#include "../libc/src/gate.h"
#include "selftest.h"
#include <dirent.h>
#include <sys/time.h>
#include <time.h>

TEST(file_write_and_read) {
  char text[16] = "";
  int fd = open("/tmp/selftest.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  EXPECT(fd >= 0);
  EXPECT(write(fd, "hello file", 10) == 10);
  EXPECT(lseek(fd, 6, SEEK_SET) == 6);
  EXPECT(read(fd, text, sizeof text) == 4 && memcmp(text, "file", 4) == 0);
  EXPECT(lseek(fd, 100000, SEEK_SET) == 100000 && write(fd, "!", 1) == 1); /* a hole reads as zero */
  EXPECT(lseek(fd, 50000, SEEK_SET) == 50000 && read(fd, text, 1) == 1 && text[0] == 0);
  EXPECT(lseek(fd, 0, SEEK_END) == 100001);
  close(fd);
  fd = open("/tmp/selftest.file", O_WRONLY | O_APPEND);
  EXPECT(write(fd, "end", 3) == 3 && lseek(fd, 0, SEEK_CUR) == 100004);
  EXPECT(read(fd, text, 1) == -1 && errno == EBADF);
  close(fd);
  fd = open("/tmp/selftest.file", O_RDONLY | O_TRUNC);
  EXPECT(lseek(fd, 0, SEEK_END) == 0);
  return NULL;
}

TEST(file_descriptor_flags) {
  int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  EXPECT(fd >= 0);
  EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
  EXPECT(fcntl(fd, F_SETFD, 0) == 0 && fcntl(fd, F_GETFD) == 0);
  EXPECT(write(fd, "x", 1) == 1);
  char byte;
  EXPECT(read(fd, &byte, 1) == 0);
  fd = open("/dev/zero", O_RDONLY);
  byte = 1;
  EXPECT(read(fd, &byte, 1) == 1 && byte == 0);
  return NULL;
}

TEST(file_errors) {
  EXPECT(open("/no/such", O_RDONLY) == -1 && errno == ENOENT);
  EXPECT(open("/tmp", O_WRONLY) == -1 && errno == EISDIR);
  EXPECT(open("/dev/null/x", O_RDONLY) == -1 && errno == ENOTDIR);
  EXPECT(close(77) == -1 && errno == EBADF);
  EXPECT(lseek(77, 0, SEEK_SET) == -1 && errno == EBADF);
  int ends[2];
  pipe(ends);
  EXPECT(lseek(ends[0], 0, SEEK_SET) == -1 && errno == ESPIPE);
  int fd = open("/tmp/selftest.once", O_RDWR | O_CREAT, 0600);
  EXPECT(fd >= 0 && open("/tmp/selftest.once", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST);
  EXPECT(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);
  return NULL;
}

TEST(directory_list) {
#ifndef MENIOS_GATE_LINUX
  int fd = open("/tmp/selftest.listed", O_RDWR | O_CREAT, 0600), found = 0;
  EXPECT(fd >= 0);
  DIR *directory = opendir("/tmp");
  EXPECT(directory);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) found += strcmp(entry->d_name, "selftest.listed") == 0;
  EXPECT(found == 1);
  closedir(directory);
  char text[4096];
  ssize_t size = listdir("/", NULL, 0);
  EXPECT(size > 0 && size < (ssize_t)sizeof text);
  EXPECT(listdir("/", text, sizeof text) == size);
  EXPECT(memmem(text, (size_t)size, "tmp", 3) && memmem(text, (size_t)size, "proc", 4) && memmem(text, (size_t)size, "dev", 3));
  EXPECT(listdir("/no/such", NULL, 0) == -1 && errno == ENOENT);
  EXPECT(listdir("/dev/null", NULL, 0) == -1 && errno == ENOTDIR);
#endif
  return NULL;
}

TEST(directory_change) {
  char path[64];
  EXPECT(chdir("/tmp") == 0);
  EXPECT(getcwd(path, sizeof path) == path && strcmp(path, "/tmp") == 0);
  int fd = open("selftest.relative", O_RDWR | O_CREAT, 0600);
  EXPECT(fd >= 0 && open("/tmp/selftest.relative", O_RDONLY) >= 0);
  EXPECT(chdir("/dev/null") == -1 && errno == ENOTDIR);
  EXPECT(chdir("/nowhere") == -1 && errno == ENOENT);
  EXPECT(getcwd(path, 3) == NULL && errno == ERANGE);
  EXPECT(chdir("/") == 0 && getcwd(path, 2) == path);
  return NULL;
}

TEST(process_list) {
#ifndef MENIOS_GATE_LINUX
  char text[2048], pid[16];
  ssize_t size = proc_list(NULL, 0);
  EXPECT(size > 0);
  size = proc_list(text, sizeof text - 1);
  EXPECT(size > 0 && size < (ssize_t)sizeof text);
  text[size] = 0;
  EXPECT(strncmp(text, "PID STATE NAME\n", 15) == 0);
  snprintf(pid, sizeof pid, "%d ", getpid());
  char *line = strstr(text, pid);
  EXPECT(line && strstr(line, "selftest"));
#endif
  return NULL;
}

TEST(process_kill) {
#ifndef MENIOS_GATE_LINUX
  int status;
  pid_t child = fork();
  if (child == 0)
    for (;;) yield();
  EXPECT(proc_kill(child, 33) == 0);
  EXPECT(waitpid(child, &status, 0) == child);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 33);
  EXPECT(proc_kill(child, 1) == -1 && errno == ESRCH);
#endif
  return NULL;
}

TEST(stdin_poll_byte) {
#ifndef MENIOS_GATE_LINUX
  int ends[2];
  EXPECT(pipe(ends) == 0 && dup2(ends[0], 0) == 0);
  errno = 0;
  EXPECT(stdin_poll() == -1 && errno == EAGAIN);
  EXPECT(write(ends[1], "k\xff", 2) == 2);
  EXPECT(stdin_poll() == 'k');
  EXPECT(stdin_poll() == 0xff);
  EXPECT(stdin_poll() == -1 && errno == EAGAIN);
#endif
  return NULL;
}

TEST(time_moves) {
  struct timespec before, after, resolution, nap = {0, 20000000};
  struct timeval day;
  EXPECT(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
  EXPECT(nanosleep(&nap, NULL) == 0);
  EXPECT(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
  long passed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
  EXPECT(passed >= 20000000);
  EXPECT(clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_sec == 0 && resolution.tv_nsec >= 1);
  EXPECT(gettimeofday(&day, NULL) == 0);
  time_t now = time(NULL), stored;
  EXPECT(now - day.tv_sec == 0 || now - day.tv_sec == 1);
  EXPECT(time(&stored) - stored == 0);
  EXPECT(clock_gettime(99, &before) == -1 && errno == EINVAL);
#ifndef MENIOS_GATE_LINUX
  EXPECT(sleep_us(1000) == 0);
  EXPECT(yield() == 0);
#endif
  return NULL;
}

/* Every register but rax survives the gate (the syscall gate may change rcx and r11). */
TEST(gate_keeps_registers) {
  unsigned long changed;
  __asm__ volatile(
    "movq $0x1111, %%rbx; movq $0x2222, %%rcx; movq $0x3333, %%r11; movq $0x4444, %%r12\n\t"
    "movq $0x5555, %%r13; movq $0x6666, %%r14; movq $0x7777, %%r15; movq $0x8888, %%r8; movq $0x9999, %%r9\n\t"
    "movq $0xaaaa, %%r10; movq $0xbbbb, %%rdi; movq $0xcccc, %%rsi; movq $0xdddd, %%rdx; movl %1, %%eax\n\t"
    "stc\n\t" GATE_INSTRUCTION "\n\t"
    "setnc %%al; movzbl %%al, %%eax\n\t"
    "xorq $0x1111, %%rbx; orq %%rbx, %%rax; xorq $0x4444, %%r12; orq %%r12, %%rax; xorq $0x5555, %%r13; orq %%r13, %%rax\n\t"
    "xorq $0x6666, %%r14; orq %%r14, %%rax; xorq $0x7777, %%r15; orq %%r15, %%rax; xorq $0x8888, %%r8; orq %%r8, %%rax\n\t"
    "xorq $0x9999, %%r9; orq %%r9, %%rax; xorq $0xaaaa, %%r10; orq %%r10, %%rax; xorq $0xbbbb, %%rdi; orq %%rdi, %%rax\n\t"
    "xorq $0xcccc, %%rsi; orq %%rsi, %%rax; xorq $0xdddd, %%rdx; orq %%rdx, %%rax\n\t"
#if !defined MENIOS_GATE_LINUX && !defined MENIOS_GATE_SYSCALL
    "xorq $0x2222, %%rcx; orq %%rcx, %%rax; xorq $0x3333, %%r11; orq %%r11, %%rax\n\t"
#endif
    : "=a"(changed)
    : "i"(SYS_yield)
    : "rbx", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory");
  EXPECT(changed == 0);
  return NULL;
}

TEST(gate_unknown_number) {
#ifndef MENIOS_GATE_LINUX
  EXPECT(gate3(5000, 0, 0, 0) == -ENOSYS);
  EXPECT(gate3(-1, 0, 0, 0) == -ENOSYS);
  EXPECT(gate3(4, 0, 0, 0) == -ENOSYS); /* stat on Linux, nothing here */
#endif
  return NULL;
}

TEST(gate_bad_pointers) {
  int ends[2];
  EXPECT(pipe(ends) == 0);
  EXPECT(write(ends[1], NULL, 1) == -1 && errno == EFAULT);
  EXPECT(write(ends[1], (void *)0xffff800000000000UL, 1) == -1 && errno == EFAULT);
  int *low = (int *)8;
  __asm__("" : "+r"(low)); /* the compiler knows better than to let this pass */
  EXPECT(pipe(low) == -1 && errno == EFAULT);
  EXPECT(open((char *)1, O_RDONLY) == -1 && errno == EFAULT);
  EXPECT(waitpid(-1, (int *)1, WNOHANG) == -1);
  char *base = map_pages(2, PROT_READ | PROT_WRITE);
  munmap(base + PAGE, PAGE);
  memset(base, 'q', PAGE);
  ssize_t part = write(ends[1], base + PAGE - 3, 10);
  EXPECT(part == 3 || (part == -1 && errno == EFAULT));
  base = map_pages(1, PROT_READ);
  EXPECT(write(ends[1], "abc", 3) == 3);
  EXPECT(read(ends[0], base, 3) == -1 && errno == EFAULT);
  return NULL;
}

TEST(gate_constants) {
  EXPECT(getpagesize() == 4096);
  EXPECT(getpid() > 0 && getppid() > 0);
  return NULL;
}

static double spin(double seed, int turns) {
  double value = seed;
  for (int i = 0; i < turns; i++) {
    value = value * 1.25 - (double)(long)(value * 1.25 / 7) * 7;
    if (i % 1000 == 0) yield();
  }
  return value;
}

TEST(float_state_is_private) {
  /* Two processes with different rounding modes take turns; each computes as if alone. */
  int status;
  unsigned up = 0x5f80;
  double alone = spin(1.1, 5000);
  pid_t child = fork();
  if (child == 0) {
    __asm__ volatile("ldmxcsr %0" : : "m"(up));
    for (int i = 0; i < 5; i++) spin(1.3, 5000);
    unsigned now;
    __asm__ volatile("stmxcsr %0" : "=m"(now));
    _exit((now & 0x6000) == 0x4000 ? 0 : 1);
  }
  for (int i = 0; i < 5; i++) EXPECT(spin(1.1, 5000) == alone);
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  return NULL;
}
