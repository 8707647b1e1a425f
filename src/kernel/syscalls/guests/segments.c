/* System V shared memory. */
#include "show.h"
#include <sys/shm.h>

int main(void) {
  enter_directory();
  int key = getpid();
  SHOW(shmget(key, 0, IPC_CREAT|0600));
  SHOW(shmget(key, 4096, 0));
  int id = shmget(key, 5000, IPC_CREAT|IPC_EXCL|0600);
  SHOW(shmget(key, 5000, IPC_CREAT|IPC_EXCL|0600));
  SHOW(shmget(key, 6000, 0));
  SHOW(shmget(key, 100, 0) == id);
  char*a = shmat(id, 0, 0);
  strcpy(a, "shared");
  if (!fork()) {
    strcat(a, " child");
    struct shmid_ds ds;
    shmctl(id, IPC_STAT, &ds);
    printf("nattch %lu size %lu mode %o\n", ds.shm_nattch, ds.shm_segsz, ds.shm_perm.mode);
    _exit(0);
  }
  wait(0);
  puts(a);
  char*a2 = shmat(id, 0, SHM_RDONLY);
  puts(a2);
  SHOW(shmat(id, a+1, 0));
  SHOW(shmat(id, a, 0));
  SHOW(shmat(9999999, 0, 0));
  SHOW(shmctl(id, IPC_RMID, 0));
  struct shmid_ds ds;
  SHOW(shmctl(id, IPC_STAT, &ds));
  printf("%o %lu\n", ds.shm_perm.mode, ds.shm_nattch);
  SHOW(shmget(key, 100, 0));
  SHOW(shmdt(a+4096));
  SHOW(shmdt(a));
  SHOW(shmdt(a));
  SHOW(shmdt(a2));
  SHOW(shmctl(id, IPC_STAT, &ds));
  SHOW(shmctl(id, 99, 0));
  return 0;
}
