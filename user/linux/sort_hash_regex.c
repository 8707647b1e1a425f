// Library work: qsort, bsearch, hsearch, tsearch, regex, glob patterns, getopt, random numbers.
#include "check.h"
#include <fnmatch.h>
#include <getopt.h>
#include <regex.h>
#include <search.h>
static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
static int numbers(const void *a, const void *b) { return (*(int *)a > *(int *)b) - (*(int *)a < *(int *)b); }
static void visit(const void *n, VISIT v, int level) { if (v == postorder || v == leaf) printf("%s ", *(char **)n); }
static int cmp(const void *a, const void *b) { return strcmp(a, b); }
int main(void) {
  static char *words[2000]; static int v[5000];
  unsigned s = 1;
  for (int i = 0; i < 2000; i++) { char *w = malloc(12); for (int j = 0; j < 11; j++) { s = s * 1103515245 + 12345; w[j] = j < 3 + (int)(s >> 28) % 8 ? 'a' + (s >> 16) % 26 : 0; } w[11] = 0; words[i] = w; }
  qsort(words, 2000, sizeof *words, compare); printf("%s %s %s\n", words[0], words[1000], words[1999]); char *key = words[777], **found = bsearch(&key, words, 2000, sizeof *words, compare); printf("%d\n", found && strcmp(*found, key) == 0);
  for (int i = 0; i < 5000; i++) { s = s * 1103515245 + 12345; v[i] = s >> 8; } qsort(v, 5000, sizeof *v, numbers); int ok = 1; for (int i = 1; i < 5000; i++) ok &= v[i - 1] <= v[i]; printf("%d %d\n", ok, v[2500]);
  hcreate(4000); for (int i = 0; i < 2000; i++) { ENTRY e = {words[i], (void *)(long)i}; hsearch(e, ENTER); } ENTRY e = {"nothere-at-all", 0}; printf("%d\n", hsearch(e, FIND) == NULL); e.key = words[42]; printf("%d\n", strcmp(words[(long)hsearch(e, FIND)->data], words[42]));
  void *root = NULL; char *t[] = {"pear", "apple", "fig", "kiwi", "date"}; for (int i = 0; i < 5; i++) tsearch(t[i], &root, cmp); twalk(root, visit); putchar('\n'); tdelete("fig", &root, cmp); printf("%d %d\n", tfind("fig", &root, cmp) == NULL, tfind("kiwi", &root, cmp) != NULL);
  const char *patterns[] = {"^a.*z$", "([0-9]+)-([a-z]+)", "(ab|cd)*e", "[[:upper:]][[:lower:]]*", "x{2,4}", "\\.c$", "(a*)(a|b)(b*)"}, *texts[] = {"abcz", "tel 0815-call now", "ababcde", "hello World", "axxxxxb", "file.c", "aaabbb", ""};
  for (int i = 0; i < 7; i++) { regex_t r; if (regcomp(&r, patterns[i], REG_EXTENDED)) { printf("bad\n"); continue; } for (int j = 0; j < 8; j++) { regmatch_t m[4]; if (regexec(&r, texts[j], 4, m, 0) == 0) printf("%d/%d: %d-%d %d-%d; ", i, j, m[0].rm_so, m[0].rm_eo, m[1].rm_so, m[1].rm_eo); } regfree(&r); } putchar('\n');
  printf("%d%d%d%d\n", fnmatch("*.c", "a.c", 0) == 0, fnmatch("[!a-c]?", "dx", 0) == 0, fnmatch("*/x", "a/b/x", FNM_PATHNAME) == 0, fnmatch("a\\*b", "a*b", 0) == 0);
  char *args[] = {"prog", "-a", "-bvalue", "--long=7", "file", "-c", "--", "-x", NULL}; int argc = 8, o; struct option l[] = {{"long", 1, 0, 'L'}, {0}}; opterr = 0; while ((o = getopt_long(argc, args, "ab:cd", l, NULL)) != -1) printf("%c=%s ", o, optarg ? optarg : "-"); printf("rest %d\n", argc - optind);
  srand48(42); printf("%.15f %ld\n", drand48(), lrand48()); div_t d = div(-17, 5); printf("%d %d %ld\n", d.quot, d.rem, labs(-5L));
  return 0;
}
