/** Guest RAM: one WebAssembly.Memory, seen through typed views.
 *
 *  Invariant: views are taken from here and never kept across a call that may grow the memory or end the machine.
 *  Physical address = byte index. 64-bit words are read as two u32 halves or, off the hot path, as BigInt. */
import { KernelPanic } from "../base/assert.ts";
import { PAGE_SIZE } from "./physical-map.ts";
import { takeSpare } from "./ram-pool.ts";

const WASM_PAGE = 0x1_0000;
/** A Wasm memory has at most 65,536 pages; one less keeps every end address below 2^32. */
export const MAX_RAM_BYTES = 0x1_0000_0000 - WASM_PAGE;
/** Smallest RAM that holds the fixed areas and a useful number of frames. */
export const MIN_RAM_BYTES = 0x80_0000;

export class Ram {
  /** Size in bytes, a multiple of 64 KiB. */
  readonly bytes: number;
  /** Bytes that guests of machines before this one have written in the memory; they are zero again. */
  readonly writtenBefore: number;
  u8!: Uint8Array;
  u16!: Uint16Array;
  u32!: Uint32Array;
  i32!: Int32Array;
  u64!: BigUint64Array;
  f64!: Float64Array;
  view!: DataView;
  #memory: WebAssembly.Memory | undefined;

  /** All zeros. @param bytes wanted size; rounded down to 64 KiB. Throws RangeError when outside [MIN_RAM_BYTES, MAX_RAM_BYTES]. */
  constructor(bytes: number) {
    const size = Math.floor(bytes / WASM_PAGE) * WASM_PAGE;
    if (size < MIN_RAM_BYTES || size > MAX_RAM_BYTES) {
      throw new RangeError(`memory size must be between ${MIN_RAM_BYTES} and ${MAX_RAM_BYTES} bytes, got ${bytes}`);
    }
    this.bytes = size;
    const spare = takeSpare(size);
    this.#memory = spare?.memory ?? new WebAssembly.Memory({ initial: size / WASM_PAGE, maximum: size / WASM_PAGE });
    this.writtenBefore = spare?.written ?? 0;
    this.refreshViews();
  }

  /** What generated code imports. */
  get memory(): WebAssembly.Memory {
    if (this.#memory === undefined) throw new KernelPanic("RAM of a machine that has ended");
    return this.#memory;
  }

  /** Takes the views again; call after anything that may replace `memory.buffer`. */
  refreshViews(): void {
    const { buffer } = this.memory;
    if (buffer.byteLength !== this.bytes) throw new KernelPanic("RAM changed size", { bytes: buffer.byteLength });
    this.#view(buffer);
  }

  /** Ends this object's hold on the memory, which another machine may use next: from here on every view is empty, so whoever
   *  comes late changes nobody's bytes. */
  detach(): WebAssembly.Memory {
    const { memory } = this;
    this.#memory = undefined;
    this.#view(new ArrayBuffer(0));
    return memory;
  }

  #view(buffer: ArrayBuffer): void {
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u64 = new BigUint64Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Fills one frame with zero bytes. @hot */
  zeroFrame(frame: number): void {
    const start = frame * PAGE_SIZE;
    this.u8.fill(0, start, start + PAGE_SIZE);
  }

  /** Copies one whole frame. @hot */
  copyFrame(to: number, from: number): void {
    this.u8.copyWithin(to * PAGE_SIZE, from * PAGE_SIZE, from * PAGE_SIZE + PAGE_SIZE);
  }
}
