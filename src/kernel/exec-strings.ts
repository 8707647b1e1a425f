/** argv and envp of execve, copied in before anything else happens (execve(2), "Limits on size of arguments and environment"). */
import { E2BIG } from "../abi/linux/errno.ts";
import { RLIMIT_STACK } from "../abi/linux/resource.ts";
import { MENIOS_ARGUMENTS_MAX, MENIOS_STRINGS_MAX, MENIOS_VARIABLES_MAX } from "../abi/menios/limits.ts";
import type { Call } from "./call.ts";

/** One string with its NUL (MAX_ARG_STRLEN). */
const STRING_MAX = 131_072;
/** What Linux always allows (ARG_MAX), and what it never exceeds (three quarters of the default stack). */
const TOTAL_MIN = 131_072;
const TOTAL_MAX = 6 << 20;

export interface StringLimits {
  /** Bytes of all strings and their pointers. */
  readonly total: number;
  readonly string: number;
  readonly arguments: number;
  readonly variables: number;
}

export function stringLimits(call: Call): StringLimits {
  if (call.gate === "menios") {
    return { total: MENIOS_STRINGS_MAX, string: MENIOS_STRINGS_MAX, arguments: MENIOS_ARGUMENTS_MAX, variables: MENIOS_VARIABLES_MAX };
  }
  const quarter = call.task.process.limit(RLIMIT_STACK) / 4;
  return { total: Math.max(Math.min(quarter, TOTAL_MAX), TOTAL_MIN), string: STRING_MAX, arguments: Infinity, variables: Infinity };
}

/** A NULL-terminated array of strings, or -EFAULT, -E2BIG, PARKED. NULL is an empty array, as Linux has it.
 *  @param spent bytes the other array took already */
export function readStrings(call: Call, address: number, limits: StringLimits, most: number, spent: number): Uint8Array[] | number {
  const strings: Uint8Array[] = [];
  if (address === 0) return strings;
  // The meniOS gate counts string bytes only.
  const pointerBytes = call.gate === "menios" ? 0 : 8;
  let total = spent;
  for (let index = 0; ; index++) {
    const pointer = call.readU64(address + index * 8);
    if (pointer < 0) return pointer;
    if (pointer === 0) return strings;
    if (index >= most) return -E2BIG;
    const text = call.readString(pointer, Math.min(limits.string, Math.max(limits.total - total, 1)), -E2BIG);
    if (typeof text === "number") return text;
    total += text.length + 1 + pointerBytes;
    if (total > limits.total) return -E2BIG;
    strings.push(text.slice());
  }
}

export function bytesOf(strings: readonly Uint8Array[], call: Call): number {
  const pointerBytes = call.gate === "menios" ? 0 : 8;
  return strings.reduce((sum, text) => sum + text.length + 1 + pointerBytes, 0);
}
