/** What a new program finds on its stack (System V ABI "Initial Process Stack"; Linux fs/exec.c, create_elf_tables).
 *
 *    STACK_TOP − 8   zero
 *                    file name (AT_EXECFN), environment strings, argument strings: each NUL-terminated, in order upwards
 *                    "x86_64" (AT_PLATFORM), 16 random bytes (AT_RANDOM)
 *                    …
 *    16-aligned rsp  argc, argv…, 0, envp…, 0, auxv pairs …, AT_NULL
 */
import { AT_EXECFN, AT_NULL, AT_PLATFORM, AT_RANDOM } from "../../abi/linux/auxv.ts";

export interface StackRequest {
  /** End of the stack, page-aligned. */
  readonly top: number;
  /** Name the program was started by, without NUL; and the strings. */
  readonly fileName: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
  readonly random: Uint8Array;
  /** Keys and values in order; those of EXECFN, PLATFORM, RANDOM are filled in here. */
  readonly auxv: readonly (readonly [number, number])[];
}

export interface StackImage {
  /** Bytes to store at `sp`, up to STACK_TOP. */
  readonly bytes: Uint8Array;
  readonly sp: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** The vector alone, as /proc/pid/auxv shows it. */
  readonly auxv: Uint8Array;
}

const PLATFORM = new Uint8Array([0x78, 0x38, 0x36, 0x5f, 0x36, 0x34, 0]);
const TWO_32 = 0x1_0000_0000;

export function buildStack(request: StackRequest): StackImage {
  const { top, fileName, argv, envp } = request;
  const stringBytes = (strings: readonly Uint8Array[]): number => strings.reduce((sum, text) => sum + text.length + 1, 0);
  const execfn = top - 8 - (fileName.length + 1);
  const envStart = execfn - stringBytes(envp);
  const argStart = envStart - stringBytes(argv);
  const platform = floor16(argStart) - PLATFORM.length;
  const random = platform - 16;
  const auxWords = (request.auxv.length + 1) * 2;
  const pointerWords = 1 + argv.length + 1 + envp.length + 1;
  const sp = floor16(random - (auxWords + pointerWords) * 8);

  const bytes = new Uint8Array(top - sp);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const word = (value: number): void => {
    view.setUint32(at, value >>> 0, true);
    view.setUint32(at + 4, Math.floor(value / TWO_32) >>> 0, true);
    at += 8;
  };
  const strings = (list: readonly Uint8Array[], start: number): void => {
    let address = start;
    for (const text of list) {
      bytes.set(text, address - sp);
      word(address);
      address += text.length + 1;
    }
    word(0);
  };
  word(argv.length);
  strings(argv, argStart);
  strings(envp, envStart);
  const auxStart = at;
  for (const [key, value] of request.auxv) {
    word(key);
    word(key === AT_EXECFN ? execfn : key === AT_PLATFORM ? platform : key === AT_RANDOM ? random : value);
  }
  word(AT_NULL);
  word(0);
  const auxv = bytes.slice(auxStart, at);
  bytes.set(request.random, random - sp);
  bytes.set(PLATFORM, platform - sp);
  bytes.set(fileName, execfn - sp);
  return { bytes, sp, argStart, argEnd: envStart, envStart, envEnd: execfn, auxv };
}

const floor16 = (value: number): number => value - (value % 16);
