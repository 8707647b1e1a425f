// Many of everything: descriptors, mappings, directories, pipes, and everything given back.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  static char *m[3000]; int ok = 0;
  for (int i = 0; i < 3000; i++) { m[i] = mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); if (m[i] != MAP_FAILED) ok++; if (i % 2 == 0) *m[i] = i; } printf("mapped %d\n", ok);
  int status; if (fork() == 0) { long s = 0; for (int i = 0; i < 3000; i += 2) { s += *m[i]; *m[i] = 1; } _exit(s & 127); } wait(&status); printf("child saw %d\n", WEXITSTATUS(status)); for (int i = 0; i < 3000; i++) munmap(m[i], PAGE);
  int fds = 0; for (int p[2]; fds < 400 && pipe(p) == 0; fds += 2) write(p[1], "x", 1); printf("descriptors %d\n", fds); for (int i = 3; i < 3 + fds; i++) close(i);
  mkdir("/tmp/guest.many", 0700); char name[64]; for (int i = 0; i < 500; i++) { snprintf(name, 64, "/tmp/guest.many/%d", i); int fd = open(name, O_CREAT | O_WRONLY, 0600); write(fd, name, 10); close(fd); } for (int i = 0; i < 500; i++) { snprintf(name, 64, "/tmp/guest.many/%d", i); unlink(name); } SHOW(rmdir("/tmp/guest.many"));
  int good = 0; for (int i = 0; i < 60; i++) if (fork() == 0) { char *q = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); memset(q, i, 64 * PAGE); usleep(1000); _exit(q[63 * PAGE] == i ? 0 : 1); } while (wait(&status) > 0) good += status == 0; printf("processes %d\n", good);
  char path[6000] = "/tmp"; for (int i = 0; i < 30; i++) { strcat(path, "/a-rather-long-directory-name"); if (mkdir(path, 0700)) break; } printf("deep path %zu\n", strlen(path)); while (strlen(path) > 5) { rmdir(path); *strrchr(path, '/') = 0; } FACT(access("/tmp/a-rather-long-directory-name", F_OK) == -1);
  return 0;
}
