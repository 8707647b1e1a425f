// class: integer. An interpreter for a small stack machine: unpredictable indirect jumps.
#include "bench.h"
enum { PUSH, LOAD, STORE, ADD, SUB, MUL, MOD, LESS, JUMP, JUMP_IF, PRINT, HALT };
int main(int argc, char **argv) {
  int64_t limit = scale_of(argc, argv, 300000);
  /* i = 2; a = 0; b = 1; while (i < limit) { t = (a + b * 3) % 1000003; a = b; b = t; i = i + 1 } */
  int64_t code[] = {PUSH, 2, STORE, 0, PUSH, 0, STORE, 1, PUSH, 1, STORE, 2,
                    /* 12 */ LOAD, 0, PUSH, limit, LESS, JUMP_IF, 21, JUMP, 49,
                    /* 21 */ LOAD, 1, LOAD, 2, PUSH, 3, MUL, ADD, PUSH, 1000003, MOD, STORE, 3, LOAD, 2, STORE, 1, LOAD, 3, STORE, 2,
                    /* 42 */ LOAD, 0, PUSH, 1, ADD, STORE, 0};
  int64_t program[60];
  memcpy(program, code, sizeof code);
  int n = sizeof code / sizeof *code; /* 49 */
  program[n - 0] = JUMP, program[n + 1] = 12;
  program[20] = n + 2;
  program[n + 2] = LOAD, program[n + 3] = 2, program[n + 4] = PRINT, program[n + 5] = HALT;
  static const void *const handlers[] = {&&push, &&load, &&store, &&add, &&sub, &&mul, &&mod, &&less, &&jump, &&jump_if, &&print, &&halt};
  int64_t stack[64], *sp = stack, variables[8] = {0}, *pc = program;
#define NEXT goto *handlers[*pc++]
  NEXT;
push: *sp++ = *pc++; NEXT;
load: *sp++ = variables[*pc++]; NEXT;
store: variables[*pc++] = *--sp; NEXT;
add: sp--; sp[-1] += sp[0]; NEXT;
sub: sp--; sp[-1] -= sp[0]; NEXT;
mul: sp--; sp[-1] *= sp[0]; NEXT;
mod: sp--; sp[-1] %= sp[0]; NEXT;
less: sp--; sp[-1] = sp[-1] < sp[0]; NEXT;
jump: pc = program + *pc; NEXT;
jump_if: pc = *--sp ? program + *pc : pc + 1; NEXT;
print: printf("bytecode %016lx\n", mix(1, (uint64_t)*--sp)); NEXT;
halt:
  return 0;
}
