/* A little of everything whose order could differ from run to run: fork, pipes, threads, time, randomness, signals. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char order[256];
static int filled;
static volatile sig_atomic_t alarms;
static void on_alarm(int signal) { alarms++; }

static void *work(void *argument) {
  char name = (char)('A' + (intptr_t)argument);
  for (int round = 0; round < 8; round++) {
    for (volatile int i = 0; i < 20000; i++) ;
    pthread_mutex_lock(&lock);
    order[filled++] = name;
    pthread_mutex_unlock(&lock);
    if (round % 3 == 0) usleep(100);
  }
  return NULL;
}
static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000UL + t.tv_nsec;
}

int main(void) {
  int pipes[2];
  pthread_t threads[4];
  unsigned char random[8];
  struct timespec wall;
  uint64_t start = now();
  signal(SIGALRM, on_alarm);
  struct itimerval every = { {0, 700}, {0, 700} };
  setitimer(ITIMER_REAL, &every, NULL);
  pipe(pipes);
  for (int child = 0; child < 5; child++) {
    if (fork() == 0) {
      for (int i = 0; i < 6; i++) {
        char line[64];
        for (volatile int k = 0; k < 5000 * (child + 1); k++) ;
        int length = snprintf(line, sizeof line, "child %d line %d at %lu\n", child, i, (unsigned long)now());
        write(pipes[1], line, length);
      }
      _exit(child);
    }
  }
  close(pipes[1]);
  for (intptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  char buffer[4096];
  ssize_t got;
  do {
    got = read(pipes[0], buffer, sizeof buffer);
    if (got > 0) fwrite(buffer, 1, got, stdout);
  } while (got != 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  int status, sum = 0;
  pid_t pid;
  while ((pid = wait(&status)) > 0) { printf("pid %d status %x\n", pid, status); sum += status; }
  memset(&every, 0, sizeof every);
  setitimer(ITIMER_REAL, &every, NULL);
  getrandom(random, sizeof random, 0);
  clock_gettime(CLOCK_REALTIME, &wall);
  printf("order %s\nalarms %d\nrandom %02x%02x%02x%02x\nwall %ld.%09ld\nspent %lu\nat %p %p\n", order, (int)alarms, random[0], random[1], random[2], random[3],
         (long)wall.tv_sec, wall.tv_nsec, (unsigned long)(now() - start), (void *)&status, malloc(100000));
  return sum != 0xa00;
}
