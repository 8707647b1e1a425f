/** `#!` lines (execve(2), "Interpreter scripts"; Linux fs/binfmt_script.c). */
import { ENOEXEC } from "../../abi/linux/errno.ts";

export interface ScriptLine {
  /** Path of the interpreter, as bytes. */
  readonly interpreter: Uint8Array;
  /** Everything after it as one argument, without the blanks around it. */
  readonly argument: Uint8Array | undefined;
}

/** Bytes of a file that exec looks at (BINPRM_BUF_SIZE). */
export const SCRIPT_HEAD_BYTES = 256;
const NEWLINE = 10, SPACE = 32, TAB = 9;
const isBlank = (byte: number): boolean => byte === SPACE || byte === TAB;

export function isScript(head: Uint8Array): boolean {
  return head.length >= 2 && head[0] === 0x23 && head[1] === 0x21;
}

/** @param head the first bytes of the file, at most SCRIPT_HEAD_BYTES
 *  @returns -ENOEXEC when the line names no interpreter or its name was cut off */
export function parseScript(head: Uint8Array): ScriptLine | number {
  let end = head.subarray(0, SCRIPT_HEAD_BYTES).indexOf(NEWLINE);
  const cut = end < 0 && head.length >= SCRIPT_HEAD_BYTES;
  if (end < 0) end = Math.min(head.length, SCRIPT_HEAD_BYTES);
  const nul = head.subarray(0, end).indexOf(0);
  if (nul >= 0) end = nul;
  let at = 2;
  while (at < end && isBlank(head[at])) at++;
  const start = at;
  while (at < end && !isBlank(head[at])) at++;
  if (at === start) return -ENOEXEC;
  // An interpreter's name that reaches the end of the buffer may go on beyond it; a cut argument is let pass.
  if (cut && nul < 0 && at === end) return -ENOEXEC;
  const interpreter = head.slice(start, at);
  while (at < end && isBlank(head[at])) at++;
  while (end > at && isBlank(head[end - 1])) end--;
  return { interpreter, argument: at < end ? head.slice(at, end) : undefined };
}
