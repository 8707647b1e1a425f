/** The texts of /proc/<pid> (proc_pid_status(5), proc_pid_stat(5), proc_pid_maps(5), …). */
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import { type Location, pathOf } from "../vfs/location.ts";
import { bits64, kilobytes, regionLine } from "./format.ts";
import type { ProcessView, RegionView, SignalBits, ThreadView } from "./view.ts";

const STATE_NAMES: Readonly<Record<ThreadView["state"], string>> = {
  R: "running", S: "sleeping", D: "disk sleep", T: "stopped", t: "tracing stop", Z: "zombie", X: "dead",
};
/** All capabilities of Linux 6.x (CAP_CHECKPOINT_RESTORE is 40), which uid 0 has. */
const ALL_CAPABILITIES = "000001ffffffffff";
const NO_CAPABILITIES = "0000000000000000";
const UNLIMITED = "18446744073709551615";

export function statusText(process: ProcessView, thread: ThreadView): string {
  const { userIds: uid, groupIds: gid, memory } = process;
  const alive = thread.state !== "Z" && thread.state !== "X";
  const open = [...process.descriptors()];
  const capabilities = uid.effective === 0 ? ALL_CAPABILITIES : NO_CAPABILITIES;
  const highest = open.length === 0 ? 0 : open[open.length - 1].fd;
  let text = `Name:\t${escapeName(thread.name)}\n`;
  if (alive) text += `Umask:\t${process.umask.toString(8).padStart(4, "0")}\n`;
  text += `State:\t${thread.state} (${STATE_NAMES[thread.state]})\n`;
  text += `Tgid:\t${process.processId}\nNgid:\t0\nPid:\t${thread.threadId}\nPPid:\t${process.parentId}\nTracerPid:\t0\n`;
  text += `Uid:\t${uid.real}\t${uid.effective}\t${uid.saved}\t${uid.filesystem}\n`;
  text += `Gid:\t${gid.real}\t${gid.effective}\t${gid.saved}\t${gid.filesystem}\n`;
  text += `FDSize:\t${alive ? tableSize(highest) : 0}\nGroups:\t${process.supplementaryGroups.map((group) => `${group} `).join("") || " "}\n`;
  text += `NStgid:\t${process.processId}\nNSpid:\t${thread.threadId}\nNSpgid:\t${process.processGroup}\nNSsid:\t${process.sessionId}\nKthread:\t0\n`;
  if (alive) {
    text += kilobytes("VmPeak", memory.peakVirtual) + kilobytes("VmSize", memory.virtual) + kilobytes("VmLck", memory.locked);
    text += kilobytes("VmPin", memory.pinned) + kilobytes("VmHWM", memory.peakResident) + kilobytes("VmRSS", memory.resident);
    text += kilobytes("RssAnon", memory.residentAnonymous) + kilobytes("RssFile", memory.residentFile) + kilobytes("RssShmem", memory.residentShared);
    text += kilobytes("VmData", memory.data) + kilobytes("VmStk", memory.stack) + kilobytes("VmExe", memory.text) + kilobytes("VmLib", memory.libraries);
    text += kilobytes("VmPTE", memory.pageTables) + kilobytes("VmSwap", memory.swapped) + kilobytes("HugetlbPages", 0);
    text += "CoreDumping:\t0\nTHP_enabled:\t0\nuntag_mask:\t0xffffffffffffffff\n";
  }
  const limits = process.limits();
  text += `Threads:\t${Math.max(1, count(process.threads()))}\nSigQ:\t${popCount(process.sharedPending) + popCount(thread.pending)}/${limitText(limits[11].soft, "0")}\n`;
  text += `SigPnd:\t${bits64(thread.pending)}\nShdPnd:\t${bits64(process.sharedPending)}\nSigBlk:\t${bits64(thread.blocked)}\n`;
  text += `SigIgn:\t${bits64(process.ignored)}\nSigCgt:\t${bits64(process.caught)}\n`;
  text += `CapInh:\t${NO_CAPABILITIES}\nCapPrm:\t${capabilities}\nCapEff:\t${capabilities}\nCapBnd:\t${ALL_CAPABILITIES}\nCapAmb:\t${NO_CAPABILITIES}\n`;
  text += `NoNewPrivs:\t${Number(thread.noNewPrivileges)}\nSeccomp:\t0\nSeccomp_filters:\t0\n`;
  text += "Speculation_Store_Bypass:\tnot vulnerable\nSpeculationIndirectBranch:\tnot affected\n";
  text += "Cpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:\t0\n";
  text += `voluntary_ctxt_switches:\t${thread.voluntarySwitches}\nnonvoluntary_ctxt_switches:\t${thread.involuntarySwitches}\n`;
  return text;
}

/** The 52 fields of proc_pid_stat(5). @param whole the process's own stat and not one thread's */
export function statText(process: ProcessView, thread: ThreadView, whole: "process" | "thread"): string {
  const { memory, children } = process;
  const usage = whole === "process" ? process.usage : thread.usage;
  const limits = process.limits();
  const low31 = (bits: SignalBits): number => bits.low & 0x7fff_ffff;
  const alive = thread.state !== "Z" && thread.state !== "X";
  const shown = (value: number): number => (alive ? value : 0);
  const fields: (number | string)[] = [
    thread.threadId, `(${thread.name})`, thread.state, process.parentId, process.processGroup, process.sessionId,
    process.terminalDevice, process.terminalGroup, 0x40_0000,
    usage.minorFaults, children.minorFaults, usage.majorFaults, children.majorFaults,
    usage.userTicks, usage.systemTicks, children.userTicks, children.systemTicks,
    20 + process.nice, process.nice, Math.max(1, count(process.threads())), 0, process.startTicks,
    shown(memory.virtual), shown(Math.floor(memory.resident / PAGE_SIZE)), limitText(limits[5].soft, UNLIMITED),
    shown(memory.startCode), shown(memory.endCode), shown(memory.startStack), shown(thread.stackPointer), shown(thread.instructionPointer),
    low31(thread.pending), low31(thread.blocked), low31(process.ignored), low31(process.caught),
    thread.waitChannel === "0" || thread.waitChannel === "" ? 0 : 1, 0, 0, process.exitSignal, 0, 0, 0, 0, 0, 0,
    shown(memory.startData), shown(memory.endData), shown(memory.startBreak), shown(memory.argumentStart), shown(memory.argumentEnd),
    shown(memory.environmentStart), shown(memory.environmentEnd), process.exitCode,
  ];
  return `${fields.join(" ")}\n`;
}

export function statmText(process: ProcessView): string {
  const { memory } = process;
  const pages = (bytes: number): number => Math.floor(bytes / PAGE_SIZE);
  const shared = memory.residentFile + memory.residentShared;
  return `${pages(memory.virtual)} ${pages(memory.resident)} ${pages(shared)} ${Math.ceil(memory.text / PAGE_SIZE)} 0 ${pages(memory.data + memory.stack)} 0\n`;
}

export function mapsText(process: ProcessView, root: Location): string {
  let text = "";
  for (const region of process.regions()) text += mapsLine(region, root);
  return text;
}

export function smapsText(process: ProcessView, root: Location): string {
  let text = "";
  for (const region of process.regions()) {
    const line = (label: string, bytes: number): string => `${`${label}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
    const clean = region.sharedClean + region.privateClean;
    const dirty = region.sharedDirty + region.privateDirty;
    text += mapsLine(region, root);
    text += line("Size", region.end - region.start) + line("KernelPageSize", PAGE_SIZE) + line("MMUPageSize", PAGE_SIZE);
    text += line("Rss", region.resident) + line("Pss", clean + dirty) + line("Pss_Dirty", dirty);
    text += line("Shared_Clean", region.sharedClean) + line("Shared_Dirty", region.sharedDirty);
    text += line("Private_Clean", region.privateClean) + line("Private_Dirty", region.privateDirty);
    text += line("Referenced", region.referenced) + line("Anonymous", region.anonymous) + line("KSM", 0) + line("LazyFree", 0);
    for (const label of ["AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb", "Swap", "SwapPss", "Locked"]) {
      text += line(label, 0);
    }
    text += `THPeligible:${"0".padStart(12)}\nVmFlags: ${regionFlags(region)} \n`;
  }
  return text;
}

/** /proc/<pid>/limits, in the order of RLIMIT_*. */
export function limitsText(process: ProcessView): string {
  let text = `${"Limit".padEnd(26)}${"Soft Limit".padEnd(21)}${"Hard Limit".padEnd(21)}${"Units".padEnd(10)}\n`;
  process.limits().forEach(({ soft, hard }, index) => {
    const [name, unit] = LIMITS[index];
    text += `${name.padEnd(26)}${limitText(soft, "unlimited").padEnd(21)}${limitText(hard, "unlimited").padEnd(21)}${unit === "" ? "" : unit.padEnd(10)}\n`;
  });
  return text;
}

const LIMITS: readonly (readonly [name: string, unit: string])[] = [
  ["Max cpu time", "seconds"], ["Max file size", "bytes"], ["Max data size", "bytes"], ["Max stack size", "bytes"],
  ["Max core file size", "bytes"], ["Max resident set", "bytes"], ["Max processes", "processes"], ["Max open files", "files"],
  ["Max locked memory", "bytes"], ["Max address space", "bytes"], ["Max file locks", "locks"], ["Max pending signals", "signals"],
  ["Max msgqueue size", "bytes"], ["Max nice priority", ""], ["Max realtime priority", ""], ["Max realtime timeout", "us"],
];

function mapsLine(region: RegionView, root: Location): string {
  const permissions = `${region.readable ? "r" : "-"}${region.writable ? "w" : "-"}${region.executable ? "x" : "-"}${region.shared ? "s" : "p"}`;
  const name = typeof region.name === "string" ? region.name : pathOf(region.name, root);
  return regionLine(region.start, region.end, permissions, region.offset, region.device, region.inode, name);
}

/** Two-letter flags of smaps (proc_pid_smaps(5)). */
function regionFlags(region: RegionView): string {
  const flags: string[] = [];
  if (region.readable) flags.push("rd");
  if (region.writable) flags.push("wr");
  if (region.executable) flags.push("ex");
  if (region.shared) flags.push("sh");
  flags.push("mr", "mw", "me");
  if (region.shared) flags.push("ms");
  if (region.name === "[stack]") flags.push("gd");
  if (region.writable && !region.shared) flags.push("ac");
  return flags.join(" ");
}

/** Slots in the descriptor table: 64 at first; growing gives at least 256 and then powers of two. */
function tableSize(highest: number): number {
  if (highest < 64) return 64;
  let size = 256;
  while (size <= highest) size *= 2;
  return size;
}

/** Backslash and newline are escaped in status (proc_pid_status(5)). */
function escapeName(name: string): string {
  return name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function limitText(value: number, unlimited: string): string {
  return Number.isFinite(value) ? String(value) : unlimited;
}

function count(items: Iterable<unknown>): number {
  let total = 0;
  for (const _ of items) total++;
  return total;
}

function popCount(bits: SignalBits): number {
  let total = 0;
  for (let word of [bits.low >>> 0, bits.high >>> 0]) for (; word !== 0; word = (word & (word - 1)) >>> 0) total++;
  return total;
}
