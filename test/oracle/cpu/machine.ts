/** Our side: RAM, page tables and the cold engine with the same pages at the same addresses, and no kernel. */
import { readFileSync } from "node:fs";
import { ColdCpu, type CpuModules } from "../../../src/cpu/cold/engine.ts";
import { HandlerTable } from "../../../src/cpu/cold/handler-table.ts";
import { buildColdModule } from "../../../src/cpu/cold/handlers.ts";
import {
  EXIT_BLOCKED,
  EXIT_BUDGET,
  EXIT_EXCEPTION,
  EXIT_INTERRUPT,
  EXIT_PAGE_FAULT,
  EXIT_SYSCALL,
  type ExitKind,
  VECTOR_UD,
} from "../../../src/cpu/exit.ts";
import {
  GPR,
  VECTOR,
  VECTOR_STRIDE,
  X87_CONTROL,
  X87_OPCODE,
  X87_OPERAND,
  X87_REGISTERS,
  X87_STATUS,
  X87_TOP,
  X87_VALID,
} from "../../../src/cpu/state.ts";
import { DENIED } from "../../../src/memory/access.ts";
import { CodeGuard } from "../../../src/memory/code-guard.ts";
import { FrameAllocator } from "../../../src/memory/frames.ts";
import { Mmu } from "../../../src/memory/mmu.ts";
import { PageTables } from "../../../src/memory/page-table.ts";
import { PTE_HIGH_NX, PTE_PRESENT, PTE_USER, PTE_WRITABLE } from "../../../src/memory/pte.ts";
import { Ram } from "../../../src/memory/ram.ts";
import { Tlb } from "../../../src/memory/tlb.ts";
import "../../../src/cpu/instructions/index.ts";
import {
  CODE,
  FS_BASE_VALUE,
  FX_CONTROL,
  FX_MXCSR,
  FX_ST,
  FX_STATUS,
  FX_TAG,
  FX_XMM,
  GS_BASE_VALUE,
  IN_CODE,
  IN_CODE_LENGTH,
  IN_CODE_OFFSET,
  IN_FX,
  IN_PATCH,
  IN_PATCH_LENGTH,
  IN_PATCH_OFFSET,
  IN_RFLAGS,
  MEMORY,
  OUT_CR2,
  OUT_ERROR,
  OUT_FX,
  OUT_RFLAGS,
  OUT_RIP,
  OUT_SIGNAL,
  OUT_TRAP,
  PAGE,
  WINDOWS,
} from "./layout.ts";

/** The handlers are built here, so that they always match the sources; the helpers come from the build. */
function modules(): CpuModules {
  return {
    cold: new WebAssembly.Module(buildColdModule(new HandlerTable()) as Uint8Array<ArrayBuffer>),
    helpers: new WebAssembly.Module(readFileSync(new URL("../../../dist/helpers.wasm", import.meta.url))),
  };
}

/** Our outcome of a case in the native layout; `signal` is 1 for any exit but the budget's. */
export class OurMachine {
  readonly ram = new Ram(32 * 0x10_0000);
  readonly cpu: ColdCpu;
  readonly initial: Uint8Array;
  /** Host addresses of the code pages and of P0, P1, P3, P4. */
  readonly #code: number[] = [];
  readonly #memory: number[] = [];
  #lastCode = "";
  #lastOffset = 0;

  readonly #filler: number;

  /** @param engine "interp" runs one instruction on the cold engine. "jit" translates it first and lets it run up to the filler, which
   *  is an undefined opcode there: a budget of one instruction is not enough to enter a translation. */
  constructor(initial: Uint8Array, engine: "interp" | "jit") {
    this.initial = initial;
    this.#filler = engine === "jit" ? 0x06 : 0xcc;
    const frames = new FrameAllocator(this.ram);
    const tlb = new Tlb(this.ram);
    const guard = new CodeGuard(frames, tlb);
    const tables = new PageTables(this.ram, frames);
    const mmu = new Mmu(this.ram, frames, tlb, guard);
    this.cpu = new ColdCpu(this.ram, mmu, modules(), { engine, translateEagerly: engine === "jit" });
    const root = tables.createRoot();
    mmu.activate(root, { resolveFault: () => DENIED });
    const page = (address: number, bits: number, high: number): number => {
      const frame = frames.allocZeroed();
      tables.map(root, address, frame, PTE_PRESENT | PTE_USER | bits, high);
      return frame * PAGE;
    };
    for (let i = 0; i < 2; i++) this.#code.push(page(CODE + i * PAGE, 0, 0));
    for (const i of [0, 1, 3, 4]) this.#memory.push(page(MEMORY + i * PAGE, i === 3 ? 0 : PTE_WRITABLE, PTE_HIGH_NX));
    for (const at of this.#code) this.ram.u8.fill(this.#filler, at, at + PAGE);
    this.#memory.forEach((at, i) => this.ram.u8.set(initial.subarray(i * PAGE, (i + 1) * PAGE), at));
  }

  /** Runs the case at `at` in `inputs` and leaves the outcome in `out`. */
  run(inputs: Uint8Array, view: DataView, at: number, out: Uint8Array, outView: DataView): void {
    const { ram, cpu } = this;
    const { registers } = cpu;
    this.#placeCode(inputs, view, at);
    this.#placeMemory(inputs, view, at);
    ram.u8.set(inputs.subarray(at, at + 128), GPR);
    registers.rflags = view.getUint32(at + IN_RFLAGS, true);
    registers.fsBase = FS_BASE_VALUE;
    registers.gsBase = GS_BASE_VALUE;
    const start = CODE + view.getUint32(at + IN_CODE_OFFSET, true);
    registers.rip = start;
    this.#loadFx(inputs, view, at + IN_FX);
    let kind: ExitKind;
    if (this.#filler === 0xcc) kind = cpu.run(1);
    else {
      kind = cpu.run(1_000_000);
      // Arrived after the instruction, or where it branched to.
      if (kind === EXIT_EXCEPTION && cpu.detail === VECTOR_UD && registers.rip !== start) kind = EXIT_BUDGET;
    }
    out.set(ram.u8.subarray(GPR, GPR + 128), 0);
    outView.setUint32(OUT_RFLAGS, registers.rflags, true);
    outView.setUint32(OUT_RFLAGS + 4, 0, true);
    outView.setBigUint64(OUT_RIP, ram.view.getBigUint64(0x1088, true), true);
    this.#describe(kind, outView, start);
    this.#storeFx(out, outView);
    for (const w of WINDOWS) {
      if (w.length === 64) {
        const host = this.#host(w.offset);
        out.set(ram.u8.subarray(host, host + 64), w.out);
      } else {
        out.set(ram.u8.subarray(this.#memory[0] + 0xe00, this.#memory[0] + PAGE), w.out);
        out.set(ram.u8.subarray(this.#memory[1], this.#memory[1] + 512), w.out + 512);
      }
    }
  }

  /** Bytes changed outside the windows; puts them back. */
  strays(): number {
    let found = 0;
    const { u8 } = this.ram;
    for (const [i, at] of this.#memory.entries()) {
      for (let o = 0; o < PAGE; o++) {
        const address = [0, PAGE, 3 * PAGE, 4 * PAGE][i] + o;
        if (WINDOWS.some((w) => address >= w.offset && address < w.offset + w.length)) continue;
        if (u8[at + o] === this.initial[i * PAGE + o]) continue;
        found++;
        u8[at + o] = this.initial[i * PAGE + o];
      }
    }
    return found;
  }

  #host(offset: number): number {
    const index = offset < PAGE ? 0 : offset < 2 * PAGE ? 1 : offset < 4 * PAGE ? 2 : 3;
    return this.#memory[index] + (offset % PAGE);
  }
  #placeCode(inputs: Uint8Array, view: DataView, at: number): void {
    const { ram, cpu } = this;
    const offset = view.getUint32(at + IN_CODE_OFFSET, true);
    const length = view.getUint32(at + IN_CODE_LENGTH, true);
    let key = `${offset}:`;
    for (let i = 0; i < length; i++) key += String.fromCharCode(inputs[at + IN_CODE + i]);
    if (key === this.#lastCode) return;
    this.#lastCode = key;
    const put = (where: number, byte: number): void => {
      ram.u8[this.#code[where >= PAGE ? 1 : 0] + (where % PAGE)] = byte;
    };
    for (let i = 0; i < 32; i++) put(this.#lastOffset + i, this.#filler);
    this.#lastOffset = offset;
    for (let i = 0; i < length; i++) put(offset + i, inputs[at + IN_CODE + i]);
    for (const host of this.#code) cpu.codeWritten(host / PAGE, 0, PAGE);
  }
  #placeMemory(inputs: Uint8Array, view: DataView, at: number): void {
    const { u8 } = this.ram;
    u8.set(this.initial.subarray(0xe00, 0x1000), this.#memory[0] + 0xe00);
    u8.set(this.initial.subarray(0x1000, 0x1200), this.#memory[1]);
    u8.set(this.initial.subarray(0x1fc0, 0x2000), this.#memory[1] + 0xfc0);
    u8.set(this.initial.subarray(0x3000, 0x3040), this.#memory[3]);
    const length = view.getUint32(at + IN_PATCH_LENGTH, true);
    const offset = view.getUint32(at + IN_PATCH_OFFSET, true);
    for (let i = 0; i < length; i++) u8[this.#host(offset + i)] = inputs[at + IN_PATCH + i];
  }

  #loadFx(inputs: Uint8Array, view: DataView, fx: number): void {
    const { ram } = this;
    const status = view.getUint16(fx + FX_STATUS, true);
    const top = (status >> 11) & 7;
    ram.u16[X87_CONTROL >>> 1] = view.getUint16(fx + FX_CONTROL, true);
    ram.u16[X87_STATUS >>> 1] = status & ~0x3800;
    ram.u16[X87_TOP >>> 1] = top;
    ram.u16[X87_VALID >>> 1] = inputs[fx + FX_TAG];
    ram.u8.fill(0, X87_OPCODE, X87_OPERAND + 8);
    for (let i = 0; i < 8; i++) {
      const to = X87_REGISTERS + ((top + i) & 7) * 16;
      ram.u8.set(inputs.subarray(fx + FX_ST + i * 16, fx + FX_ST + i * 16 + 10), to);
    }
    this.cpu.registers.mxcsr = view.getUint32(fx + FX_MXCSR, true);
    for (let i = 0; i < 16; i++) ram.u8.set(inputs.subarray(fx + FX_XMM + i * 16, fx + FX_XMM + i * 16 + 16), VECTOR + i * VECTOR_STRIDE);
  }
  #storeFx(out: Uint8Array, view: DataView): void {
    const { ram } = this;
    const top = ram.u16[X87_TOP >>> 1];
    view.setUint16(OUT_FX + FX_CONTROL, ram.u16[X87_CONTROL >>> 1], true);
    view.setUint16(OUT_FX + FX_STATUS, ram.u16[X87_STATUS >>> 1] | (top << 11), true);
    out[OUT_FX + FX_TAG] = ram.u16[X87_VALID >>> 1];
    for (let i = 0; i < 8; i++) {
      const from = X87_REGISTERS + ((top + i) & 7) * 16;
      out.set(ram.u8.subarray(from, from + 10), OUT_FX + FX_ST + i * 16);
    }
    view.setUint32(OUT_FX + FX_MXCSR, this.cpu.registers.mxcsr, true);
    for (let i = 0; i < 16; i++)
      out.set(ram.u8.subarray(VECTOR + i * VECTOR_STRIDE, VECTOR + i * VECTOR_STRIDE + 16), OUT_FX + FX_XMM + i * 16);
  }

  /** Our exit in the terms of a signal frame. */
  #describe(kind: ExitKind, out: DataView, start: number): void {
    const { cpu } = this;
    let trap = -1;
    let error = 0;
    let address = 0;
    switch (kind) {
      case EXIT_BUDGET:
        break;
      case EXIT_PAGE_FAULT:
        // A branch whose target cannot be fetched has been taken all the same.
        trap = cpu.faultNonCanonical ? 13 : 14;
        error = cpu.faultErrorCode;
        address = cpu.faultAddress;
        if (cpu.registers.rip !== start) trap = -1;
        break;
      case EXIT_EXCEPTION:
        trap = cpu.detail;
        break;
      case EXIT_INTERRUPT:
      case EXIT_SYSCALL:
      case EXIT_BLOCKED:
        trap = 100 + kind;
        break;
    }
    out.setUint32(OUT_SIGNAL, trap < 0 ? 0 : 1, true);
    out.setUint32(OUT_TRAP, Math.max(trap, 0), true);
    out.setUint32(OUT_ERROR, error, true);
    out.setBigUint64(OUT_CR2, BigInt.asUintN(64, BigInt(address)), true);
  }
}
