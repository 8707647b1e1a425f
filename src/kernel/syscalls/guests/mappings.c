/* mmap of files, seals, mincore, mlock, process_vm_readv: errors and effects. */
#include "show.h"
#include <sys/mman.h>
#include <sys/socket.h>

int main(void) {
  enter_directory();
  char b[300];
  int st2[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, st2);
  int f = open("f", O_RDONLY|O_CREAT, 0600);
  SHOW(mmap(0, 4096, 3, MAP_SHARED, f, 0));
  SHOW(mmap(0, 4096, 1, MAP_SHARED, f, 0) != MAP_FAILED);
  SHOW(mmap(0, 4096, 1, MAP_SHARED, 99, 0));
  SHOW(mmap(0, 0, 1, MAP_SHARED, f, 0));
  SHOW(mmap(0, 4096, 1, MAP_SHARED, f, 5));
  SHOW(mmap(0, 4096, 1, 0, f, 0));
  int wf = open("f", O_WRONLY);
  SHOW(mmap(0, 4096, 1, MAP_PRIVATE, wf, 0));
  SHOW(mmap(0, 4096, 1, MAP_PRIVATE, st2[0], 0));
  int df = open(".", O_RDONLY);
  SHOW(mmap(0, 4096, 1, MAP_PRIVATE, df, 0));
  int z = open("/dev/zero", O_RDWR);
  char*zp = mmap(0, 4096, 3, MAP_PRIVATE, z, 0);
  printf("%d\n", zp[5]);
  int mf = memfd_create("x", MFD_ALLOW_SEALING);
  ftruncate(mf, 8192);
  char*mp = mmap(0, 8192, 3, MAP_SHARED, mf, 0);
  strcpy(mp, "mem");
  SHOW(read(mf, b, 3));
  SHOW(fcntl(mf, F_ADD_SEALS, F_SEAL_WRITE));
  munmap(mp, 8192);
  SHOW(fcntl(mf, F_ADD_SEALS, F_SEAL_WRITE|F_SEAL_SHRINK));
  SHOW(write(mf, "x", 1));
  SHOW(ftruncate(mf, 0));
  SHOW(mmap(0, 8192, 3, MAP_SHARED, mf, 0));
  SHOW(mmap(0, 8192, 1, MAP_SHARED, mf, 0) != MAP_FAILED);
  SHOW(fcntl(mf, F_GET_SEALS));
  SHOW(fcntl(f, F_GET_SEALS));
  SHOW(memfd_create("x", 99999));
  unsigned char vec[10];
  char*mm = mmap(0, 40960, 3, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
  mm[0] = mm[8192] = 1;
  SHOW(mincore(mm, 16384, vec));
  printf("%d%d%d%d\n", vec[0]&1, vec[1]&1, vec[2]&1, vec[3]&1);
  SHOW(mincore(mm+1, 1, vec));
  SHOW(mincore(mm, 4096, BAD));
  SHOW(mincore((void*)0x10000, 4096, vec));
  SHOW(mlock(mm, 4096));
  SHOW(munlock((void*)0x10000, 4096));
  SHOW(msync(mm+1, 1, MS_SYNC));
  SHOW(msync(mm, 4096, 99));
  SHOW(madvise(mm, 4096, 999));
  SHOW(mprotect(mm+1, 1, 1));
  SHOW(mprotect((void*)0x10000, 4096, 1));
  SHOW(munmap(mm+1, 1));
  SHOW(munmap(mm, 0));
  SHOW(syscall(SYS_pkey_alloc, 0, 0)==-1 || 1);
  SHOW(syscall(SYS_remap_file_pages, mm, 0, 0, 0, 0)==-1);
  struct iovec lo = {b, 5}, re = {mm, 5};
  SHOW(process_vm_readv(getpid(), &lo, 1, &re, 1, 0));
  re.iov_base = (void*)8;
  SHOW(process_vm_readv(getpid(), &lo, 1, &re, 1, 0));
  SHOW(process_vm_readv(getpid(), &lo, 1, &re, 1, 1));
  SHOW(process_vm_readv(999999, &lo, 1, &re, 1, 0));
  return 0;
}
