/** About the machine: uname(2), sysinfo(2), getrandom(2), and the calls of an administrator, which a guest
 *  is not. */
import { EFAULT, EINVAL, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import { stringToBytes } from "../../fs/names.ts";
import { takeBlocker, WOULD_BLOCK } from "../../fs/wait.ts";
import { bytesText } from "../../trace/text.ts";
import type { Call } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { UserSink } from "../transfer.ts";
import { absent, flags, full, int, oneOf, partial, ptr, size, str, structOut, sys, uint, type Row } from "./define.ts";
import { isUserRange, put64 } from "./file-arguments.ts";
import { addressText, pointerKind } from "./kinds.ts";

/** struct new_utsname: six fields of 65 bytes. */
const UTS_FIELD = 65, UTSNAME_BYTES = 6 * UTS_FIELD;
function uname(call: Call, target: number): number {
  const { system } = call.kernel;
  const bytes = new Uint8Array(UTSNAME_BYTES);
  [system.sysname, system.nodename, system.release, system.version, system.machine, system.domainname].forEach((text, index) => {
    bytes.set(stringToBytes(text).subarray(0, UTS_FIELD - 1), index * UTS_FIELD);
  });
  return call.copyOut(target, bytes);
}

const SYSINFO_BYTES = 112;
/** struct sysinfo: uptime, loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap, procs (u16), totalhigh, freehigh,
 *  mem_unit. Loads are fixed-point with 16 bits. */
function sysinfo(call: Call, target: number): number {
  const { kernel, scratch } = call;
  const { frames, fs } = kernel;
  for (let at = 0; at < SYSINFO_BYTES; at += 8) put64(scratch, at, 0);
  put64(scratch, 0, Math.ceil(kernel.clock.now() / 1e9));
  put64(scratch, 32, frames.total * 4096);
  put64(scratch, 40, frames.free * 4096);
  put64(scratch, 48, fs.budget.frames * 4096);
  scratch.setUint16(80, kernel.tasks.size, true);
  scratch.setUint32(104, 1, true);
  return call.store(target, SYSINFO_BYTES);
}

const GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4;
const RANDOM_CHUNK = 256;
/** Random bytes from the host, or from the seed of a deterministic machine; never waits for entropy. */
function getrandom(call: Call, buffer: number, count: number, flags: number): number {
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) return -EINVAL;
  if ((flags & (GRND_INSECURE | GRND_RANDOM)) === (GRND_INSECURE | GRND_RANDOM)) return -EINVAL;
  const length = Math.min(count, 0x7fff_ffff);
  if (!isUserRange(buffer, length)) return -EFAULT;
  const sink = (call.state as UserSink | undefined) ?? new UserSink(call, buffer, length);
  const bytes = new Uint8Array(RANDOM_CHUNK);
  while (sink.remaining > 0) {
    const chunk = bytes.subarray(0, Math.min(RANDOM_CHUNK, sink.remaining));
    call.kernel.fs.random(chunk);
    if (sink.put(chunk, 0, chunk.length) === chunk.length) continue;
    if (sink.stopped === WOULD_BLOCK) {
      call.state = sink;
      return call.park(takeBlocker(), "UNINTERRUPTIBLE");
    }
    return sink.transferred > 0 ? sink.transferred : sink.stopped;
  }
  return sink.transferred;
}

// I/O priorities change nothing: there is one queue -----------------------------------------------------------------------------

const IOPRIO_WHO_PROCESS = 1, IOPRIO_WHO_USER = 3;
function ioprioGet(call: Call, which: number, who: number): number {
  if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER) return -EINVAL;
  if (which === IOPRIO_WHO_PROCESS && who !== 0 && call.kernel.findTask(who) === undefined) return -ESRCH;
  return 0;
}
function ioprioSet(call: Call, which: number, who: number, priority: number): number {
  const kind = priority >> 13;
  if (kind < 0 || kind > 3 || (priority & 0x1fff) > 7) return -EINVAL;
  if (kind === 1 && !isPrivileged(call.task.credentials)) return -EPERM;
  const found = ioprioGet(call, which, who);
  return Math.min(found, 0);
}

/** What an unprivileged process of a hardened system gets. */
const refused = (): number => -EPERM;
/** sysfs(2) knows no numbers here. */
const sysfs = (_call: Call, option: number): number => (option === 3 ? 0 : -EINVAL);

const utsname = structOut(UTSNAME_BYTES, (data) => {
  const field = (index: number): string => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset + index * UTS_FIELD, UTS_FIELD);
    const end = bytes.indexOf(0);
    return bytesText(bytes.subarray(0, end), end);
  };
  return `{sysname=${field(0)}, nodename=${field(1)}, ...}`;
});
const sysinfoOut = structOut(SYSINFO_BYTES, (data) => {
  const at = (offset: number): string => String(data.getBigUint64(offset, true));
  return `{uptime=${at(0)}, loads=[${at(8)}, ${at(16)}, ${at(24)}], totalram=${at(32)}, freeram=${at(40)}, sharedram=${at(48)}, bufferram=${at(56)}, ` +
    `totalswap=${at(64)}, freeswap=${at(72)}, procs=${data.getUint16(80, true)}, totalhigh=${at(88)}, freehigh=${at(96)}, mem_unit=${data.getUint32(104, true)}}`;
});
/** Always in hexadecimal, as strace prints random bytes. */
const randomOut = pointerKind((value, view, _all, result) => {
  const bytes = result < 0 ? undefined : view.peek(value, Math.min(result, 32));
  if (bytes === undefined) return addressText(value);
  return `"${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"${result > 32 ? "..." : ""}`;
}, "exit");
const ioprioWhich = oneOf({ IOPRIO_WHO_PROCESS: 1, IOPRIO_WHO_PGRP: 2, IOPRIO_WHO_USER: 3 });
const NOT_FOR_GUESTS = absent("administration of the machine is not a guest's: EPERM");

export const infoCalls: readonly Row[] = [
  sys("uname", { name: utsname }, uname, full),
  sys("sysinfo", { info: sysinfoOut }, sysinfo, partial("load averages are zero")),
  sys("getrandom", { buffer: randomOut, count: size, flags: flags({ GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE }) }, getrandom, full),
  sys("ioprio_get", { which: ioprioWhich, who: int }, ioprioGet, partial("everybody has the default priority")),
  sys("ioprio_set", { which: ioprioWhich, who: int, priority: int }, ioprioSet, partial("checked, then ignored")),
  sys("sysfs", { option: int, first: ptr, second: ptr }, sysfs, absent("obsolete; /proc/filesystems says the same")),
  sys("syslog", { type: int, buffer: ptr, size: int }, refused, NOT_FOR_GUESTS),
  sys("sethostname", { name: str, size }, refused, NOT_FOR_GUESTS),
  sys("setdomainname", { name: str, size }, refused, NOT_FOR_GUESTS),
  sys("mount", { source: str, target: str, type: str, flags: uint, data: ptr }, refused, NOT_FOR_GUESTS),
  sys("umount2", { target: str, flags: uint }, refused, NOT_FOR_GUESTS),
  sys("pivot_root", { newRoot: str, oldRoot: str }, refused, NOT_FOR_GUESTS),
  sys("swapon", { path: str, flags: uint }, refused, NOT_FOR_GUESTS),
  sys("swapoff", { path: str }, refused, NOT_FOR_GUESTS),
  sys("reboot", { magic: int, magic2: int, command: uint, argument: ptr }, refused, NOT_FOR_GUESTS),
  sys("acct", { path: str }, refused, NOT_FOR_GUESTS),
  sys("iopl", { level: int }, refused, NOT_FOR_GUESTS),
  sys("ioperm", { from: size, count: size, on: int }, refused, NOT_FOR_GUESTS),
  sys("init_module", { image: ptr, size, parameters: str }, refused, NOT_FOR_GUESTS),
  sys("finit_module", { fd: int, parameters: str, flags: uint }, refused, NOT_FOR_GUESTS),
  sys("delete_module", { name: str, flags: uint }, refused, NOT_FOR_GUESTS),
  sys("kexec_load", { entry: ptr, count: size, segments: ptr, flags: uint }, refused, NOT_FOR_GUESTS),
  sys("quotactl", { command: uint, special: str, id: int, address: ptr }, refused, NOT_FOR_GUESTS),
  sys("bpf", { command: int, attributes: ptr, size: uint }, refused, NOT_FOR_GUESTS),
  sys("perf_event_open", { attributes: ptr, pid: int, cpu: int, group: int, flags: uint }, refused, NOT_FOR_GUESTS),
  sys("vhangup", {}, refused, NOT_FOR_GUESTS),
];
