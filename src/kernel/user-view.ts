/** User memory for whoever only looks (strace, reports): what is present is read, nothing is faulted in or marked. */
import { READ } from "../memory/access.ts";
import type { Mmu } from "../memory/mmu.ts";
import { PAGE_SIZE } from "../memory/physical-map.ts";
import type { Ram } from "../memory/ram.ts";
import type { UserView } from "../trace/event.ts";
import type { AddressSpace } from "../vm/address-space.ts";

export class UserMemoryView implements UserView {
  missed = false;
  readonly #mmu: Mmu;
  readonly #space: AddressSpace;
  readonly #ram: Ram;

  constructor(mmu: Mmu, space: AddressSpace, ram: Ram) {
    this.#mmu = mmu;
    this.#space = space;
    this.#ram = ram;
  }

  peek(address: number, length: number): Uint8Array | undefined {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const physical = this.#mmu.probeIn(this.#space.root, address + done, READ);
      if (physical < 0) return this.#miss();
      const count = Math.min(length - done, PAGE_SIZE - (physical % PAGE_SIZE));
      bytes.set(this.#ram.u8.subarray(physical, physical + count), done);
      done += count;
    }
    return bytes;
  }

  peekString(address: number, max: number): Uint8Array | undefined {
    const bytes: number[] = [];
    let at = address;
    while (bytes.length < max) {
      const physical = this.#mmu.probeIn(this.#space.root, at, READ);
      if (physical < 0) return this.#miss();
      const end = Math.min(PAGE_SIZE - (physical % PAGE_SIZE), max - bytes.length);
      for (let index = 0; index < end; index++) {
        const byte = this.#ram.u8[physical + index];
        if (byte === 0) return Uint8Array.from(bytes);
        bytes.push(byte);
      }
      at += end;
    }
    return Uint8Array.from(bytes);
  }

  #miss(): undefined {
    this.missed = true;
    return undefined;
  }
}
