/** Where a case lives, natively and under us, and the layout of its bytes on the pipe (runner.c has the same structures). */

export const CODE = 0x1000_0000;
export const MEMORY = 0x2000_0000;
export const PAGE = 4096;
/** P0 P1 read-write, P2 unmapped, P3 read-only, P4 read-write. */
export const BOUNDARY = MEMORY + PAGE;
export const UNMAPPED = MEMORY + 2 * PAGE;
export const READ_ONLY = MEMORY + 3 * PAGE;
export const AFTER_READ_ONLY = MEMORY + 4 * PAGE;
/** Windows that are reset before and compared after every case: [offset in MEMORY, length, offset in an output]. */
export const WINDOWS = [
  { offset: 0xe00, length: 1024, out: 704 },
  { offset: 0x1fc0, length: 64, out: 1728 },
  { offset: 0x4000, length: 64, out: 1792 },
] as const;
/** Segment bases: within reach of 32-bit addresses. */
export const FS_BASE_VALUE = 0x1234_5670;
export const GS_BASE_VALUE = 0x0fff_fff8;

export const IN_BYTES = 768;
export const IN_RFLAGS = 128;
export const IN_CODE_OFFSET = 136;
export const IN_CODE_LENGTH = 140;
export const IN_CODE = 144;
export const IN_PATCH_OFFSET = 160;
export const IN_PATCH_LENGTH = 164;
export const IN_PATCH = 176;
export const IN_FX = 256;

export const OUT_BYTES = 1856;
export const OUT_RFLAGS = 128;
export const OUT_RIP = 136;
export const OUT_SIGNAL = 144;
export const OUT_TRAP = 148;
export const OUT_ERROR = 152;
export const OUT_CR2 = 160;
export const OUT_FX = 192;

/** In an FXSAVE image (SDM 1 table 10-2). */
export const FX_CONTROL = 0;
export const FX_STATUS = 2;
export const FX_TAG = 4;
export const FX_MXCSR = 24;
export const FX_ST = 32;
export const FX_XMM = 160;
export const FX_END = 416;
