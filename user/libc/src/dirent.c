/* Directory streams over listdir: the whole list is read when the directory is opened. */
#include <dirent.h>
#include <errno.h>
#include <menios.h>
#include <stdlib.h>
#include <string.h>

struct __dir {
  char *names, *at;
  size_t length;
  struct dirent entry;
};

DIR *opendir(const char *path) {
  ssize_t size = listdir(path, NULL, 0);
  if (size < 0) return NULL;
  DIR *directory = calloc(1, sizeof *directory);
  if (!directory) return NULL;
  for (;;) {
    size_t room = (size_t)size + 1;
    directory->names = malloc(room);
    size = directory->names ? listdir(path, directory->names, room) : -1;
    if (size >= 0 && (size_t)size < room) break; /* else it grew in between: once more with the new size */
    free(directory->names);
    if (size < 0) {
      free(directory);
      return NULL;
    }
  }
  directory->length = strnlen(directory->names, (size_t)size);
  directory->names[directory->length] = 0;
  directory->at = directory->names;
  return directory;
}

struct dirent *readdir(DIR *directory) {
  if (!*directory->at) return NULL;
  size_t length = strcspn(directory->at, "\n");
  size_t kept = length < sizeof directory->entry.d_name ? length : sizeof directory->entry.d_name - 1;
  memcpy(directory->entry.d_name, directory->at, kept);
  directory->entry.d_name[kept] = 0;
  directory->at += length + (directory->at[length] == '\n');
  return &directory->entry;
}

void rewinddir(DIR *directory) { directory->at = directory->names; }

int closedir(DIR *directory) {
  free(directory->names);
  free(directory);
  return 0;
}
