#ifndef _SYS_SYSCALL_H
#define _SYS_SYSCALL_H
#include <menios/abi.h>
#endif
