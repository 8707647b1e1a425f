// Atomic operations of every width, single-threaded meaning and under threads: xadd, cmpxchg, cmpxchg16b, bts, xchg.
// flags: -mcx16
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
static _Atomic unsigned char c8; static _Atomic unsigned short c16; static _Atomic unsigned c32; static _Atomic unsigned long c64;
static __int128 wide __attribute__((aligned(16)));
static unsigned char cas16(__int128 *at, __int128 *expected, __int128 desired) {
  unsigned long lo = *expected, hi = *expected >> 64;
  unsigned char ok;
  __asm__ volatile("lock cmpxchg16b %1; sete %0" : "=q"(ok), "+m"(*at), "+a"(lo), "+d"(hi) : "b"((unsigned long)desired), "c"((unsigned long)(desired >> 64)) : "cc");
  *expected = (__int128)hi << 64 | lo;
  return ok;
}
static void *hammer(void *p) {
  for (int i = 0; i < 3000; i++) {
    c8++; c16 += 3; c32 ^= 1u << (i & 31); atomic_fetch_add(&c64, 7);
    __int128 seen = wide;
    while (!cas16(&wide, &seen, seen + ((__int128)1 << 64) + 1)) continue;
  }
  return NULL;
}
int main(void) {
  pthread_t t[4];
  for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, hammer, NULL);
  for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
  printf("%u %u %u %lu %lu %lu\n", c8, c16, c32, c64, (unsigned long)wide, (unsigned long)(wide >> 64));
  unsigned long v = 0x1122334455667788, old;
  old = __sync_lock_test_and_set(&v, 5); printf("%lx %lx\n", old, v);
  old = __sync_val_compare_and_swap(&v, 5, 9); printf("%lx %lx\n", old, v);
  old = __sync_val_compare_and_swap(&v, 5, 10); printf("%lx %lx\n", old, v);
  old = __sync_fetch_and_nand(&v, 1); printf("%lx %lx\n", old, v);
  unsigned char carry;
  __asm__ volatile("lock btsq $40, %1; setc %0" : "=q"(carry), "+m"(v)); printf("%d %lx\n", carry, v);
  __asm__ volatile("lock btrq $40, %1; setc %0" : "=q"(carry), "+m"(v)); printf("%d %lx\n", carry, v);
  __asm__ volatile("lock btcq $0, %1; setc %0" : "=q"(carry), "+m"(v)); printf("%d %lx\n", carry, v);
  unsigned short w = 0xfffe; __asm__ volatile("lock incw %0" : "+m"(w)); printf("%x\n", w);
  unsigned char b = 0x80, zf; __asm__ volatile("lock negb %0; seto %1" : "+m"(b), "=q"(zf)); printf("%x %d\n", b, zf);
  unsigned x = 100, y = 7; __asm__ volatile("lock xaddl %0, %1" : "+r"(y), "+m"(x)); printf("%u %u\n", x, y);
  unsigned char array[64] = {0};
  long index = 300;
  __asm__ volatile("lock btsq %1, %0" : "+m"(array) : "r"(index)); printf("%d\n", array[300 / 8]);
  __int128 expected = 1;
  int r = cas16(&wide, &expected, 0);
  printf("%d %d\n", r, expected == wide);
  return 0;
}
