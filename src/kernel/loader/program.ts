/** From a place in the file tree to a checked program: permission, `#!` lines, ELF headers, the interpreter's headers.
 *
 *  Everything is read before anything is built. Reading may block; then the whole thing is tried again, and what the file
 *  system fetched is in its cache. The open files pass to the caller, or are released here on failure. */
import { EACCES, EIO, ELIBBAD, ELOOP, ENOEXEC, EINVAL } from "../../abi/linux/errno.ts";
import { O_RDONLY } from "../../abi/linux/fcntl.ts";
import { PHDR_BYTES, PT_INTERP } from "../../abi/elf.ts";
import { bytesToString } from "../../fs/names.ts";
import { BufferSink } from "../../fs/transfer.ts";
import { checkPermission, KERNEL_CALLER, MAY_EXECUTE } from "../../fs/vfs/credentials.ts";
import type { Location } from "../../fs/vfs/location.ts";
import { resolve, type Walk } from "../../fs/vfs/namei.ts";
import { openLocation } from "../../fs/vfs/open.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import { blockOn, takeBlocker, WOULD_BLOCK } from "../../fs/wait.ts";
import { type ElfHeader, parseHeader, parseProgramHeaders, type ProgramHeader } from "./elf.ts";
import { isScript, parseScript, SCRIPT_HEAD_BYTES } from "./script.ts";

/** One checked ELF file. */
export interface ElfFile {
  readonly file: OpenFile;
  readonly header: ElfHeader;
  readonly headers: readonly ProgramHeader[];
}

export interface Program {
  readonly main: ElfFile;
  readonly interpreter: ElfFile | undefined;
  /** argv after `#!` lines have put theirs in front. */
  readonly argv: readonly Uint8Array[];
}

/** Scripts whose interpreters are scripts (BINPRM_MAX_RECURSION). */
const SCRIPT_DEPTH = 5;
/** Bytes of an interpreter's path with its NUL. */
const INTERPRETER_MAX = 4096;

/** @param path what the program was called by; scripts pass it to their interpreter
 *  @returns -errno or WOULD_BLOCK on failure */
export function findProgram(walk: Walk, location: Location, path: Uint8Array, argv: readonly Uint8Array[]): Program | number {
  let place = location;
  let name = path;
  let words = argv;
  for (let depth = 0; ; depth++) {
    if (depth > SCRIPT_DEPTH) return -ELOOP;
    const file = openProgram(walk, place);
    if (typeof file === "number") return file;
    const head = readSome(file, 0, SCRIPT_HEAD_BYTES);
    if (typeof head === "number") return failed(file, head);
    if (!isScript(head)) return checkProgram(walk, file, words);
    file.release();
    const line = parseScript(head);
    if (typeof line === "number") return line;
    // argv[0] gives way to the interpreter, its argument and the script's own name.
    words = [line.interpreter, ...(line.argument === undefined ? [] : [line.argument]), name, ...words.slice(1)];
    name = line.interpreter;
    const next = resolve(walk, bytesToString(line.interpreter));
    if (typeof next === "number") return next;
    place = next;
  }
}

function checkProgram(walk: Walk, file: OpenFile, argv: readonly Uint8Array[]): Program | number {
  const main = readElf(file, -ENOEXEC);
  if (typeof main === "number") return failed(file, main);
  const request = main.headers.find((header) => header.type === PT_INTERP);
  if (request === undefined) return { main, interpreter: undefined, argv };
  const interpreter = findInterpreter(walk, file, request);
  if (typeof interpreter === "number") return failed(file, interpreter);
  return { main, interpreter, argv };
}

/** ld.so: the file that PT_INTERP names. */
function findInterpreter(walk: Walk, file: OpenFile, request: ProgramHeader): ElfFile | number {
  if (request.fileSize < 2 || request.fileSize > INTERPRETER_MAX) return -ENOEXEC;
  const bytes = readAll(file, request.offset, request.fileSize);
  if (typeof bytes === "number") return bytes;
  if (bytes[bytes.length - 1] !== 0) return -ENOEXEC;
  const place = resolve(walk, bytesToString(bytes.subarray(0, bytes.indexOf(0))));
  if (typeof place === "number") return place;
  const opened = openProgram(walk, place);
  if (typeof opened === "number") return opened;
  const interpreter = readElf(opened, -ELIBBAD);
  return typeof interpreter === "number" ? failed(opened, interpreter) : interpreter;
}

/** A regular file the caller may execute, opened for reading whatever its read permission (execve(2), EACCES). */
function openProgram(walk: Walk, location: Location): OpenFile | number {
  const { inode } = location.dentry;
  if (!inode.isRegular) return -EACCES;
  const allowed = checkPermission(inode, MAY_EXECUTE, walk.caller);
  if (allowed < 0) return allowed;
  return openLocation({ ...walk, caller: KERNEL_CALLER }, location, O_RDONLY);
}

function readElf(file: OpenFile, notElf: number): ElfFile | number {
  const head = readSome(file, 0, SCRIPT_HEAD_BYTES);
  if (typeof head === "number") return head;
  const header = parseHeader(head);
  if (typeof header === "number") return notElf;
  const headers = readAll(file, header.programHeaders, header.programHeaderCount * PHDR_BYTES);
  return typeof headers === "number" ? headers : { file, header, headers: parseProgramHeaders(headers) };
}

/** Up to `length` bytes; -errno or WOULD_BLOCK. */
function readSome(file: OpenFile, offset: number, length: number): Uint8Array | number {
  const sink = new BufferSink(length);
  const result = file.readAt(sink, offset);
  return result < 0 ? result : sink.received();
}
/** Exactly `length` bytes; -EIO when the file ends before, as Linux says of its headers. */
function readAll(file: OpenFile, offset: number, length: number): Uint8Array | number {
  if (!(offset < Number.MAX_SAFE_INTEGER)) return -EINVAL;
  const bytes = readSome(file, offset, length);
  return typeof bytes !== "number" && bytes.length < length ? -EIO : bytes;
}

/** Gives a file back after a failure. A read that is on its way needs it open until it has arrived. */
function failed(file: OpenFile, result: number): number {
  if (result !== WOULD_BLOCK) {
    file.release();
    return result;
  }
  const queue = takeBlocker();
  queue.add(() => file.release());
  return blockOn(queue);
}

/** Gives the open files of a program that could not be loaded back; `result` is why, and is returned. */
export function releaseProgram(program: Program, result: number): number {
  if (program.interpreter !== undefined) failed(program.interpreter.file, result);
  return failed(program.main.file, result);
}
