/* The smallest program of interest: one line out, its arguments, its environment's size. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  printf("hello from meniOS\n");
  for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  return 0;
}
