/* From the entry stack to main. */
#include <stdlib.h>
#include <unistd.h>

char **environ;

int main(int argc, char **argv, char **envp);
/* Constructors the linker gathered; empty for C, but allocators of others use them. */
extern void (*const __init_array_start[])(int, char **, char **) __attribute__((weak));
extern void (*const __init_array_end[])(int, char **, char **) __attribute__((weak));

__attribute__((noreturn, used)) void __start(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1);
  environ = argv + argc + 1;
  for (void (*const *constructor)(int, char **, char **) = __init_array_start; constructor != __init_array_end; constructor++)
    (*constructor)(argc, argv, environ);
  exit(main(argc, argv, environ));
}
