// Directories, rename, links, symbolic links, readdir, getcwd, chdir, the *at calls.
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#define D "/tmp/guest.dir"
static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
static void list(const char *path) {
  DIR *d = opendir(path);
  char *names[100];
  int n = 0;
  if (!d) { printf("opendir %s: %s\n", path, errno_name(errno)); return; }
  for (struct dirent *e; (e = readdir(d));) {
    char *t;
    asprintf(&t, "%s:%d", e->d_name, e->d_type);
    names[n++] = t;
  }
  closedir(d);
  qsort(names, n, sizeof *names, by_name);
  printf("list:");
  for (int i = 0; i < n; i++) printf(" %s", names[i]);
  putchar('\n');
}
static void make(const char *p, const char *text) { int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0644); write(fd, text, strlen(text)); close(fd); }
static void cat(const char *p) { char b[50] = ""; int fd = open(p, O_RDONLY); if (fd < 0) { printf("%s: %s\n", p, errno_name(errno)); return; } read(fd, b, 49); close(fd); printf("%s: %s\n", p, b); }
static void remove_tree(const char *path) {
  DIR *d = opendir(path);
  if (!d) { unlink(path); return; }
  for (struct dirent *e; (e = readdir(d));) {
    char inner[500];
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
    if (unlink(inner) != 0) remove_tree(inner);
  }
  closedir(d);
  rmdir(path);
}
int main(void) {
  remove_tree(D);
  struct stat s;
  char b[256] = "";
  umask(022);
  SHOW(mkdir(D, 0777)); SHOW(mkdir(D, 0777)); SHOW(mkdir("/none/x", 0777));
  SHOW(chdir(D)); SHOW(getcwd(b, 256) != NULL); printf("%s\n", b); SHOW(getcwd(b, 5) == NULL);
  make("a", "content a"); make("b", "content b"); SHOW(mkdir("sub", 0755)); make("sub/c", "content c");
  list(".");
  SHOW(rename("a", "b")); cat("b"); cat("a");
  SHOW(rename("b", "sub")); SHOW(rename("sub", "b")); SHOW(rename("sub", "sub/inner")); SHOW(rename("none", "x")); SHOW(rename("b", "sub/b"));
  SHOW(rmdir("sub")); SHOW(unlink("sub")); SHOW(rmdir("sub/c")); SHOW(rmdir("."));
  SHOW(link("sub/c", "hard")); stat("hard", &s); SHOW(s.st_nlink); SHOW(link("sub", "hard2")); SHOW(link("sub/c", "hard"));
  make("hard", "changed"); cat("sub/c");
  SHOW(symlink("sub/c", "soft")); SHOW(symlink("nowhere", "dangling")); SHOW(symlink("loop2", "loop1")); SHOW(symlink("loop1", "loop2")); SHOW(symlink("sub", "dirlink"));
  cat("soft"); cat("dangling"); cat("loop1"); cat("dirlink/b");
  memset(b, 0, sizeof b); SHOW(readlink("soft", b, 256)); printf("%s\n", b); SHOW(readlink("b", b, 256)); SHOW(readlink("sub", b, 256)); SHOW(readlink("soft", b, 3));
  lstat("soft", &s); FACT(S_ISLNK(s.st_mode)); SHOW(s.st_size); stat("soft", &s); FACT(S_ISREG(s.st_mode));
  SHOW(open("soft", O_RDONLY | O_NOFOLLOW)); SHOW(open("dangling", O_RDONLY | O_CREAT | O_EXCL, 0600)); SHOW(open("sub/c/", O_RDONLY));
  SHOW(unlink("dirlink/")); SHOW(unlink("dirlink"));
  list("."); list("sub"); list("none"); list("hard");
  int d = open("sub", O_RDONLY | O_DIRECTORY);
  SHOW(mkdirat(d, "deep", 0700)); SHOW(renameat(d, "b", AT_FDCWD, "back")); SHOW(unlinkat(d, "deep", 0)); SHOW(unlinkat(d, "deep", AT_REMOVEDIR));
  SHOW(fstatat(d, "c", &s, 0)); SHOW(linkat(d, "c", d, "c2", 0)); SHOW(symlinkat("c", d, "s")); SHOW(readlinkat(d, "s", b, 10)); SHOW(faccessat(d, "c", R_OK, 0));
  SHOW(fchdir(d)); cat("c2"); SHOW(chdir("..")); SHOW(chdir("back")); SHOW(chdir("none"));
  SHOW(chmod("back", 0600)); stat("back", &s); printf("%o\n", s.st_mode & 07777); SHOW(fchmod(d, 0711)); fstat(d, &s); printf("%o\n", s.st_mode);
  make("many0", ""); SHOW(mkdir("big", 0755));
  for (int i = 0; i < 300; i++) { snprintf(b, 256, "big/entry%d", i); make(b, "x"); }
  DIR *dir = opendir("big"); int n = 0; while (readdir(dir)) n++; rewinddir(dir); int again = 0; while (readdir(dir)) again++; closedir(dir); printf("%d %d\n", n, again);
  SHOW(stat("sub", &s)); SHOW(s.st_nlink);
  chdir("/");
  SHOW(rmdir(D)); remove_tree(D); SHOW(stat(D, &s));
  return 0;
}
