/* Directory streams over listdir. Names come without types: the gate has no stat. */
#ifndef _DIRENT_H
#define _DIRENT_H
#include <sys/types.h>
typedef struct __dir DIR;
struct dirent {
  ino_t d_ino;
  char d_name[256];
};
DIR *opendir(const char *path);
struct dirent *readdir(DIR *directory);
void rewinddir(DIR *directory);
int closedir(DIR *directory);
#endif
