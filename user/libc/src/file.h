/* FILE, shared by the stdio sources. */
#ifndef FILE_H
#define FILE_H
#include <stdio.h>

#define FILE_READ 1
#define FILE_WRITE 2
#define FILE_APPEND 4
#define FILE_EOF 8
#define FILE_ERROR 16
#define FILE_HEAP 32      /* the FILE itself came from malloc */
#define FILE_OWN_BUFFER 64
#define FILE_STRING 128   /* writes go to memory; what does not fit is counted and dropped */

/* Invariant: [start, end) of buffer is read but not consumed while reading, written but not flushed while writing
 * (start is 0 then); never both. */
struct __file {
  int fd, flags, mode;
  unsigned char *buffer;
  size_t size, start, end;
  int pushed; /* byte of ungetc, or EOF */
  struct __file *next;
};

/* Adds bytes to the stream; returns 0, or EOF after setting the error flag. */
int __file_put(FILE *file, const char *from, size_t count);
#endif
