/** What execve makes of files: good ones, `#!` scripts, and thousands of damaged ones. */
import { describe, expect, test } from "vitest";
import { E2BIG, EACCES, EINVAL, ELIBBAD, ELOOP, ENOENT, ENOEXEC } from "../../abi/linux/errno.ts";
import { ET_DYN, ET_EXEC, PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD } from "../../abi/elf.ts";
import { stringToBytes } from "../../fs/names.ts";
import { ScriptedCpu } from "../scripted-cpu.ts";
import { TestWorld } from "../test-world.ts";
import { checkAddressSpace } from "../../vm/check.ts";
import { parseScript } from "./script.ts";
import { buildStack } from "./stack.ts";

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align?: number;
}

/** An ELF file of three pages with these program headers. */
function elf(segments: readonly Segment[], type = ET_EXEC, entry = 0x40_0100): Uint8Array {
  const bytes = new Uint8Array(3 * 4096).fill(0x90);
  const view = new DataView(bytes.buffer);
  bytes.fill(0, 0, 64 + segments.length * 56);
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
    view.setBigUint64(at + 8, BigInt(segment.offset), true);
    view.setBigUint64(at + 16, BigInt(segment.address), true);
    view.setBigUint64(at + 32, BigInt(segment.fileSize), true);
    view.setBigUint64(at + 40, BigInt(segment.memorySize), true);
    view.setBigUint64(at + 48, BigInt(segment.align ?? 4096), true);
  });
  return bytes;
}
const TEXT: Segment = { type: PT_LOAD, flags: PF_R | PF_X, offset: 0, address: 0x40_0000, fileSize: 0x1000, memorySize: 0x1000 };
const DATA: Segment = { type: PT_LOAD, flags: PF_R | PF_W, offset: 0x1000, address: 0x40_1000, fileSize: 0x800, memorySize: 0x5000 };
const STACK: Segment = { type: PT_GNU_STACK, flags: PF_R | PF_W, offset: 0, address: 0, fileSize: 0, memorySize: 0 };

/** A machine whose programs all exit at once. */
const world = (): TestWorld => new TestWorld((ram) => new ScriptedCpu(ram, (cpu) => cpu.call(60, 0)), { ramBytes: 32 << 20 });

function start(file: Uint8Array, mode = 0o755): number | "runs" {
  const machine = world();
  machine.write("/program", file, mode);
  const started = machine.start("/program");
  if (typeof started === "number") return started;
  checkAddressSpace(started.leader.image.space);
  machine.run();
  expect(machine.kernel.leakReport()).toEqual([]);
  return "runs";
}

describe("programs", () => {
  test("a static program runs", () => expect(start(elf([TEXT, DATA, STACK]))).toBe("runs"));
  test("a position-independent program runs", () => {
    const shift = (segment: Segment): Segment => ({ ...segment, address: segment.address - 0x40_0000 });
    expect(start(elf([shift(TEXT), shift(DATA), STACK], ET_DYN, 0x100))).toBe("runs");
  });
  test("files that are no programs are refused as Linux refuses them", () => {
    expect(start(new Uint8Array(0))).toBe(-ENOEXEC);
    expect(start(stringToBytes("echo hi\n"))).toBe(-ENOEXEC);
    expect(start(elf([TEXT]), 0o644)).toBe(-EACCES);
    expect(start(elf([{ ...TEXT, memorySize: 0x800 }]))).toBe(-EINVAL);
    expect(start(elf([]))).toBe(-ENOEXEC);
    expect(start(elf([TEXT, { type: PT_INTERP, flags: PF_R, offset: 0x2000, address: 0, fileSize: 10, memorySize: 10 }]))).toBe(-ENOEXEC);
  });
  test("an interpreter that is not there or not ELF", () => {
    const file = elf([TEXT, { type: PT_INTERP, flags: PF_R, offset: 0x2000, address: 0, fileSize: 5, memorySize: 5 }]);
    file.set(stringToBytes("/lib\0"), 0x2000);
    expect(start(file)).toBe(-ENOENT);
    const machine = world();
    machine.write("/program", file);
    machine.write("/lib", stringToBytes("not elf"));
    expect(machine.start("/program")).toBe(-ELIBBAD);
  });
});

describe("scripts", () => {
  test("the interpreter, its one argument and the script's name come first", () => {
    expect(parseScript(stringToBytes("#! /bin/sh  -e x \nrest"))).toEqual({ interpreter: stringToBytes("/bin/sh"), argument: stringToBytes("-e x") });
    expect(parseScript(stringToBytes("#!/bin/sh"))).toEqual({ interpreter: stringToBytes("/bin/sh"), argument: undefined });
    expect(parseScript(stringToBytes("#!  \n"))).toBe(-ENOEXEC);
    expect(parseScript(stringToBytes(`#!/${"x".repeat(300)}`))).toBe(-ENOEXEC);
  });
  test("a script runs its interpreter, which may be a script", () => {
    const machine = world();
    machine.write("/program", elf([TEXT, DATA]));
    machine.write("/one", stringToBytes("#!/program arg\n"));
    machine.write("/two", stringToBytes("#!/one\n"));
    const process = machine.start("/two", ["two", "last"]);
    if (typeof process === "number") throw new Error(String(process));
    const { space, argStart, argEnd } = process.leader.image;
    const bytes = machine.kernel.userView(process.leader).peek(argStart, argEnd - argStart)!;
    expect(String.fromCharCode(...bytes).split("\0")).toEqual(["/program", "arg", "/one", "/two", "last", ""]);
    expect(space.residentPages).toBeGreaterThan(0);
    machine.run();
  });
  test("scripts that call each other end with ELOOP", () => {
    const machine = world();
    machine.write("/loop", stringToBytes("#!/loop\n"));
    expect(machine.start("/loop")).toBe(-ELOOP);
  });
});

test("the stack is laid out as the ABI says", () => {
  const stack = buildStack({
    top: 0x7fff_ffff_f000, fileName: stringToBytes("/a"), argv: [stringToBytes("x"), stringToBytes("yz")], envp: [stringToBytes("E=1")],
    random: new Uint8Array(16).fill(7), auxv: [[6, 4096], [31, 0], [25, 0], [15, 0]],
  });
  const view = new DataView(stack.bytes.buffer);
  const word = (index: number): number => Number(view.getBigUint64(index * 8, true));
  const text = (address: number): string => {
    let end = address - stack.sp;
    while (stack.bytes[end] !== 0) end++;
    return String.fromCharCode(...stack.bytes.subarray(address - stack.sp, end));
  };
  expect(stack.sp % 16).toBe(0);
  expect([word(0), text(word(1)), text(word(2)), word(3), text(word(4)), word(5)]).toEqual([2, "x", "yz", 0, "E=1", 0]);
  expect([word(6), word(7), word(8), text(word(9)), word(12), text(word(13))]).toEqual([6, 4096, 31, "/a", 15, "x86_64"]);
  expect(text(word(11)).charCodeAt(0)).toBe(7);
  expect([word(14), word(15)]).toEqual([0, 0]);
});

test("too many bytes of arguments are E2BIG", () => {
  const machine = world();
  machine.write("/program", elf([TEXT, DATA]));
  expect(machine.start("/program", ["x".repeat(9 << 20)])).toBe(-E2BIG);
});

test("damaged files are loaded or refused, and nothing is left behind", () => {
  const good = [elf([TEXT, DATA, STACK]), elf([{ ...TEXT, address: 0 }, { ...DATA, address: 0x1000 }, STACK], ET_DYN, 0x100)];
  const machine = world();
  const { kernel } = machine;
  let seed = 12345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 0x1_0000_0000) * below);
  };
  const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x10, 0x40];
  machine.write("/program", good[0]);
  const before = kernel.frames.used;
  let runs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const file = good[round & 1].slice();
    const changes = 1 + random(4);
    for (let change = 0; change < changes; change++) file[random(64 + 3 * 56)] = random(3) === 0 ? INTERESTING[random(INTERESTING.length)] : random(256);
    machine.write("/program", random(20) === 0 ? file.subarray(0, random(file.length)) : file);
    const started = machine.start("/program");
    if (typeof started === "number") expect(started).toBeGreaterThan(-200);
    else {
      runs++;
      checkAddressSpace(started.leader.image.space);
      machine.run();
    }
    expect(kernel.leakReport()).toEqual([]);
  }
  machine.write("/program", good[0]);
  expect(kernel.frames.used).toBe(before);
  expect(runs).toBeGreaterThan(ROUNDS / 10);
});
/** The full count runs as `npm run oracle:elf`. */
declare const process: { env: Record<string, string | undefined> };
const ROUNDS = Number(process.env["MENIOS_ELF_ROUNDS"] ?? 1500);
