// class: integer. Lists, a small matrix and a state machine in turn: the mix that embedded processor benchmarks use.
#include "bench.h"
typedef struct node { struct node *next; int value, key; } node;
static node pool[200];
static node *sort(node *list) {
  if (!list || !list->next) return list;
  node *slow = list, *fast = list->next;
  while (fast && fast->next) slow = slow->next, fast = fast->next->next;
  node *right = sort(slow->next);
  slow->next = NULL;
  node *left = sort(list), head, *tail = &head;
  while (left && right) {
    node **least = left->value <= right->value ? &left : &right;
    tail = tail->next = *least;
    *least = (*least)->next;
  }
  tail->next = left ? left : right;
  return head.next;
}
static uint64_t lists(uint64_t hash) {
  for (int i = 0; i < 200; i++) pool[i] = (node){i < 199 ? &pool[i + 1] : NULL, (int)(next_random() % 1000), i};
  node *list = sort(pool), *reversed = NULL;
  for (node *next; list; list = next) next = list->next, list->next = reversed, reversed = list;
  for (int want = 0; want < 20; want++)
    for (node *n = reversed; n; n = n->next)
      if (n->value % 20 == want) { hash = mix(hash, n->key); break; }
  return hash;
}
static uint64_t matrices(uint64_t hash) {
  enum { N = 16 };
  static int16_t a[N][N], b[N][N];
  static int32_t c[N][N];
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) a[i][j] = next_random(), b[i][j] = hash >> j;
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) {
    int32_t sum = 0;
    for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
    c[i][j] = (sum >> 3) & 0x7ffff;
  }
  for (int i = 0; i < N; i++) hash = mix(hash, c[i][(i * 7) % N]);
  return hash;
}
static uint64_t machine(uint64_t hash) {
  static const char alphabet[] = "0123456789+-.eE,x";
  enum { START, SIGN, INTEGER, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS, BAD, STATES };
  unsigned count[STATES] = {0};
  int state = START;
  for (int i = 0; i < 400; i++) {
    char c = alphabet[next_random() % 17];
    int digit = c >= '0' && c <= '9';
    if (c == ',') { count[state]++; state = START; continue; }
    switch (state) {
      case START: state = digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? FRACTION : BAD; break;
      case SIGN: state = digit ? INTEGER : c == '.' ? FRACTION : BAD; break;
      case INTEGER: state = digit ? INTEGER : c == '.' ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : BAD; break;
      case FRACTION: state = digit ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : BAD; break;
      case EXPONENT: state = digit ? EXPONENT_DIGITS : c == '+' || c == '-' ? EXPONENT_SIGN : BAD; break;
      case EXPONENT_SIGN: case EXPONENT_DIGITS: state = digit ? EXPONENT_DIGITS : BAD; break;
    }
  }
  for (int i = 0; i < STATES; i++) hash = mix(hash, count[i]);
  return hash;
}
static uint64_t crc16(uint64_t hash) {
  unsigned crc = 0xffff;
  for (int i = 0; i < 64; i++) for (int bit = 0, value = hash >> (i & 56); bit < 8; bit++, value >>= 1) crc = (crc >> 1) ^ ((crc ^ value) & 1 ? 0xa001 : 0);
  return mix(hash, crc);
}
int main(int argc, char **argv) {
  uint64_t hash = 1;
  for (long i = scale_of(argc, argv, 2000); i > 0; i--) hash = crc16(machine(matrices(lists(hash))));
  printf("core_mix %016lx\n", hash);
}
