/** A fatal fault explained as text: what was touched, which region it lies in or near, the registers, the four-level walk.
 *  The seed's diagnostic path. Reads only. */
import { signalCodeName, signalName } from "../abi/linux/signal.ts";
import { PF_FETCH, PF_PRESENT, PF_RESERVED, PF_WRITE } from "../memory/access.ts";
import { textOf } from "../fs/names.ts";
import type { Region } from "../vm/region.ts";
import type { Kernel } from "./kernel.ts";
import type { SignalInfo } from "./signal/pending.ts";
import type { Task } from "./task.ts";

const NAMES = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"];
const LEVELS = ["PML4", "PDPT", "PD", "PT"];
const PAGE_FAULT = 14;

export function reportFault(kernel: Kernel, task: Task, info: SignalInfo): string {
  const trap = info.trap!;
  const lines = [
    `${textOf(task.name)}[${task.process.pid}${task.tid === task.process.pid ? "" : `, thread ${task.tid}`}]: ${signalName(info.signal)} ` +
      `(${signalCodeName(info.signal, info.code)}) at rip ${address(kernel.cpu.registers.rip)}`,
  ];
  if (trap.vector === PAGE_FAULT) {
    lines.push(`  ${accessText(trap.error)} of ${address(info.address ?? 0)}: ${(trap.error & PF_PRESENT) !== 0 ? "not permitted" : "not mapped"}`);
    lines.push(`  region: ${regionText(task, info.address ?? 0)}`);
    lines.push(...walkText(kernel, task, info.address ?? 0));
  } else {
    lines.push(`  processor exception ${trap.vector}, error code ${trap.error}`);
  }
  const { registers } = kernel.cpu;
  for (let row = 0; row < 16; row += 4) {
    lines.push(`  ${[0, 1, 2, 3].map((column) => `${NAMES[row + column]} ${hex64(registers.high(row + column), registers.low(row + column))}`).join("  ")}`);
  }
  lines.push(`  rflags ${registers.rflags.toString(16)}  fs ${address(registers.fsBase)}  gs ${address(registers.gsBase)}`);
  return `${lines.join("\n")}\n`;
}

function accessText(error: number): string {
  if ((error & PF_RESERVED) !== 0) return "access through a malformed entry";
  return (error & PF_FETCH) !== 0 ? "execution" : (error & PF_WRITE) !== 0 ? "write" : "read";
}

function regionText(task: Task, at: number): string {
  const { regions } = task.image.space;
  const inside = regions.find(at);
  if (inside !== undefined) return describe(inside);
  const below = regions.before(at);
  const above = regions.after(at);
  const parts = [
    below === undefined ? undefined : `${address(at - below.end)} above ${describe(below)}`,
    above === undefined ? undefined : `${address(above.start - at)} below ${describe(above)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "none" : `none; ${parts.join("; ")}`;
}

function describe(region: Region): string {
  const rights = `${(region.prot & 1) !== 0 ? "r" : "-"}${(region.prot & 2) !== 0 ? "w" : "-"}${(region.prot & 4) !== 0 ? "x" : "-"}${region.shared ? "s" : "p"}`;
  return `${address(region.start)}-${address(region.end)} ${rights} ${region.type}${region.name === "" ? "" : ` ${textOf(region.name)}`}`;
}

/** One line a level, as a debugger that knows only the manual would print it (Intel SDM 3A §4.5). */
function walkText(kernel: Kernel, task: Task, at: number): string[] {
  const { u32 } = kernel.ram;
  if (at < 0 || at >= 2 ** 47) return ["  walk: the kernel half belongs to no user"];
  const lines: string[] = [];
  let table = task.image.space.root;
  for (let level = 0; level < 4; level++) {
    const index = Math.floor(at / 2 ** (39 - level * 9)) % 512;
    const slot = (table >>> 2) + index * 2;
    const low = u32[slot];
    const high = u32[slot + 1];
    lines.push(`  ${LEVELS[level].padEnd(4)} ${address(table)}[${index}] = ${hex64(high, low)} ${bitsText(low, high)}`);
    if ((low & 1) === 0 || (level === 2 && (low & 0x80) !== 0)) break;
    table = (low & ~0xfff) >>> 0;
  }
  return lines;
}

function bitsText(low: number, high: number): string {
  if ((low & 1) === 0) return low === 0 && high === 0 ? "empty" : "not present";
  const names = [
    (low & 2) !== 0 ? "W" : "", (low & 4) !== 0 ? "U" : "", (low & 0x20) !== 0 ? "A" : "", (low & 0x40) !== 0 ? "D" : "", (high & 0x8000_0000) !== 0 ? "NX" : "",
  ];
  return ["P", ...names.filter((name) => name !== "")].join(" ");
}

const address = (value: number): string => `0x${(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value).toString(16)}`;
const hex64 = (high: number, low: number): string => high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
