// Signals and threads: pthread_kill, per-thread masks, a process signal goes to a thread that takes it, fork in threads.
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>
static __thread int id;
static volatile int taken_by = -1, ready, finish;
static void on(int s) { taken_by = id; }
static void *waiter(void *a) {
  id = (int)(long)a;
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGUSR1);
  pthread_sigmask(id == 2 ? SIG_UNBLOCK : SIG_BLOCK, &s, NULL);
  __sync_fetch_and_add(&ready, 1);
  while (!finish) usleep(1000);
  return NULL;
}
static void *forker(void *a) {
  int status;
  pid_t pid = fork();
  if (pid == 0) _exit(44);
  waitpid(pid, &status, 0);
  return (void *)(long)WEXITSTATUS(status);
}
static void *exiter(void *a) { usleep(2000); exit(9); }
int main(void) {
  pthread_t t[4];
  sigset_t s;
  struct sigaction a = {.sa_handler = on};
  sigaction(SIGUSR1, &a, NULL);
  sigaction(SIGUSR2, &a, NULL);
  sigemptyset(&s);
  sigaddset(&s, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &s, NULL);
  for (long i = 1; i < 4; i++) pthread_create(&t[i], NULL, waiter, (void *)i);
  while (ready < 3) usleep(1000);
  kill(getpid(), SIGUSR1);
  while (taken_by < 0) usleep(1000);
  printf("process signal taken by %d\n", taken_by);
  taken_by = -1;
  pthread_kill(t[3], SIGUSR2);
  while (taken_by < 0) usleep(1000);
  printf("thread signal taken by %d\n", taken_by);
  taken_by = -1;
  pthread_kill(t[1], SIGUSR1);
  usleep(20000);
  printf("blocked there: %d\n", taken_by);
  finish = 1;
  for (int i = 1; i < 4; i++) pthread_join(t[i], NULL);
  void *r;
  pthread_create(t, NULL, forker, NULL);
  pthread_join(t[0], &r);
  printf("fork in a thread %ld\n", (long)r);
  printf("now a thread ends the process\n");
  fflush(stdout);
  pthread_create(t, NULL, exiter, NULL);
  for (;;) pause();
}
