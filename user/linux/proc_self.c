// /proc/self: what a program reads of itself.
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
static long field(const char *file, const char *key) {
  FILE *f = fopen(file, "r");
  char line[300];
  long value = -1;
  while (f && fgets(line, 300, f)) if (strncmp(line, key, strlen(key)) == 0) value = strtol(line + strlen(key) + 1, NULL, 10);
  if (f) fclose(f);
  return value;
}
int main(int argc, char **argv) {
  char b[1000] = "", name[50];
  int fd = open("/proc/self/cmdline", O_RDONLY);
  int n = read(fd, b, 1000);
  FACT(n == (int)strlen(argv[0]) + 1 && strcmp(b, argv[0]) == 0);
  memset(b, 0, 1000); FACT(readlink("/proc/self/exe", b, 999) > 0 && strstr(b, "proc_self"));
  char cwd[500], link[500] = ""; getcwd(cwd, 500); readlink("/proc/self/cwd", link, 499); FACT(strcmp(cwd, link) == 0);
  FACT(field("/proc/self/status", "Pid:") == getpid()); FACT(field("/proc/self/status", "PPid:") == getppid());
  FACT(field("/proc/self/status", "Threads:") == 1); FACT(field("/proc/self/status", "VmRSS:") > 10);
  FILE *f = fopen("/proc/self/stat", "r"); int pid; char state; SHOW(fscanf(f, "%d (%49[^)]) %c", &pid, name, &state)); FACT(pid == getpid()); printf("%s %c\n", name, state); fclose(f);
  f = fopen("/proc/self/comm", "r"); fgets(b, 100, f); printf("%s", b); fclose(f);
  f = fopen("/proc/self/maps", "r"); int stack = 0, heap = 0, self = 0; malloc(100);
  while (fgets(b, 500, f)) { stack += strstr(b, "[stack]") != NULL; self += strstr(b, "proc_self") != NULL; } fclose(f); printf("%d %d\n", stack, self >= 3);
  char *p = mmap(NULL, 100 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long before = field("/proc/self/status", "VmRSS:"); memset(p, 1, 100 * PAGE); long after = field("/proc/self/status", "VmRSS:"); FACT(after - before >= 396 && after - before < 500);
  long data = field("/proc/self/status", "VmSize:"); munmap(p, 100 * PAGE); FACT(data - field("/proc/self/status", "VmSize:") == 400);
  for (int i = 3; i < 4096; i++) close(i); /* what was inherited differs */
  int fds = 0; DIR *d = opendir("/proc/self/fd"); while (readdir(d)) fds++; closedir(d); printf("%d entries in fd\n", fds);
  snprintf(b, 100, "/proc/self/fd/%d", fd); memset(link, 0, 500); readlink(b, link, 499); FACT(strstr(link, "cmdline") != NULL);
  int copy = open(b, O_RDONLY); FACT(copy >= 0 && lseek(copy, 0, SEEK_CUR) == 0);
  FACT(field("/proc/meminfo", "MemTotal:") > 1000); FACT(field("/proc/meminfo", "MemFree:") > 100);
  snprintf(b, 100, "/proc/%d/stat", getpid()); FACT(access(b, R_OK) == 0); SHOW(access("/proc/999999", F_OK));
  unsigned long aux[2]; fd = open("/proc/self/auxv", O_RDONLY); int page = 0; while (read(fd, aux, 16) == 16 && aux[0]) if (aux[0] == 6) page = aux[1]; SHOW(page);
  SHOW(open("/proc/self/nothing", O_RDONLY)); SHOW(open("/proc/self/stat", O_WRONLY | O_CREAT, 0600) == -1);
  return 0;
}
