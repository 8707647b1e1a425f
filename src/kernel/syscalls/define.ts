/** A system call is one row: name, typed parameters, handler, support level. Dispatch, strace and the compatibility page read it.
 *
 *    sys("munmap", { addr: ptr, length: size }, munmap, full)
 *
 *  A handler gets the call and its arguments by position, already narrowed as the parameter says, and returns
 *    a number >= 0      the result for rax
 *    -errno             a guest error
 *    PARKED             the thread sleeps; the handler is run again, with the same arguments, when it wakes
 *                       (`call.park` and the user-memory helpers give this value; pass on anything negative).
 *
 *    function write(call: Call, fd: number, buffer: number, count: number): number {
 *      const file = call.task.files.get(fd);
 *      if (file === undefined) return -EBADF;
 *      return call.finish(file.write(call.source(buffer, count)));     // parks when the file says WOULD_BLOCK
 *    }
 *    sys("write", { fd, buffer: bufferIn(2), count: size }, write, full)
 *
 *  A handler that parks records its progress in `call.done` (bytes) or `call.state` before it does. Results that are
 *  addresses or other values that look negative cannot occur: user addresses are below 2^47. */
import type { Call } from "../call.ts";
import type { ParameterShape, SyscallShape, UserView } from "../../trace/event.ts";
import { bytesText, flagsText, hexText, octalText, quoteBytes } from "../../trace/text.ts";
import { signalName } from "../../abi/linux/signal.ts";
import type { Registers } from "../../cpu/registers.ts";

/** How one argument is taken from its register and how strace prints it. */
export interface ParameterKind {
  read(registers: Registers, register: number): number;
  /** @param all the arguments of this call, for kinds whose text depends on a neighbour (a buffer and its length)
   *  @param result the call's result when `when` is "exit" */
  format(value: number, view: UserView, all: readonly number[], result: number): string;
  /** Printed when the call enters, or only when it returns because the kernel fills it in. */
  readonly when: "enter" | "exit";
}
export type Handler = (call: Call, ...values: number[]) => number;

/** How much of the call's documented behaviour is served. */
export type SupportLevel = { readonly level: "full" } | { readonly level: "partial" | "absent"; readonly note: string };
export const full: SupportLevel = { level: "full" };
export const partial = (note: string): SupportLevel => ({ level: "partial", note });
/** A call that is known and refused; the note says why. */
export const absent = (note: string): SupportLevel => ({ level: "absent", note });

export interface Row extends SyscallShape {
  readonly kinds: readonly ParameterKind[];
  readonly handler: Handler;
  readonly support: SupportLevel;
  /** The result is an address or a bit mask and is traced in hexadecimal. */
  readonly hexResult: boolean;
}

/** @param options `hexResult` for calls that return addresses (mmap, brk) */
export function sys(
  name: string, parameters: Readonly<Record<string, ParameterKind>>, handler: Handler, support: SupportLevel,
  options: { hexResult?: boolean } = {},
): Row {
  const shapes: ParameterShape[] = Object.entries(parameters).map(([parameter, kind]) => ({ name: parameter, when: kind.when, format: kind.format }));
  return { name, parameters: shapes, kinds: Object.values(parameters), handler, support, hexResult: options.hexResult === true };
}

// Registers -------------------------------------------------------------------------------------------------------

const readUnsigned = (registers: Registers, register: number): number => registers.unsigned(register);
const readSigned = (registers: Registers, register: number): number => registers.signed(register);
const readU32 = (registers: Registers, register: number): number => registers.low(register);
const readI32 = (registers: Registers, register: number): number => registers.low(register) | 0;

const decimal = (value: number): string => String(value);
const kind = (read: ParameterKind["read"], format: ParameterKind["format"], when: "enter" | "exit" = "enter"): ParameterKind => ({ read, format, when });

// Scalars ---------------------------------------------------------------------------------------------------------

/** A user address that the call does not describe further. */
export const ptr = kind(readUnsigned, (value) => (value === 0 ? "NULL" : hexText(value)));
/** size_t and unsigned long. Values above 2^53 are inexact but keep their order. */
export const size = kind(readUnsigned, (value) => (value >= 2 ** 63 ? hexText(value) : String(value)));
/** long. */
export const long = kind(readSigned, decimal);
/** off_t, loff_t. */
export const off = long;
/** C int: the upper half of the register is ignored, as Linux ignores it. */
export const int = kind(readI32, decimal);
/** unsigned int. */
export const uint = kind(readU32, decimal);
/** unsigned int or long shown in hexadecimal. */
export const hex = kind(readUnsigned, hexText);
export const hex32 = kind(readU32, hexText);
/** A file descriptor. */
export const fd = kind(readI32, decimal);
/** A directory descriptor of the *at calls. */
export const dirfd = kind(readI32, (value) => (value === -100 ? "AT_FDCWD" : String(value)));
/** Permission bits. */
export const mode = kind(readU32, octalText);
export const signal = kind(readI32, signalName);
/** pid_t, uid_t (with −1 shown as such). */
export const pidKind = int;
export const id = kind(readU32, (value) => (value === 0xffff_ffff ? "-1" : String(value)));

// Names for bits and choices --------------------------------------------------------------------------------------

/** A bit mask: `flags({ PROT_READ: 1, PROT_WRITE: 2 }, "PROT_NONE")`; `zero` is the text of 0. */
export function flags(names: Readonly<Record<string, number>>, zero = "0"): ParameterKind {
  const table = Object.entries(names);
  return kind(readU32, (value) => flagsText(value, table, zero));
}
/** One of several values: `oneOf({ SEEK_SET: 0, SEEK_CUR: 1 })`. */
export function oneOf(names: Readonly<Record<string, number>>): ParameterKind {
  const table = new Map(Object.entries(names).map(([name, value]) => [value, name]));
  return kind(readI32, (value) => table.get(value) ?? hexText(value >>> 0));
}
/** For a choice and a mask in one word, or any other text of a 32-bit value. */
export const custom = (format: (value: number, all: readonly number[], view: UserView) => string): ParameterKind =>
  kind(readU32, (value, view, all) => format(value, all, view));

// Pointers to things ----------------------------------------------------------------------------------------------

const STRING_SHOWN = 32;
const PATH_SHOWN = 4096;

/** NUL-terminated path name, printed in full. */
export const path = kind(readUnsigned, (value, view) => stringText(value, view, PATH_SHOWN));
/** NUL-terminated string, cut after 32 bytes as strace does. */
export const str = kind(readUnsigned, (value, view) => stringText(value, view, STRING_SHOWN));
/** Bytes the kernel reads, as many as argument `lengthIndex` says (by default the next one after a buffer at index 1). */
export const bufferIn = (lengthIndex = 2): ParameterKind =>
  kind(readUnsigned, (value, view, all) => bufferText(value, view, all[lengthIndex]));
/** Bytes the kernel wrote, as many as the result says. */
export const bufferOut = kind(readUnsigned, (value, view, _all, result) => (result < 0 ? addressText(value) : bufferText(value, view, result)), "exit");

/** A structure the kernel reads: `bytes` of it are shown through `format`. */
export const structIn = (bytes: number, format: (data: DataView) => string): ParameterKind =>
  kind(readUnsigned, (value, view) => structText(value, view, bytes, format));
/** A structure the kernel fills in; an address when the call failed. */
export const structOut = (bytes: number, format: (data: DataView) => string): ParameterKind =>
  kind(readUnsigned, (value, view, _all, result) => (result < 0 ? addressText(value) : structText(value, view, bytes, format)), "exit");
/** An `int` the kernel stores, shown as `[3]`. */
export const intOut = structOut(4, (data) => `[${data.getInt32(0, true)}]`);
/** Two ints the kernel stores, as pipe(2) does: `[3, 4]`. */
export const intPairOut = structOut(8, (data) => `[${data.getInt32(0, true)}, ${data.getInt32(4, true)}]`);
/** struct timespec, shown as strace shows it. */
export const timespecIn = structIn(16, timespecText);
export const timespecOut = structOut(16, timespecText);
export const timevalIn = structIn(16, timevalText);
export const timevalOut = structOut(16, timevalText);
/** NULL-terminated array of strings (execve), shown in full; `[/* 20 vars *\/]` for environments. */
export const stringArray = kind(readUnsigned, (value, view) => stringArrayText(value, view));
export const environmentArray = kind(readUnsigned, (value, view) => {
  const count = countPointers(value, view);
  return count === undefined ? addressText(value) : `${hexText(value)} /* ${count} var${count === 1 ? "" : "s"} */`;
});

function addressText(value: number): string {
  return value === 0 ? "NULL" : hexText(value);
}
function stringText(value: number, view: UserView, shown: number): string {
  if (value === 0) return "NULL";
  const bytes = view.peekString(value, shown + 1);
  if (bytes === undefined) return hexText(value);
  return bytes.length > shown ? `${quoteBytes(bytes.subarray(0, shown))}...` : quoteBytes(bytes);
}
function bufferText(value: number, view: UserView, length: number): string {
  if (value === 0) return "NULL";
  const bytes = view.peek(value, Math.min(length, STRING_SHOWN));
  return bytes === undefined ? hexText(value) : bytesText(bytes, length);
}
function structText(value: number, view: UserView, bytes: number, format: (data: DataView) => string): string {
  if (value === 0) return "NULL";
  const data = view.peek(value, bytes);
  return data === undefined ? hexText(value) : format(new DataView(data.buffer, data.byteOffset, data.byteLength));
}
function timespecText(data: DataView): string {
  return `{tv_sec=${data.getBigInt64(0, true)}, tv_nsec=${data.getBigInt64(8, true)}}`;
}
function timevalText(data: DataView): string {
  return `{tv_sec=${data.getBigInt64(0, true)}, tv_usec=${data.getBigInt64(8, true)}}`;
}
function pointerAt(address: number, view: UserView): number | undefined {
  const bytes = view.peek(address, 8);
  if (bytes === undefined) return undefined;
  const data = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return data.getUint32(4, true) * 0x1_0000_0000 + data.getUint32(0, true);
}
function countPointers(address: number, view: UserView): number | undefined {
  if (address === 0) return undefined;
  for (let count = 0; count < 1000; count++) {
    const pointer = pointerAt(address + count * 8, view);
    if (pointer === undefined) return undefined;
    if (pointer === 0) return count;
  }
  return undefined;
}
function stringArrayText(address: number, view: UserView): string {
  if (address === 0) return "NULL";
  const shown: string[] = [];
  for (let index = 0; index < STRING_SHOWN; index++) {
    const pointer = pointerAt(address + index * 8, view);
    if (pointer === undefined) return hexText(address);
    if (pointer === 0) return `[${shown.join(", ")}]`;
    shown.push(stringText(pointer, view, STRING_SHOWN));
  }
  return `[${shown.join(", ")}, ...]`;
}
