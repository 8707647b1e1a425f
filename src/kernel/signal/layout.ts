/** The signal frame of Linux on x86-64, byte for byte (arch/x86/include/uapi/asm/{sigcontext,ucontext}.h).
 *
 *   rsp on entry →  +0    pretcode: sa_restorer, the handler's return address
 *                   +8    struct ucontext (304 bytes)
 *                           +0 uc_flags  +8 uc_link  +16 uc_stack{sp, flags, size}  +40 mcontext (256)  +296 uc_sigmask
 *                   +312  struct siginfo (128 bytes)
 *   above it, 64-byte aligned: the FXSAVE image (512 bytes) that mcontext.fpstate points to.
 *
 *  This machine reports no XSAVE, so the image is the legacy one alone. Import-free leaf. */

export const FRAME_BYTES = 440;
export const FRAME_UCONTEXT = 8;
export const FRAME_SIGINFO = 312;
export const FXSAVE_BYTES = 512;

export const UC_FLAGS = 0, UC_LINK = 8, UC_STACK_SP = 16, UC_STACK_FLAGS = 24, UC_STACK_SIZE = 32, UC_MCONTEXT = 40, UC_SIGMASK = 296;
export const UCONTEXT_BYTES = 304;
/** uc_flags: the ss selector is saved, and sigreturn takes it as it is. */
export const UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4;

/** struct sigcontext: register numbers in the order they are stored, from offset 0, eight bytes each. */
export const MCONTEXT_REGISTERS = [8, 9, 10, 11, 12, 13, 14, 15, 7, 6, 5, 3, 2, 0, 1, 4];
export const MC_RIP = 128, MC_EFLAGS = 136, MC_CS = 144, MC_GS = 146, MC_FS = 148, MC_SS = 150, MC_ERR = 152, MC_TRAPNO = 160;
export const MC_OLDMASK = 168, MC_CR2 = 176, MC_FPSTATE = 184;

/** Selectors of 64-bit user code and data. */
export const USER_CS = 0x33, USER_SS = 0x2b;
/** Bytes below rsp that belong to the interrupted function (System V ABI, "red zone"). */
export const RED_ZONE = 128;
