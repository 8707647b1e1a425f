// Condition variables, barriers, reader-writer locks, semaphores, mutex kinds, timed waits.
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int queue[4], head, tail, count;
static void put(int v) {
  pthread_mutex_lock(&m);
  while (count == 4) pthread_cond_wait(&emptied, &m);
  queue[tail++ % 4] = v; count++;
  pthread_cond_signal(&filled);
  pthread_mutex_unlock(&m);
}
static int get(void) {
  pthread_mutex_lock(&m);
  while (count == 0) pthread_cond_wait(&filled, &m);
  int v = queue[head++ % 4]; count--;
  pthread_cond_signal(&emptied);
  pthread_mutex_unlock(&m);
  return v;
}
static void *consume(void *a) { long sum = 0; for (int v; (v = get()) >= 0;) sum += v; return (void *)sum; }
static pthread_barrier_t barrier;
static int phase[4];
static void *phases(void *a) {
  long n = (long)a, bad = 0, serial = 0;
  for (int i = 1; i <= 20; i++) {
    phase[n] = i;
    serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    for (int j = 0; j < 4; j++) bad += phase[j] != i;
    pthread_barrier_wait(&barrier);
  }
  return (void *)(bad * 1000 + serial);
}
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static long a_value, b_value;
static void *writer(void *p) { for (int i = 0; i < 500; i++) { pthread_rwlock_wrlock(&rw); a_value++; b_value--; pthread_rwlock_unlock(&rw); } return NULL; }
static void *reader(void *p) { long bad = 0; for (int i = 0; i < 500; i++) { pthread_rwlock_rdlock(&rw); bad += a_value + b_value != 0; pthread_rwlock_unlock(&rw); } return (void *)bad; }
static sem_t ping, pong;
static void *ponger(void *p) { for (int i = 0; i < 300; i++) { sem_wait(&ping); sem_post(&pong); } return NULL; }
int main(void) {
  pthread_t t[8];
  void *r;
  long sum = 0;
  for (int i = 0; i < 3; i++) pthread_create(&t[i], NULL, consume, NULL);
  for (int i = 0; i < 3000; i++) put(i);
  for (int i = 0; i < 3; i++) put(-1);
  for (int i = 0; i < 3; i++) { pthread_join(t[i], &r); sum += (long)r; }
  printf("queue %ld\n", sum);
  pthread_barrier_init(&barrier, NULL, 4);
  for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, phases, (void *)i);
  sum = 0;
  for (int i = 0; i < 4; i++) { pthread_join(t[i], &r); sum += (long)r; }
  printf("barrier %ld\n", sum);
  for (int i = 0; i < 6; i++) pthread_create(&t[i], NULL, i < 2 ? writer : reader, NULL);
  sum = 0;
  for (int i = 0; i < 6; i++) { pthread_join(t[i], &r); sum += (long)r; }
  printf("rwlock bad %ld value %ld\n", sum, a_value);
  sem_init(&ping, 0, 0); sem_init(&pong, 0, 0);
  pthread_create(t, NULL, ponger, NULL);
  for (int i = 0; i < 300; i++) { sem_post(&ping); sem_wait(&pong); }
  pthread_join(t[0], NULL);
  printf("semaphores done\n");
  struct timespec when;
  clock_gettime(CLOCK_REALTIME, &when);
  when.tv_nsec += 20000000;
  if (when.tv_nsec >= 1000000000) when.tv_sec++, when.tv_nsec -= 1000000000;
  pthread_mutex_lock(&m);
  FACT(pthread_cond_timedwait(&filled, &m, &when) == ETIMEDOUT);
  FACT(pthread_mutex_trylock(&m) == EBUSY);
  FACT(pthread_mutex_timedlock(&m, &when) == ETIMEDOUT);
  pthread_mutex_unlock(&m);
  FACT(sem_timedwait(&ping, &when) == -1 && errno == ETIMEDOUT);
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_t rec, check;
  pthread_mutex_init(&rec, &attr);
  SHOW(pthread_mutex_lock(&rec)); SHOW(pthread_mutex_lock(&rec)); SHOW(pthread_mutex_unlock(&rec)); SHOW(pthread_mutex_unlock(&rec));
  pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&check, &attr);
  pthread_mutex_lock(&check);
  FACT(pthread_mutex_lock(&check) == EDEADLK);
  pthread_mutex_unlock(&check);
  FACT(pthread_mutex_unlock(&check) == EPERM);
  return 0;
}
