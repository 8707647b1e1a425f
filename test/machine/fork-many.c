/* Live processes at once: PROGRAM COUNT. All wait on one pipe until every one of them exists, then answer with their number. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 1, sum = 0, alive = 0;
  int gate[2], answers[2];
  if (pipe(gate) != 0 || pipe(answers) != 0) return 2;
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0) {
      char byte;
      int number = (int)i;
      close(gate[1]);
      if (read(gate[0], &byte, 1) != 0) _exit(1);
      if (write(answers[1], &number, sizeof number) != sizeof number) _exit(1);
      _exit(0);
    }
    alive++;
  }
  close(gate[1]);
  close(answers[1]);
  int number, status, failed = 0;
  while (read(answers[0], &number, sizeof number) == sizeof number) sum += number;
  while (wait(&status) > 0) failed += status != 0;
  printf("%ld alive, sum %ld, %d failed\n", alive, sum, failed);
  return 0;
}
