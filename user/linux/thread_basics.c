// Threads: create and join, return values, TLS, detach, stack attributes, once, cancellation, keys.
#include "check.h"
#include <pthread.h>
static __thread int mine = 5;
static __thread char block[1000];
static int total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static int destroyed;
static void destroy(void *p) { __sync_fetch_and_add(&destroyed, (int)(long)p); }
static void *work(void *argument) {
  long n = (long)argument;
  mine += n;
  memset(block, n, sizeof block);
  pthread_setspecific(key, argument);
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&lock);
    total++;
    pthread_mutex_unlock(&lock);
  }
  for (unsigned i = 0; i < sizeof block; i++) if (block[i] != (char)n) return (void *)-1;
  return (void *)(long)mine;
}
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_count;
static void run_once(void) { once_count++; }
static void *call_once(void *a) { pthread_once(&once, run_once); return NULL; }
static void cleanup(void *p) { *(int *)p = 1; }
static void *endless(void *p) {
  pthread_cleanup_push(cleanup, p);
  for (;;) { usleep(1000); pthread_testcancel(); }
  pthread_cleanup_pop(0);
  return NULL;
}
static void *leaver(void *p) { pthread_exit((void *)77); }
static void *deep(void *p) {
  volatile char big[100000];
  for (int i = 0; i < 100000; i += 1000) big[i] = i / 1000;
  return (void *)(long)big[50000];
}
int main(void) {
  pthread_t t[16];
  void *r;
  long sum = 0;
  pthread_key_create(&key, destroy);
  for (long i = 0; i < 16; i++) SHOW(pthread_create(&t[i], NULL, work, (void *)i));
  for (int i = 0; i < 16; i++) { pthread_join(t[i], &r); sum += (long)r; }
  printf("total %d sum %ld main's copy %d destroyed %d\n", total, sum, mine, destroyed);
  for (int i = 0; i < 8; i++) pthread_create(&t[i], NULL, call_once, NULL);
  for (int i = 0; i < 8; i++) pthread_join(t[i], NULL);
  printf("once %d\n", once_count);
  int cleaned = 0;
  pthread_create(t, NULL, endless, &cleaned);
  usleep(5000);
  SHOW(pthread_cancel(t[0]));
  pthread_join(t[0], &r);
  printf("cancelled %d cleaned %d\n", r == PTHREAD_CANCELED, cleaned);
  pthread_create(t, NULL, leaver, NULL);
  pthread_join(t[0], &r);
  printf("left with %ld\n", (long)r);
  pthread_attr_t a;
  pthread_attr_init(&a);
  SHOW(pthread_attr_setstacksize(&a, 256 * 1024));
  SHOW(pthread_create(t, &a, deep, NULL));
  pthread_join(t[0], &r);
  printf("deep %ld\n", (long)r);
  FACT(pthread_equal(pthread_self(), pthread_self()));
  int churn = 0;
  for (int i = 0; i < 300; i++) { if (pthread_create(t, NULL, leaver, NULL)) break; pthread_join(t[0], NULL); churn++; }
  printf("churn %d\n", churn);
  return 0;
}
