// Maps single pages with alternating rights until the kernel refuses, reads the list of them, forks, unmaps every second one
// from below and fills the holes again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int lines(void) {
  static char buffer[65536];
  int file = open("/proc/self/maps", O_RDONLY), count = 0;
  for (ssize_t n; (n = read(file, buffer, sizeof buffer)) > 0;)
    for (ssize_t i = 0; i < n; i++) count += buffer[i] == '\n';
  close(file);
  return count;
}

int main(void) {
  enum { MOST = 70000 };
  char **at = malloc(MOST * sizeof *at);
  lines();
  int before = lines(), count = 0;
  while (count < MOST && (at[count] = mmap(0, 4096, count & 1 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED) count++;
  printf("mapped more than 65000: %d, listed: %d\n", count > 65000, lines() - before >= count - 1);
  for (int i = 0; i < count; i += 2) at[i][0] = i;
  pid_t child = fork();
  if (child == 0) {
    int wrong = 0;
    for (int i = 0; i < count; i += 2) wrong += at[i][0] != (char)i;
    _exit(wrong != 0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child: %d\n", status);
  int holes = 0;
  for (int i = count - 1 - (count & 1); i > 0; i -= 2) holes += munmap(at[i], 4096) == 0;
  int filled = 0;
  for (int i = 0; i < holes; i++) filled += mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
  printf("holes filled: %d, listed: %d\n", filled == holes, lines() - before >= count - 1);
  return 0;
}
