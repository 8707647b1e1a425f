/* What allocators of others expect of a C library beyond user/libc, for programs with one thread: mutexes that are never
 * contended, thread-specific values that are plain variables, and a few calls made from others. The meniOS gate cannot
 * set the fs base, so such sources are compiled with `__thread` defined away. */
#include <errno.h>
#include <menios.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Not 0: mimalloc and others take 0 for "no thread". Even, because low bits serve as marks. */
pthread_t pthread_self(void) {
  return 64;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
  (void)attributes;
  mutex->held = 0;
  return 0;
}

/* With one thread a second lock can never be released: say so instead of waiting for ever. */
int pthread_mutex_lock(pthread_mutex_t *mutex) {
  if (mutex->held) return EDEADLK;
  mutex->held = 1;
  return 0;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex) {
  return pthread_mutex_lock(mutex) == 0 ? 0 : EBUSY;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  if (!mutex->held) return EPERM;
  mutex->held = 0;
  return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex) {
  return mutex->held ? EBUSY : 0;
}

#define KEYS 16
static struct {
  int used;
  const void *value;
} keys[KEYS];

/* Destructors run when a thread ends; the only thread ends with the process, where POSIX does not call them. */
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
  (void)destructor;
  for (unsigned i = 0; i < KEYS; i++)
    if (!keys[i].used) {
      keys[i].used = 1;
      keys[i].value = NULL;
      *key = i;
      return 0;
    }
  return EAGAIN;
}

int pthread_key_delete(pthread_key_t key) {
  if (key >= KEYS || !keys[key].used) return EINVAL;
  keys[key].used = 0;
  return 0;
}

void *pthread_getspecific(pthread_key_t key) {
  return key < KEYS ? (void *)keys[key].value : NULL;
}

int pthread_setspecific(pthread_key_t key, const void *value) {
  if (key >= KEYS || !keys[key].used) return EINVAL;
  keys[key].value = value;
  return 0;
}

int pthread_once(pthread_once_t *once, void (*function)(void)) {
  if (!*once) {
    *once = 1;
    function();
  }
  return 0;
}

/* fork copies the only thread, which holds no lock then: there is nothing to prepare or repair. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  (void)prepare, (void)parent, (void)child;
  return 0;
}

int sched_yield(void) {
  return yield();
}

int getrusage(int who, struct rusage *usage) {
  if (who != RUSAGE_SELF) {
    errno = EINVAL;
    return -1;
  }
  memset(usage, 0, sizeof *usage);
  clock_t ticks = clock();
  usage->ru_utime.tv_sec = ticks / CLOCKS_PER_SEC;
  usage->ru_utime.tv_usec = ticks % CLOCKS_PER_SEC;
  char text[512];
  FILE *file = fopen("/proc/self/stat", "r");
  if (!file) return -1;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  char *at = strrchr(text, ')');
  for (int field = 2; at && field < 24; field++) { /* proc(5): 10 minflt, 12 majflt, 24 resident pages */
    at = strchr(at + 1, ' ');
    if (at && field + 1 == 10) usage->ru_minflt = atol(at + 1);
    if (at && field + 1 == 12) usage->ru_majflt = atol(at + 1);
    if (at && field + 1 == 24) usage->ru_maxrss = atol(at + 1) * 4;
  }
  return 0;
}
