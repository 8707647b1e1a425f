/** Branded numbers. User addresses are below 2^47, so every one of them is exact in a `number`. */

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Virtual address in bytes, canonical lower half unless stated otherwise. */
export type VirtAddr = Branded<"VirtAddr">;
/** Byte offset in guest RAM, which is also the index into the WebAssembly memory. Below 2^32. */
export type PhysAddr = Branded<"PhysAddr">;
/** Page frame number: `PhysAddr / 4096`. */
export type Pfn = Branded<"Pfn">;
/** Process or thread id as `getpid(2)` and `gettid(2)` report it. */
export type Pid = Branded<"Pid">;
/** A length in bytes. */
export type Bytes = number;

export const virt = (address: number): VirtAddr => address as VirtAddr;
export const phys = (address: number): PhysAddr => address as PhysAddr;
export const pfn = (frame: number): Pfn => frame as Pfn;
export const pid = (id: number): Pid => id as Pid;
