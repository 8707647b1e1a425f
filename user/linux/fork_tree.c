// A tree of processes: values travel down by memory and up by exit status and pipes.
#include "check.h"
#include <sys/wait.h>
static int node(int depth, int number) {
  if (depth == 0) return number % 7;
  int sum = number % 5, p[2];
  pipe(p);
  pid_t kids[3];
  for (int i = 0; i < 3; i++) {
    if ((kids[i] = fork()) == 0) {
      int value = node(depth - 1, number * 3 + i);
      write(p[1], &value, sizeof value);
      _exit(value & 0x7f);
    }
  }
  close(p[1]);
  for (int i = 0; i < 3; i++) {
    int status, value;
    waitpid(kids[i], &status, 0);
    if (!WIFEXITED(status)) printf("child died\n");
    sum += WEXITSTATUS(status);
  }
  for (int i = 0, value; i < 3; i++) { read(p[0], &value, sizeof value); sum += value; }
  close(p[0]);
  return sum;
}
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("sum %d\n", node(4, 1));
  int counter = 0;
  for (int i = 0; i < 200; i++) {
    int status;
    pid_t pid = fork();
    if (pid == 0) _exit(i & 0xff);
    waitpid(pid, &status, 0);
    counter += WEXITSTATUS(status) == (i & 0xff);
  }
  printf("sequential %d\n", counter);
  for (int i = 0; i < 6; i++) {
    fork(); /* 64 processes in all */
  }
  int mine = 0, status;
  while (wait(&status) > 0) mine += 1 + WEXITSTATUS(status);
  if (getppid() != 0 && mine < 63) _exit(mine);
  printf("descendants %d\n", mine);
  return 0;
}
