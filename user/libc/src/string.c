/* Memory and string functions (C17 7.24, POSIX <string.h>, <strings.h>). Copies and fills use `rep`, which retires as
 * one instruction on meniOS; searches go by the byte. */
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  void *target = to;
  __asm__ volatile("rep movsb" : "+D"(target), "+S"(from), "+c"(count) : : "memory");
  return to;
}

void *mempcpy(void *restrict to, const void *restrict from, size_t count) {
  return (char *)memcpy(to, from, count) + count;
}

void *memmove(void *to, const void *from, size_t count) {
  if ((size_t)((char *)to - (const char *)from) >= count) return memcpy(to, from, count);
  const char *source = (const char *)from + count - 1;
  char *target = (char *)to + count - 1;
  __asm__ volatile("std; rep movsb; cld" : "+D"(target), "+S"(source), "+c"(count) : : "memory");
  return to;
}

void *memset(void *to, int byte, size_t count) {
  void *target = to;
  __asm__ volatile("rep stosb" : "+D"(target), "+c"(count) : "a"(byte) : "memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t count) {
  const unsigned char *x = a, *y = b;
  for (; count > 0; count--, x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}

void *memchr(const void *text, int byte, size_t count) {
  const unsigned char *at = text;
  for (; count > 0; count--, at++)
    if (*at == (unsigned char)byte) return (void *)at;
  return NULL;
}

void *memrchr(const void *text, int byte, size_t count) {
  const unsigned char *at = (const unsigned char *)text + count;
  while (count-- > 0)
    if (*--at == (unsigned char)byte) return (void *)at;
  return NULL;
}

void *memmem(const void *text, size_t length, const void *part, size_t part_length) {
  const char *at = text;
  if (part_length == 0) return (void *)text;
  for (; length >= part_length; at++, length--)
    if (*at == *(const char *)part && memcmp(at, part, part_length) == 0) return (void *)at;
  return NULL;
}

size_t strlen(const char *text) {
  const char *end = text;
  while (*end) end++;
  return (size_t)(end - text);
}

size_t strnlen(const char *text, size_t limit) {
  size_t length = 0;
  while (length < limit && text[length]) length++;
  return length;
}

char *stpcpy(char *restrict to, const char *restrict from) {
  size_t length = strlen(from);
  memcpy(to, from, length + 1);
  return to + length;
}

char *strcpy(char *restrict to, const char *restrict from) {
  stpcpy(to, from);
  return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t count) {
  size_t length = strnlen(from, count);
  memcpy(to, from, length);
  memset(to + length, 0, count - length);
  return to;
}

char *strcat(char *restrict to, const char *restrict from) {
  strcpy(to + strlen(to), from);
  return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t count) {
  char *end = to + strlen(to);
  size_t length = strnlen(from, count);
  memcpy(end, from, length);
  end[length] = 0;
  return to;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t count) {
  for (; count > 0; count--, a++, b++)
    if (*a != *b || !*a) return (unsigned char)*a - (unsigned char)*b;
  return 0;
}

int strcoll(const char *a, const char *b) {
  return strcmp(a, b);
}

int strncasecmp(const char *a, const char *b, size_t count) {
  for (; count > 0; count--, a++, b++) {
    int difference = tolower((unsigned char)*a) - tolower((unsigned char)*b);
    if (difference != 0 || !*a) return difference;
  }
  return 0;
}

int strcasecmp(const char *a, const char *b) {
  return strncasecmp(a, b, (size_t)-1);
}

int ffs(int value) {
  return __builtin_ffs(value);
}

char *strchrnul(const char *text, int byte) {
  while (*text && *text != (char)byte) text++;
  return (char *)text;
}

char *strchr(const char *text, int byte) {
  char *at = strchrnul(text, byte);
  return *at == (char)byte ? at : NULL;
}

char *strrchr(const char *text, int byte) {
  return memrchr(text, byte, strlen(text) + 1);
}

char *strstr(const char *text, const char *part) {
  return memmem(text, strlen(text), part, strlen(part));
}

size_t strspn(const char *text, const char *accept) {
  size_t length = 0;
  while (text[length] && strchr(accept, text[length])) length++;
  return length;
}

size_t strcspn(const char *text, const char *reject) {
  size_t length = 0;
  while (text[length] && !strchr(reject, text[length])) length++;
  return length;
}

char *strpbrk(const char *text, const char *accept) {
  text += strcspn(text, accept);
  return *text ? (char *)text : NULL;
}

char *strtok_r(char *restrict text, const char *restrict separators, char **restrict state) {
  if (!text) text = *state;
  text += strspn(text, separators);
  if (!*text) {
    *state = text;
    return NULL;
  }
  char *end = text + strcspn(text, separators);
  *state = *end ? end + 1 : end;
  *end = 0;
  return text;
}

char *strtok(char *restrict text, const char *restrict separators) {
  static char *state;
  return strtok_r(text, separators, &state);
}

char *strndup(const char *text, size_t limit) {
  size_t length = strnlen(text, limit);
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

char *strdup(const char *text) {
  return strndup(text, strlen(text));
}

const char *strsignal(int signal) {
  switch (signal) {
    case SIGHUP: return "Hangup";
    case SIGINT: return "Interrupt";
    case SIGQUIT: return "Quit";
    case SIGILL: return "Illegal instruction";
    case SIGTRAP: return "Trace/breakpoint trap";
    case SIGABRT: return "Aborted";
    case SIGBUS: return "Bus error";
    case SIGFPE: return "Floating point exception";
    case SIGKILL: return "Killed";
    case SIGUSR1: return "User defined signal 1";
    case SIGSEGV: return "Segmentation fault";
    case SIGUSR2: return "User defined signal 2";
    case SIGPIPE: return "Broken pipe";
    case SIGALRM: return "Alarm clock";
    case SIGTERM: return "Terminated";
    case SIGCHLD: return "Child exited";
    case SIGCONT: return "Continued";
    case SIGSTOP: return "Stopped (signal)";
    default: return "Unknown signal";
  }
}
