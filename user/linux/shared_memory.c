// Shared memory between processes: anonymous, by file, memfd, System V.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#define RW (PROT_READ | PROT_WRITE)
static void in_child(void (*f)(char *), char *p) {
  fflush(stdout);
  if (fork() == 0) { f(p); _exit(0); }
  wait(NULL);
}
static void mark(char *p) { p[0]++; p[2 * PAGE + 1] = 'm'; }
int main(void) {
  char *a = mmap(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  a[0] = 'a';
  in_child(mark, a);
  printf("anonymous %c%c\n", a[0], a[2 * PAGE + 1]);
  int fd = open("/tmp/guest.shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
  SHOW(ftruncate(fd, 3 * PAGE));
  char *f = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
  f[0] = 'f';
  in_child(mark, f);
  char b[2];
  pread(fd, b, 1, 0); pread(fd, b + 1, 1, 2 * PAGE + 1);
  printf("file %c%c\n", b[0], b[1]);
  pwrite(fd, "W", 1, 5);
  printf("written through the descriptor: %c\n", f[5]);
  SHOW(msync(f, 3 * PAGE, MS_SYNC));
  SHOW(msync(f, PAGE, MS_SYNC | MS_ASYNC));
  SHOW(msync(f + 1, PAGE, MS_SYNC));
  int m = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  SHOW(ftruncate(m, 3 * PAGE));
  char *one = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, m, 0), *two = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, m, 0);
  one[0] = 'o';
  in_child(mark, one);
  printf("memfd %c%c private view %c\n", one[0], one[2 * PAGE + 1], two[0]);
  two[0] = 'T';
  one[0] = 'O';
  printf("after private write %c %c\n", one[0], two[0]);
  int id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600);
  char *s = shmat(id, NULL, 0);
  s[0] = 's';
  in_child(mark, s);
  struct shmid_ds d;
  SHOW(shmctl(id, IPC_STAT, &d));
  printf("shm %c%c attached %d size %d\n", s[0], s[2 * PAGE + 1], (int)d.shm_nattch, (int)d.shm_segsz);
  SHOW(shmctl(id, IPC_RMID, NULL));
  SHOW(shmdt(s));
  SHOW(shmdt(s));
  unlink("/tmp/guest.shared");
  return 0;
}
