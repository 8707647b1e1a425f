// class: memory. Building, walking and freeing trees: malloc and pointers.
#include "bench.h"
typedef struct tree { struct tree *left, *right; } tree;
static tree *make(int depth) { tree *t = malloc(sizeof *t); *t = depth ? (tree){make(depth - 1), make(depth - 1)} : (tree){0}; return t; }
static long count(tree *t) { return t ? 1 + count(t->left) + count(t->right) : 0; }
static void drop(tree *t) { if (!t) return; drop(t->left); drop(t->right); free(t); }
int main(int argc, char **argv) {
  int depth = (int)scale_of(argc, argv, 15);
  uint64_t hash = 1;
  tree *kept = make(depth);
  for (int d = 4; d <= depth; d += 3) for (int i = 0; i < 1 << (depth - d); i++) { tree *t = make(d); hash = mix(hash, count(t)); drop(t); }
  printf("binary_trees %016lx\n", mix(hash, count(kept)));
}
