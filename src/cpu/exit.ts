/** Why the CPU stopped. The CPU never calls the kernel: it returns one of these and leaves the registers in RAM. Import-free leaf.
 *  Between functions of generated code a negative number takes the place of a kind: the guest has returned to RIP, and the number's complement
 *  is what is left of the budget. */

/** The instruction budget is used up; RIP is the next instruction. */
export const EXIT_BUDGET = 1;
/** `syscall` retired: rcx and r11 are set, RIP is the instruction after it. */
export const EXIT_SYSCALL = 2;
/** `int n` retired: RIP is the instruction after it, the vector is in `detail`. Vector 0x80 is the meniOS gate; int3 is an exception. */
export const EXIT_INTERRUPT = 3;
/** An access was denied: registers are as before the instruction; `faultAddress`, `faultErrorCode` and the resolver have the details. */
export const EXIT_PAGE_FAULT = 4;
/** An access needs data that is not there yet: registers are as before the instruction; park the thread and run it again. */
export const EXIT_BLOCKED = 5;
/** A processor exception, vector in `detail`. RIP is the faulting instruction, except for traps (#BP, #DB), where it is the next one. */
export const EXIT_EXCEPTION = 6;
/** Nothing is to be done but to run on: inside cpu, because code bytes changed; outside, because a repeated string operation has been at
 *  work for a while and the machine may have something more urgent. */
export const EXIT_CONTINUE = 7;
/** Internal to cpu: translated code met an access that only the cold engine may make; it runs this one instruction. */
export const EXIT_COLD_STEP = 8;
/** Internal to cpu: the instruction retired and RIP in the state is the next one, but the engine must look before it runs (TF was set). */
export const EXIT_RETIRED = 9;
export type ExitKind = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Exception vectors (Intel SDM 3A table 6-1). */
export const VECTOR_DE = 0;
export const VECTOR_DB = 1;
export const VECTOR_BP = 3;
export const VECTOR_OF = 4;
export const VECTOR_BR = 5;
export const VECTOR_UD = 6;
export const VECTOR_SS = 12;
export const VECTOR_GP = 13;
export const VECTOR_MF = 16;
export const VECTOR_AC = 17;
export const VECTOR_XM = 19;
