/** The floating-point environment of one helper call: what was asked (rounding, flushing, masks) and what happened
 *  (exceptions raised so far). Filled from MXCSR or from the x87 control word when a helper begins; exception and
 *  rounding encodings are the same in both (Intel SDM 1, 8.1.3 and 10.2.3). */

export const INVALID: i32 = 0x01;
export const DENORMAL: i32 = 0x02;
export const ZERO_DIVIDE: i32 = 0x04;
export const OVERFLOW: i32 = 0x08;
export const UNDERFLOW: i32 = 0x10;
export const PRECISION: i32 = 0x20;
export const ALL_EXCEPTIONS: i32 = 0x3f;
/** Found by looking at the operands: when one of these is not masked there is no computation. */
export const BEFORE_COMPUTATION: i32 = INVALID | DENORMAL | ZERO_DIVIDE;

export const NEAREST: i32 = 0;
export const DOWN: i32 = 1;
export const UP: i32 = 2;
export const TRUNCATE: i32 = 3;

/** Exceptions raised since {@link openEnvironment}. */
export let raised: i32 = 0;
/** Exceptions whose delivery is masked. */
export let masks: i32 = ALL_EXCEPTIONS;
export let rounding: i32 = NEAREST;
/** MXCSR.DAZ: denormal operands count as zero. */
export let flushInputs: bool = false;
/** MXCSR.FTZ with underflow masked: tiny results become zero. */
export let flushOutputs: bool = false;

export function openEnvironment(mode: i32, masked: i32, denormalsAreZero: bool, flushToZero: bool): void {
  raised = 0;
  rounding = mode;
  masks = masked;
  flushInputs = denormalsAreZero;
  flushOutputs = flushToZero;
}

export function raise(exceptions: i32): void {
  raised |= exceptions;
}

/** Replaces what has been raised: for operations whose steps report differently from the whole. */
export function setRaised(exceptions: i32): void {
  raised = exceptions;
}

export function setRounding(mode: i32): void {
  rounding = mode;
}
