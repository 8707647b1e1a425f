/** How strace prints the arguments that several families share: open flags, modes, iovecs, stat structures, signal sets. */
import {
  O_APPEND, O_ASYNC, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL, O_LARGEFILE, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH,
  O_SYNC, O_TMPFILE, O_TMPFILE_BIT, O_TRUNC,
} from "../../abi/linux/fcntl.ts";
import { signalName } from "../../abi/linux/signal.ts";
import { deviceMajor, deviceMinor, S_IFBLK, S_IFCHR, S_IFMT, S_ISGID, S_ISUID, S_ISVTX, STAT_BYTES } from "../../abi/linux/stat.ts";
import type { ParameterShape, UserView } from "../../trace/event.ts";
import { bytesText, flagsText, hexText } from "../../trace/text.ts";
import { custom, flags, int, oneOf, type ParameterKind, ptr, type Row, structIn, structOut } from "./define.ts";
import { unsigned64 } from "./file-arguments.ts";

const SHOWN = 32;
/** Structures of an array that are shown before "...". */
const SHOWN_ITEMS = 32;

export const pointerKind = (format: ParameterKind["format"], when: "enter" | "exit" = "enter"): ParameterKind => ({ read: ptr.read, format, when });
export const addressText = (value: number): string => (value === 0 ? "NULL" : hexText(value));
export function viewOf(view: UserView, address: number, length: number): DataView | undefined {
  const bytes = view.peek(address, length);
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export const whence = oneOf({ SEEK_SET: 0, SEEK_CUR: 1, SEEK_END: 2, SEEK_DATA: 3, SEEK_HOLE: 4 });

const OPEN_FLAGS: readonly (readonly [string, number])[] = Object.entries({
  O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND, O_NONBLOCK, O_SYNC, O_DSYNC, O_ASYNC, O_DIRECT, O_LARGEFILE, O_NOFOLLOW, O_NOATIME, O_CLOEXEC, O_PATH,
  O_TMPFILE, O_DIRECTORY,
});
const ACCESS_MODES = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"];
export function openFlagsText(value: number): string {
  const rest = value & ~3;
  return rest === 0 ? ACCESS_MODES[value & 3] : `${ACCESS_MODES[value & 3]}|${flagsText(rest, OPEN_FLAGS, "")}`;
}
export const openFlags = custom(openFlagsText);
/** The flags word of pipe2, dup3 and the like. */
export const fdFlags = flags({ O_CLOEXEC, O_NONBLOCK, O_DIRECT });
/** Permission bits with a leading zero and at least three digits: 0644, 022, 000. */
const bitsText = (value: number): string => `0${value.toString(8)}`.padStart(3, "0");
export const fileMode = custom(bitsText);
/** The mode of open(2), which is an argument only when a file may be made. @param flagsIndex argument that holds the flags */
export const creationMode = (flagsIndex: number): ParameterKind => custom((value, all) => ((all[flagsIndex] & (O_CREAT | O_TMPFILE_BIT)) !== 0 ? bitsText(value) : ""));
/** An argument register that strace does not show. */
export const hidden = custom(() => "");

/** A row some of whose arguments have no text at times (open's mode): they are left out together with their comma, as strace
 *  does for calls that take them only sometimes. Each joins the argument before it. */
export function withOptional(row: Row, ...optional: readonly number[]): Row {
  const parameters: ParameterShape[] = [];
  const places: number[][] = [];
  row.parameters.forEach((_shape, index) => {
    if (optional.includes(index)) places[places.length - 1].push(index);
    else places.push([index]);
  });
  for (const group of places) {
    const shapes = group.map((index) => row.parameters[index]);
    parameters.push({
      name: shapes.map((shape) => shape.name).join(", "),
      when: shapes.some((shape) => shape.when === "exit") ? "exit" : "enter",
      format: (_value, view, all, result) =>
        shapes.map((shape, index) => shape.format(all[group[index]], view, all, result)).filter((text) => text !== "").join(", "),
    });
  }
  return { ...row, parameters };
}

const TYPES: Record<number, string> = {
  [0o140000]: "S_IFSOCK", [0o120000]: "S_IFLNK", [0o100000]: "S_IFREG", [0o060000]: "S_IFBLK", [0o040000]: "S_IFDIR", [0o020000]: "S_IFCHR",
  [0o010000]: "S_IFIFO",
};
export function fileModeText(mode: number): string {
  const parts: string[] = [];
  const type = TYPES[mode & S_IFMT];
  if (type !== undefined) parts.push(type);
  if ((mode & S_ISUID) !== 0) parts.push("S_ISUID");
  if ((mode & S_ISGID) !== 0) parts.push("S_ISGID");
  if ((mode & S_ISVTX) !== 0) parts.push("S_ISVTX");
  parts.push(bitsText(mode & 0o777));
  return parts.join("|");
}
export const nodeMode = custom((value) => fileModeText(value));
export const deviceText = (device: number): string => `makedev(0x${deviceMajor(device).toString(16)}, 0x${deviceMinor(device).toString(16)})`;

/** `{st_mode=S_IFREG|0644, st_size=10, ...}`, as strace abbreviates. */
export const statOut = structOut(STAT_BYTES, (data) => {
  const mode = data.getUint32(24, true);
  const type = mode & S_IFMT;
  const rest = type === S_IFCHR || type === S_IFBLK ? `st_rdev=${deviceText(data.getUint32(40, true))}` : `st_size=${data.getBigInt64(48, true)}`;
  return `{st_mode=${fileModeText(mode)}, ${rest}, ...}`;
});

function iovecText(address: number, count: number, view: UserView, budget: number): string {
  if (address === 0) return "NULL";
  const shown = Math.min(count, SHOWN_ITEMS);
  const data = viewOf(view, address, shown * 16);
  if (data === undefined) return hexText(address);
  const items: string[] = [];
  let left = budget;
  for (let index = 0; index < shown; index++) {
    const base = unsigned64(data, index * 16);
    const length = unsigned64(data, index * 16 + 8);
    const visible = Math.min(length, left);
    left -= visible;
    const bytes = view.peek(base, Math.min(visible, SHOWN));
    const text = base === 0 ? "NULL" : bytes === undefined ? hexText(base) : bytesText(bytes, visible);
    items.push(`{iov_base=${text}, iov_len=${length}}`);
  }
  return `[${items.join(", ")}${count > shown ? ", ..." : ""}]`;
}
export const iovecsText = iovecText;
/** iovecs the kernel reads from. @param countIndex argument that holds their number */
export const iovecIn = (countIndex: number): ParameterKind => pointerKind((value, view, all) => iovecText(value, all[countIndex], view, Number.POSITIVE_INFINITY));
/** iovecs the kernel has filled, as far as the result says. */
export const iovecOut = (countIndex: number): ParameterKind =>
  pointerKind((value, view, all, result) => (result < 0 ? addressText(value) : iovecText(value, all[countIndex], view, result)), "exit");

/** `[INT TERM]`, or `~[…]` when most are set, as strace prints signal sets. */
export function signalSetText(low: number, high: number): string {
  const members: number[] = [];
  for (let signal = 1; signal <= 64; signal++) {
    if (((signal <= 32 ? low : high) >>> ((signal - 1) & 31)) & 1) members.push(signal);
  }
  const inverted = members.length > 64 * 2 / 3;
  const shown = inverted ? complementOf(members) : members;
  return `${inverted ? "~" : ""}[${shown.map((signal) => signalName(signal).replace(/^SIG/, "")).join(" ")}]`;
}
function complementOf(members: readonly number[]): number[] {
  const rest: number[] = [];
  for (let signal = 1; signal <= 64; signal++) if (!members.includes(signal)) rest.push(signal);
  return rest;
}
/** The kernel's 8-byte sigset_t. */
export const signalSetIn = structIn(8, (data) => signalSetText(data.getUint32(0, true), data.getUint32(4, true)));

const timespecAt = (data: DataView, at: number): string => `{tv_sec=${data.getBigInt64(at, true)}, tv_nsec=${data.getBigInt64(at + 8, true)}}`;
const timevalAt = (data: DataView, at: number): string => `{tv_sec=${data.getBigInt64(at, true)}, tv_usec=${data.getBigInt64(at + 8, true)}}`;
const itimerspecText = (data: DataView): string => `{it_interval=${timespecAt(data, 0)}, it_value=${timespecAt(data, 16)}}`;
export const itimerspecIn = structIn(32, itimerspecText);
export const itimerspecOut = structOut(32, itimerspecText);
const itimervalText = (data: DataView): string => `{it_interval=${timevalAt(data, 0)}, it_value=${timevalAt(data, 16)}}`;
export const itimervalIn = structIn(32, itimervalText);
export const itimervalOut = structOut(32, itimervalText);

export const clockId: ParameterKind = { ...int, format: clockText };
function clockText(id: number): string {
  const names = [
    "CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID", "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE",
    "CLOCK_MONOTONIC_COARSE", "CLOCK_BOOTTIME", "CLOCK_REALTIME_ALARM", "CLOCK_BOOTTIME_ALARM", "", "CLOCK_TAI",
  ];
  if (id >= 0) return names[id] || `${hexText(id)} /* CLOCK_??? */`;
  const what = ["PROF", "VIRT", "SCHED", "FD"][id & 3];
  return `MAKE_${(id & 4) !== 0 ? "THREAD" : "PROCESS"}_CPUCLOCK(${~(id >> 3)}, CPUCLOCK_${what})`;
}
