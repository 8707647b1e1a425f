/* Buffered streams (C17 7.21). stdout is line buffered on a terminal and fully buffered otherwise, stderr unbuffered. */
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char input_buffer[BUFSIZ], output_buffer[BUFSIZ];
static FILE error_file = {.fd = 2, .flags = FILE_WRITE, .mode = _IONBF, .pushed = EOF};
static FILE output_file = {
  .fd = 1, .flags = FILE_WRITE, .mode = -1, .buffer = output_buffer, .size = BUFSIZ, .pushed = EOF, .next = &error_file};
static FILE input_file = {
  .fd = 0, .flags = FILE_READ, .mode = _IOFBF, .buffer = input_buffer, .size = BUFSIZ, .pushed = EOF, .next = &output_file};
FILE *const stdin = &input_file, *const stdout = &output_file, *const stderr = &error_file;
static FILE *all = &input_file;

static int write_all(FILE *file, const unsigned char *from, size_t count) {
  while (count > 0) {
    ssize_t done = write(file->fd, from, count);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      file->flags |= FILE_ERROR;
      return EOF;
    }
    from += done;
    count -= (size_t)done;
  }
  return 0;
}

static int flush(FILE *file) {
  if (!(file->flags & FILE_WRITE) || file->start != 0 || file->end == 0) return 0;
  size_t count = file->end;
  file->end = 0;
  return write_all(file, file->buffer, count);
}

/* A stream opened for both directions turns round at a flush or a seek; this makes it do so by itself. */
static int begin_write(FILE *file) {
  if (!(file->flags & FILE_WRITE)) {
    errno = EBADF;
    file->flags |= FILE_ERROR;
    return EOF;
  }
  if (file->flags & FILE_READ && file->start != 0) {
    if (file->start < file->end) lseek(file->fd, -(off_t)(file->end - file->start), SEEK_CUR);
    file->start = file->end = 0;
  }
  if (file->mode == -1) file->mode = isatty(file->fd) ? _IOLBF : _IOFBF;
  return 0;
}

int __file_put(FILE *file, const char *from, size_t count) {
  if (file->flags & FILE_STRING) {
    if (file->start < file->size) {
      size_t room = file->size - file->start;
      memcpy(file->buffer + file->start, from, count < room ? count : room);
    }
    file->start += count;
    return 0;
  }
  if (begin_write(file) != 0) return EOF;
  if (file->mode == _IONBF || file->size == 0) return write_all(file, (const unsigned char *)from, count);
  size_t kept = count; /* bytes that may stay in the buffer */
  if (file->mode == _IOLBF) {
    const char *line = memrchr(from, '\n', count);
    if (line) kept = (size_t)(from + count - (line + 1));
  }
  int wants_flush = kept != count;
  while (count > 0) {
    if (file->end == file->size && flush(file) != 0) return EOF;
    if (file->end == 0 && count >= file->size) {
      size_t whole = count - count % file->size;
      if (write_all(file, (const unsigned char *)from, whole) != 0) return EOF;
      from += whole, count -= whole;
      continue;
    }
    size_t room = file->size - file->end, part = count < room ? count : room;
    memcpy(file->buffer + file->end, from, part);
    file->end += part, from += part, count -= part;
  }
  return wants_flush ? flush(file) : 0;
}

int fflush(FILE *file) {
  int result = 0;
  if (file) return flush(file);
  for (file = all; file; file = file->next) result |= flush(file);
  return result;
}

static FILE *make(int fd, int flags) {
  FILE *file = calloc(1, sizeof *file);
  unsigned char *buffer = malloc(BUFSIZ);
  if (!file || !buffer) {
    free(file);
    free(buffer);
    return NULL;
  }
  *file = (FILE){.fd = fd, .flags = flags | FILE_HEAP | FILE_OWN_BUFFER, .mode = _IOFBF, .buffer = buffer, .size = BUFSIZ,
                 .pushed = EOF, .next = all};
  return all = file;
}

static int parse_mode(const char *mode, int *flags) {
  int both = strchr(mode, '+') != NULL, open_flags = strchr(mode, 'e') ? O_CLOEXEC : 0;
  switch (*mode) {
    case 'r': *flags = FILE_READ; break;
    case 'w': *flags = FILE_WRITE; open_flags |= O_CREAT | O_TRUNC; break;
    case 'a': *flags = FILE_WRITE | FILE_APPEND; open_flags |= O_CREAT | O_APPEND; break;
    default: errno = EINVAL; return -1;
  }
  open_flags |= both ? O_RDWR : *flags & FILE_READ ? O_RDONLY : O_WRONLY;
  if (both) *flags |= FILE_READ | FILE_WRITE;
  return open_flags;
}

FILE *fdopen(int fd, const char *mode) {
  int flags;
  return parse_mode(mode, &flags) < 0 ? NULL : make(fd, flags);
}

FILE *fopen(const char *restrict path, const char *restrict mode) {
  int flags, open_flags = parse_mode(mode, &flags);
  if (open_flags < 0) return NULL;
  int fd = open(path, open_flags, 0666);
  if (fd < 0) return NULL;
  FILE *file = make(fd, flags);
  if (!file) close(fd);
  return file;
}

int fclose(FILE *file) {
  int result = flush(file);
  for (FILE **link = &all; *link; link = &(*link)->next)
    if (*link == file) {
      *link = file->next;
      break;
    }
  if (close(file->fd) != 0) result = EOF;
  if (file->flags & FILE_OWN_BUFFER) free(file->buffer);
  if (file->flags & FILE_HEAP) free(file);
  return result;
}

int fileno(FILE *file) { return file->fd; }
int feof(FILE *file) { return (file->flags & FILE_EOF) != 0; }
int ferror(FILE *file) { return (file->flags & FILE_ERROR) != 0; }
void clearerr(FILE *file) { file->flags &= ~(FILE_EOF | FILE_ERROR); }

int setvbuf(FILE *restrict file, char *restrict buffer, int mode, size_t size) {
  if (mode < _IOFBF || mode > _IONBF) return -1;
  flush(file);
  file->mode = mode;
  if (buffer && mode != _IONBF) {
    if (file->flags & FILE_OWN_BUFFER) free(file->buffer);
    file->flags &= ~FILE_OWN_BUFFER;
    file->buffer = (unsigned char *)buffer;
    file->size = size;
  }
  return 0;
}

void setbuf(FILE *restrict file, char *restrict buffer) {
  setvbuf(file, buffer, buffer ? _IOFBF : _IONBF, BUFSIZ);
}

/* Reads more into the empty buffer; 0 when there is nothing to come. */
static int refill(FILE *file) {
  if (!(file->flags & FILE_READ)) {
    errno = EBADF;
    file->flags |= FILE_ERROR;
    return 0;
  }
  if (file->flags & FILE_WRITE && file->start == 0) flush(file);
  if (file == stdin) flush(stdout); /* a prompt appears before its answer is read */
  file->start = file->end = 0;
  size_t size = file->mode == _IONBF ? 1 : file->size;
  ssize_t count;
  do count = read(file->fd, file->buffer, size);
  while (count < 0 && errno == EINTR);
  if (count <= 0) {
    file->flags |= count == 0 ? FILE_EOF : FILE_ERROR;
    return 0;
  }
  file->end = (size_t)count;
  return 1;
}

/* While reading, start == 0 with end > 0 would look like unflushed output, so consuming begins before anything else. */
int fgetc(FILE *file) {
  if (file->pushed != EOF) {
    int byte = file->pushed;
    file->pushed = EOF;
    return byte;
  }
  if (file->start >= file->end || (file->flags & FILE_WRITE && file->start == 0)) {
    if (!refill(file)) return EOF;
  }
  return file->buffer[file->start++];
}

int getc(FILE *file) { return fgetc(file); }
int getchar(void) { return fgetc(stdin); }

int ungetc(int byte, FILE *file) {
  if (byte == EOF || file->pushed != EOF) return EOF;
  file->flags &= ~FILE_EOF;
  return file->pushed = (unsigned char)byte;
}

size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict file) {
  size_t wanted = size * count, done = 0;
  unsigned char *target = to;
  while (done < wanted) {
    int byte = fgetc(file);
    if (byte == EOF) break;
    target[done++] = (unsigned char)byte;
    size_t ready = file->pushed == EOF ? file->end - file->start : 0;
    size_t part = ready < wanted - done ? ready : wanted - done;
    memcpy(target + done, file->buffer + file->start, part);
    file->start += part, done += part;
  }
  return size ? done / size : 0;
}

size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict file) {
  if (size == 0 || count == 0) return 0;
  return __file_put(file, from, size * count) == 0 ? count : 0;
}

char *fgets(char *restrict to, int size, FILE *restrict file) {
  int length = 0;
  while (length < size - 1) {
    int byte = fgetc(file);
    if (byte == EOF) break;
    to[length++] = (char)byte;
    if (byte == '\n') break;
  }
  if (length == 0) return NULL;
  to[length] = 0;
  return to;
}

ssize_t getline(char **restrict line, size_t *restrict capacity, FILE *restrict file) {
  size_t length = 0;
  if (!*line) *capacity = 0;
  for (;;) {
    int byte = fgetc(file);
    if (byte == EOF && length == 0) return -1;
    if (length + 2 > *capacity) {
      size_t larger = *capacity ? *capacity * 2 : 128;
      char *moved = realloc(*line, larger);
      if (!moved) return -1;
      *line = moved;
      *capacity = larger;
    }
    if (byte != EOF) (*line)[length++] = (char)byte;
    if (byte == EOF || byte == '\n') break;
  }
  (*line)[length] = 0;
  return (ssize_t)length;
}

int fputc(int byte, FILE *file) {
  char one = (char)byte;
  return __file_put(file, &one, 1) == 0 ? (unsigned char)byte : EOF;
}
int putc(int byte, FILE *file) { return fputc(byte, file); }
int putchar(int byte) { return fputc(byte, stdout); }
int fputs(const char *restrict text, FILE *restrict file) { return __file_put(file, text, strlen(text)); }
int puts(const char *text) { return fputs(text, stdout) == 0 && putchar('\n') != EOF ? 0 : EOF; }

int fseek(FILE *file, long offset, int whence) {
  if (flush(file) != 0) return -1;
  if (whence == SEEK_CUR) offset -= (long)(file->start > 0 ? file->end - file->start : 0) + (file->pushed != EOF);
  file->start = file->end = 0;
  file->pushed = EOF;
  file->flags &= ~FILE_EOF;
  return lseek(file->fd, offset, whence) < 0 ? -1 : 0;
}

long ftell(FILE *file) {
  off_t position = lseek(file->fd, 0, SEEK_CUR);
  if (position < 0) return -1;
  if (file->start > 0) return position - (long)(file->end - file->start) - (file->pushed != EOF);
  return position + (long)file->end - (file->pushed != EOF);
}

void rewind(FILE *file) {
  fseek(file, 0, SEEK_SET);
  clearerr(file);
}
