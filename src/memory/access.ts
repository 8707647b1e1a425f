/** How memory is touched, and the words in which a failed walk is told. Import-free leaf. */

/** The three kinds of access a translation distinguishes. */
export const READ = 0;
export const WRITE = 1;
export const EXECUTE = 2;
export type Access = typeof READ | typeof WRITE | typeof EXECUTE;

/** Page-fault error code bits (Intel SDM 3A §4.7). */
export const PF_PRESENT = 1 << 0;
export const PF_WRITE = 1 << 1;
export const PF_USER = 1 << 2;
export const PF_RESERVED = 1 << 3;
export const PF_FETCH = 1 << 4;

/** What a resolver made of a fault. */
export const RESOLVED = 0;
export const DENIED = 1;
export const BLOCKED = 2;
export type FaultOutcome = typeof RESOLVED | typeof DENIED | typeof BLOCKED;

/** Implemented by vm, called by the MMU when a walk fails. */
export interface FaultResolver {
  /** Makes `address` accessible or says why not. `errorCode` is the Intel #PF error code.
   *  RESOLVED: walk again. DENIED: details are kept by the resolver for the signal. BLOCKED: the thread must be parked. */
  resolveFault(address: number, errorCode: number): FaultOutcome;
}

/** Told when guest code bytes may have changed, so that decoded or translated code can be dropped. Implemented by cpu. */
export interface CodeListener {
  /** Bytes [offset, offset+length) of a frame that holds translations were written. */
  codeWritten(frame: number, offset: number, length: number): void;
  /** The frame is being released or replaced; nothing decoded from it may run again. */
  codeReleased(frame: number): void;
  /** Some executable mapping of the active address space was removed, narrowed or redirected to another frame. */
  executableMappingChanged(): void;
}
