/** The register file of the running task: fixed RAM addresses, so generated code uses them as constants and a decoded
 *  record names a register by a 16-bit address. A task that is not running keeps a copy of [STATE_BASE, STATE_END).
 *
 *  Flags are six words instead of RFLAGS bits, so that arithmetic only stores what it has:
 *    ZF = (flagZero == 0)   SF = (flagSign < 0)   PF = even parity of the low byte of flagParity
 *    CF = (flagCarry < 0)   OF = (flagOverflow < 0)   AF = bit 4 of flagAdjust
 *  All six are i64. DF and the remaining RFLAGS bits live in flagDirection (0 or 1) and flagsOther. */
import { STATE_BASE } from "../memory/physical-map.ts";

/** General registers rax rcx rdx rbx rsp rbp rsi rdi r8…r15, 8 bytes each, in encoding order. AH = RAX_ADDRESS + 1. */
export const GPR = STATE_BASE;
/** Always 0: base, index or segment of an address that has none. */
export const ZERO = STATE_BASE + 0x80;
/** i64, the next instruction to run whenever the CPU is not executing. */
export const RIP = STATE_BASE + 0x88;
export const FLAG_ZERO = STATE_BASE + 0x90;
export const FLAG_SIGN = STATE_BASE + 0x98;
export const FLAG_PARITY = STATE_BASE + 0xa0;
export const FLAG_CARRY = STATE_BASE + 0xa8;
export const FLAG_OVERFLOW = STATE_BASE + 0xb0;
export const FLAG_ADJUST = STATE_BASE + 0xb8;
/** i64, DF as 0 or 1. */
export const FLAG_DIRECTION = STATE_BASE + 0xc0;
/** i32, RFLAGS bits that no arithmetic touches (TF, IF, NT, AC, ID), at their RFLAGS positions. */
export const FLAGS_OTHER = STATE_BASE + 0xc8;
export const FS_BASE = STATE_BASE + 0xd0;
export const GS_BASE = STATE_BASE + 0xd8;
/** i32. Initially 0x1f80. */
export const MXCSR = STATE_BASE + 0xe0;
/** i32, derived from MXCSR by every writer of it: FP_FAST_MASK when rounding is to nearest, all exceptions are masked and PE is
 *  already set, else 0. In that mode an SSE operation on operands that are not denormal, with a normal result, has no further effect;
 *  FTZ and DAZ are then as good as off. */
export const FP_FAST = STATE_BASE + 0xe4;
/** Bits that tell an ordinary number of either width: those of its exponent but the lowest, and the sign of what is added to it
 *  (instructions/float.ts). */
export const FP_FAST_MASK = 0x7e00_0000;
/** MXCSR: rounding, masks and PE, and what they are then. */
export const MXCSR_FAST_BITS = 0x7fa0;
export const MXCSR_FAST = 0x1fa0;

/** x87: eight physical registers R0…R7 of 16 bytes: significand u64 at +0, sign and exponent u16 at +8. */
export const X87_REGISTERS = STATE_BASE + 0x100;
/** u16 control word (initially 0x37f). */
export const X87_CONTROL = STATE_BASE + 0x180;
/** u16 status word without TOP (bits 13:11 are kept 0 here). */
export const X87_STATUS = STATE_BASE + 0x182;
/** u16 top of stack, 0…7. */
export const X87_TOP = STATE_BASE + 0x184;
/** u16, bit i set when physical register Ri holds a value (the abridged tag of FXSAVE). */
export const X87_VALID = STATE_BASE + 0x186;
/** u16 last opcode (11 bits), then u64 last instruction and operand addresses. */
export const X87_OPCODE = STATE_BASE + 0x188;
export const X87_INSTRUCTION = STATE_BASE + 0x190;
export const X87_OPERAND = STATE_BASE + 0x198;
/** u16 selectors of ES, –, –, DS, FS, GS, 0 after execve. CS and SS have one value each in user mode and are not kept. */
export const SEGMENT_SELECTORS = STATE_BASE + 0x1a0;

/** Sixteen vector registers of 32 bytes (room for 256 bits; SSE uses the low 16). */
export const VECTOR = STATE_BASE + 0x200;
export const VECTOR_STRIDE = 32;

/** End of what belongs to a task. */
export const STATE_END = STATE_BASE + 0x400;

/** Mailbox between generated code and TypeScript; belongs to no task. */
export const EXIT_RECORD = STATE_BASE + 0x400;
export const EXIT_BUDGET = STATE_BASE + 0x404;
export const EXIT_DETAIL = STATE_BASE + 0x408;
/** i32, kind of the exit that a denied access, a service or a failed look-up asks for (cpu/exit.ts). */
export const EXIT_KIND = STATE_BASE + 0x410;
/** i32, what SSE helpers have to say; each begins with 0. One word, so that what was stored is loaded in the same width. */
export const FP_NOTICE = STATE_BASE + 0x40c;
/** An unmasked floating-point exception must be delivered: #XM. */
export const NOTICE_EXCEPTION = 1;
/** An operand or the result is denormal, which translated code may have taken for impossible. */
export const NOTICE_DENORMAL = 2;
/** FP_FAST has become FP_FAST_MASK since the region read it. */
export const NOTICE_FAST = 4;
/** An x87 instruction met what a region that keeps the stack in locals does not do. */
export const NOTICE_STACK = 8;
/** An operand is larger or smaller than translated code has taken it for. */
export const NOTICE_MAGNITUDE = 16;
/** Translated code does not fit FP_FAST: it takes the mode to be fast where it is not, or asks more than it needs to where it is. */
export const NOTICE_MODE = 32;
/** i32, advanced by every change of an executable mapping of the active address space. */
export const CODE_EPOCH = STATE_BASE + 0x414;
/** i64, where translated code last went on to by way of the jump cache. */
export const LAST_LANDING = STATE_BASE + 0x418;
/** i32 kind of the flags that translated code left as operands, and the operands, i64 (lazy-flags.ts). The kind is 0 (nothing is lazy)
 *  whenever no translated code runs. */
export const LAZY_KIND = STATE_BASE + 0x460;
export const LAZY_X = STATE_BASE + 0x468;
export const LAZY_Y = STATE_BASE + 0x470;
/** i32, bytes that calls between regions may still take of the host's stack, as the regions estimate what they take. */
export const HOST_STACK_LEFT = STATE_BASE + 0x478;
/** i32, budget at which the loop that runs asks anew for how many turns it may go on. In RAM, not a local: V8 would compute it again in every turn. */
export const LEAST_BUDGET = STATE_BASE + 0x47c;
/** What there is at first: of the 500 KB that the smallest stacks of today's hosts have (a Worker's in Chromium). */
export const HOST_STACK = 300_000;
/** 16-byte helper argument and result slots: helpers take and give values wider than 64 bits through them. */
export const SCRATCH_A = STATE_BASE + 0x420;
export const SCRATCH_B = STATE_BASE + 0x430;
export const SCRATCH_C = STATE_BASE + 0x440;
export const SCRATCH_D = STATE_BASE + 0x450;
/** A read that straddles pages is gathered here (up to 64 bytes). */
export const BOUNCE_READ = STATE_BASE + 0x480;
/** A write that straddles pages or hits a watched frame lands here first (up to 64 bytes) and is then flushed. */
export const BOUNCE_WRITE = STATE_BASE + 0x500;

export const RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
export const gprAddress = (register: number): number => GPR + register * 8;
export const vectorAddress = (register: number): number => VECTOR + register * VECTOR_STRIDE;
