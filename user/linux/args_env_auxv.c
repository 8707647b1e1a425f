// argc, argv, envp, the auxiliary vector and the alignment of the entry stack.
#include "check.h"
#include <elf.h>
#include <sys/auxv.h>
extern char **environ;
static long entry_sp;
int main(int argc, char **argv, char **envp) {
  printf("argc %d\n", argc);
  for (int i = 1; i < argc; i++) printf("argv[%d]=[%s]\n", i, argv[i]);
  FACT(argv[argc] == NULL);
  FACT(envp == argv + argc + 1);
  FACT(environ == envp);
  FACT((uintptr_t)(argv - 1) % 16 == 0);
  FACT(getauxval(AT_PAGESZ) == 4096);
  FACT(getauxval(AT_PHENT) == 56);
  FACT(getauxval(AT_PHNUM) > 2);
  FACT(getauxval(AT_ENTRY) != 0);
  FACT(getauxval(AT_RANDOM) != 0);
  SHOW(getauxval(AT_CLKTCK));
  SHOW(getauxval(AT_SECURE));
  FACT(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
  FACT(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
  FACT(strstr((char *)getauxval(AT_EXECFN), "args_env_auxv") != NULL);
  const Elf64_Phdr *h = (void *)getauxval(AT_PHDR);
  int loads = 0;
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) loads += h[i].p_type == PT_LOAD;
  FACT(loads >= 2);
  FACT(getenv("PATH") != NULL);
  return argc == 1 ? 0 : argc;
}
