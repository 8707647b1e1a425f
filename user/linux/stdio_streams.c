// stdio: modes, seeking, ungetc, buffering, tmpfile, getline, printf to memory, fmemopen, scanf.
#include "check.h"
#include <wchar.h>
int main(void) {
  FILE *f = fopen("/tmp/guest.stdio", "w+");
  for (int i = 0; i < 1000; i++) fprintf(f, "%d %s\n", i, i % 3 ? "x" : "three");
  SHOW(ftell(f)); SHOW(fseek(f, -20, SEEK_END));
  char line[100];
  while (fgets(line, 100, f)) fputs(line, stdout);
  FACT(feof(f)); rewind(f);
  int n, count = 0, threes = 0;
  char word[20];
  while (fscanf(f, "%d %19s", &n, word) == 2) count++, threes += word[0] == 't';
  printf("%d %d\n", count, threes);
  rewind(f);
  SHOW(fgetc(f)); SHOW(ungetc('Z', f)); SHOW(fgetc(f)); SHOW(fgetc(f));
  fpos_t pos; fgetpos(f, &pos); fgets(line, 100, f); fsetpos(f, &pos); char again[100]; fgets(again, 100, f); FACT(strcmp(line, again) == 0);
  SHOW(fclose(f));
  f = fopen("/tmp/guest.stdio", "a+"); fputs("last\n", f); rewind(f); fgets(line, 100, f); printf("%s", line); fclose(f);
  f = fopen("/tmp/guest.stdio", "r"); errno = 0; SHOW(fputc('x', f)); FACT(ferror(f)); fclose(f);
  FACT(fopen("/none/x", "r") == NULL); FACT(fopen("/tmp", "w") == NULL);
  f = tmpfile(); fwrite("binary\0data", 1, 11, f); rewind(f); SHOW(fread(line, 1, 100, f)); SHOW(memcmp(line, "binary\0data", 11)); fclose(f);
  char *memory; size_t size;
  f = open_memstream(&memory, &size); fprintf(f, "%05d|%-5s|%+.2e", 42, "ab", 12345.678); fclose(f); printf("%zu %s\n", size, memory);
  f = fmemopen("alpha beta gamma", 16, "r"); while (fscanf(f, "%19s", word) == 1) printf("[%s]", word); putchar('\n'); fclose(f);
  printf("%s\n", "padding") ; printf("[%*d][%-*d][%.*s]\n", 6, 42, 6, 42, 2, "abcdef");
  printf("%hhd %hd %ld %lld %zu %jd %td\n", (char)300, (short)70000, -5L, 1LL << 40, (size_t)7, (intmax_t)8, (ptrdiff_t)9);
  printf("%x %X %#x %o %#o %u %c %%\n", 255, 255, 255, 8, 8, -1, 'c');
  printf("%2$s %1$s\n", "second", "first");
  SHOW(sscanf("12:34:56.789 end", "%d:%d:%lf %s", &n, &count, (double *)line, word)); printf("%d %d %g %s\n", n, count, *(double *)line, word);
  SHOW(snprintf(line, 5, "truncated")); printf("%s\n", line);
  setvbuf(stdout, NULL, _IOFBF, 50); for (int i = 0; i < 30; i++) printf("%d,", i); printf("\n");
  char *l = NULL; size_t cap = 0; f = fopen("/tmp/guest.stdio", "r"); SHOW(getline(&l, &cap, f)); printf("%s", l); SHOW(getdelim(&l, &cap, 'x', f)); fclose(f);
  remove("/tmp/guest.stdio");
  fprintf(stderr, "to stderr\n");
  printf("no newline at the end");
  return 0;
}
