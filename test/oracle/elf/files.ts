/** The good files that are damaged: a real program, and one made by hand that asks for an interpreter. */
import { readFileSync } from "node:fs";

const PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6, PT_GNU_STACK = 0x6474e551;
const R = 4, W = 2, X = 1;
const ET_EXEC = 2, ET_DYN = 3;

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

function elf(type: number, entry: number, segments: readonly Segment[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  segments.forEach((segment, index) => {
    const at = 64 + index * 56;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    [segment.offset, segment.address, segment.address, segment.fileSize, segment.memorySize, 4096].forEach((value, field) =>
      view.setBigUint64(at + 8 + field * 8, BigInt(value), true));
  });
  return bytes;
}

/** mov edi, 7; mov eax, 231 (exit_group); syscall */
const EXIT_7 = [0xbf, 7, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05];
/** mov rax, [rsp]; mov [rip + 0x1ff5], rax (the second page); then exits */
const TOUCH = [0x48, 0x8b, 0x04, 0x24, 0x48, 0x89, 0x05, 0xf5, 0x1f, 0x00, 0x00, ...EXIT_7];

/** A static program whose real work its interpreter does, and the interpreter. */
function interpreted(): { main: Uint8Array; interpreter: Uint8Array } {
  const main = elf(ET_EXEC, 0x40_1000, [
    { type: PT_PHDR, flags: R, offset: 64, address: 0x40_0040, fileSize: 5 * 56, memorySize: 5 * 56 },
    { type: PT_INTERP, flags: R, offset: 0x200, address: 0x40_0200, fileSize: 8, memorySize: 8 },
    { type: PT_LOAD, flags: R | X, offset: 0, address: 0x40_0000, fileSize: 0x1100, memorySize: 0x1100 },
    { type: PT_LOAD, flags: R | W, offset: 0x1800, address: 0x40_2800, fileSize: 0x400, memorySize: 0x3000 },
    { type: PT_GNU_STACK, flags: R | W, offset: 0, address: 0, fileSize: 0, memorySize: 0 },
  ], 0x1c00);
  main.set(new TextEncoder().encode("/interp\0"), 0x200);
  main.set(EXIT_7, 0x1000);
  const interpreter = elf(ET_DYN, 0x800, [
    { type: PT_LOAD, flags: R | X, offset: 0, address: 0, fileSize: 0x900, memorySize: 0x900 },
    { type: PT_LOAD, flags: R | W, offset: 0xa00, address: 0x2a00, fileSize: 0x100, memorySize: 0x2000 },
  ], 0xb00);
  interpreter.set(TOUCH, 0x800);
  return { main, interpreter };
}

/** One that runs as it is, and which of its files to damage. */
export interface Sample {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly damaged: string;
  /** Exit status of the undamaged program. */
  readonly status: number;
}

export function samples(): Sample[] {
  const { main, interpreter } = interpreted();
  const hello = new Uint8Array(readFileSync(new URL("../../../user/bin/hello", import.meta.url)));
  return [
    { name: "a static program", files: { guest: hello }, damaged: "guest", status: 0 },
    { name: "a program with an interpreter", files: { guest: main, interp: interpreter }, damaged: "guest", status: 7 },
    { name: "an interpreter", files: { guest: main, interp: interpreter }, damaged: "interp", status: 7 },
  ];
}
