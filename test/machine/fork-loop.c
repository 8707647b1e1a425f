/* Sequential forks: PROGRAM COUNT. Each child writes a page it shares with its parent and exits with a known status. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile char shared_page[4096];

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 1, wrong = 0;
  shared_page[0] = 'p';
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) {
      shared_page[0] = 'c';
      _exit((int)(i % 200));
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != (i % 200) << 8 || shared_page[0] != 'p') wrong++;
  }
  printf("%ld forks, %ld wrong\n", count, wrong);
  return wrong != 0;
}
