/* clone with thread flags, TLS, futexes, robust mutexes, exit of one thread and of all, exec from a thread. */
#include "guest.h"

#define THREAD_FLAGS                                                                                                                                           \
  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
static char stacks[8][8192] __attribute__((aligned(16)));
static unsigned long blocks[8][4];
static volatile int tids[8], counter, turn, lock;

struct start {
  void (*run)(long);
  long argument;
};
long thread(unsigned long flags, void *stack, volatile int *parent_tid, volatile int *child_tid, void *tls);
__asm__("thread: mov $56, %eax\n mov %rcx, %r10\n syscall\n test %eax, %eax\n jnz 1f\n pop %rax\n pop %rdi\n call *%rax\n mov $60, %eax\n xor %edi, %edi\n syscall\n1: ret\n");

static long start(int index, void (*run)(long), long argument) {
  struct start *top = (struct start *)(stacks[index] + sizeof stacks[index] - 16);
  top->run = run;
  top->argument = argument;
  blocks[index][0] = (unsigned long)blocks[index];
  blocks[index][1] = 1000 + index;
  return thread(THREAD_FLAGS, top, &tids[index], &tids[index], blocks[index]);
}
static void join(int index) {
  for (int tid; (tid = tids[index]) != 0;) CALL(futex, &tids[index], FUTEX_WAIT, tid, 0);
}
static void acquire(void) {
  while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) CALL(futex, &lock, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 0);
}
static void release_(void) {
  __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
  CALL(futex, &lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}
static void work(long index) {
  unsigned long tls;
  __asm__("mov %%fs:8, %0" : "=r"(tls));
  for (int i = 0; i < 1000; i++) {
    acquire();
    int value = counter;
    if (i % 100 == 0) CALL(sched_yield);
    counter = value + (tls == 1000ul + (unsigned long)index);
    release_();
  }
}
static volatile int word, woken;
static void sleeper(long bits) {
  CALL(futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, 0, 0, bits);
  __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
}
static struct robust { struct robust *next; long offset; struct robust *pending; } head;
static struct mutex { struct robust *next; volatile int word; } mutex;
static void dies_holding(long unused) {
  head.next = (struct robust *)&mutex;
  mutex.next = &head;
  head.offset = offsetof(struct mutex, word);
  CALL(set_robust_list, &head, 24);
  mutex.word = (int)tid_();
}
static void ends_all(long status) { CALL(exit_group, status); }
static void waits(long unused) {
  for (;;) CALL(pause);
}
static char **self_arguments;
static void execs(long unused) { CALL(execve, self_arguments[0], self_arguments, 0); }

long guest(int argc, char **argv, char **envp) {
  int status;
  long result;
  if (argc > 1) {
    say("exec by thread: leader %d %s\n", (long)(tid_() == self()), argv[1]);
    return 6;
  }
  for (int i = 0; i < 4; i++)
    if (start(i, work, i) < 0) say("clone failed\n");
  for (int i = 0; i < 4; i++) join(i);
  say("counter %d\n", (long)counter);

  for (int i = 0; i < 4; i++) start(i, sleeper, 1 << i);
  nap(20);
  result = CALL(futex, &word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 10, 0, 0, 4);
  say("wake bit 2: %d\n", result);
  result = CALL(futex, &word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, 10, &turn, 0);
  say("requeue: %d\n", result);
  result = CALL(futex, &word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, 10, &turn, 5);
  say("requeue mismatch: %d\n", result);
  result = CALL(futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10);
  say("none left: %d\n", result);
  result = CALL(futex, &turn, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10);
  say("moved: %d\n", result);
  for (int i = 0; i < 4; i++) join(i);
  say("woken %d\n", (long)woken);
  struct { long seconds, nanoseconds; } time = {0, 10000000};
  result = CALL(futex, &word, FUTEX_WAIT, 1, 0);
  say("wrong value %d timeout %d misaligned %d unmapped %d\n", result, CALL(futex, &word, FUTEX_WAIT, 0, &time),
      CALL(futex, (char *)&word + 1, FUTEX_WAIT, 0, 0), CALL(futex, 8, FUTEX_WAIT, 0, 0));
  word = 5;
  /* old == 5: set to 5+3, and wake on the second as well */
  result = CALL(futex, &turn, FUTEX_WAKE_OP, 1, 1, &word, 1 << 28 | 0 << 24 | 3 << 12 | 5);
  say("wake op %d word %d\n", result, (long)word);

  start(0, dies_holding, 0);
  join(0);
  say("robust: %x\n", (long)(mutex.word & ~FUTEX_TID_MASK));
  lock = 0;
  result = CALL(futex, &lock, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, 0);
  say("lock pi %d", result);
  long mine = lock == tid_(), again = CALL(futex, &lock, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, 0);
  long unlocked = CALL(futex, &lock, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG);
  say(" mine %d again %d unlock %d free %d\n", mine, again, unlocked, (long)lock);

  long child = fork_();
  if (child == 0) {
    start(1, waits, 0);
    start(2, ends_all, 33);
    waits(0);
  }
  wait_(child, &status, 0);
  say("exit_group by a thread: %d\n", (long)(status >> 8));
  child = fork_();
  if (child == 0) {
    start(1, waits, 0);
    CALL(exit, 5);
  }
  nap(20);
  say("leader gone, process alive: %d\n", wait_(child, &status, 1));
  CALL(kill, child, KILL);
  wait_(child, &status, 0);
  say("killed %d\n", (long)status);
  char *arguments[] = {argv[0], "again", 0};
  self_arguments = arguments;
  child = fork_();
  if (child == 0) {
    start(1, waits, 0);
    start(2, execs, 0);
    waits(0);
  }
  wait_(child, &status, 0);
  say("status %d\n", (long)(status >> 8));
  result = CALL(clone, CLONE_THREAD, 0);
  say("bad flags %d %d %d\n", result, CALL(clone, CLONE_SIGHAND, 0), CALL(clone, CLONE_SIGHAND | CLONE_VM | CLONE_THREAD | CLONE_NEWPID, 0) < 0);
  return 0;
}
