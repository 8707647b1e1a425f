/** The small texts of strace's line format: quoted bytes, hexadecimal numbers, flag sets. */

/** `0x7ffff7fff000`; anything at or above 2^64 came from the all-ones end and is shown as such. */
export function hexText(value: number): string {
  if (value === 0) return "0";
  if (value >= 2 ** 64) return "0xffffffffffffffff";
  return value <= Number.MAX_SAFE_INTEGER ? `0x${value.toString(16)}` : `0x${BigInt(value).toString(16)}`;
}

export function octalText(value: number): string {
  return value === 0 ? "000" : `0${value.toString(8).padStart(3, "0")}`;
}

/** Names joined by `|`, unknown bits as one hexadecimal number, `zero` for nothing at all. */
export function flagsText(value: number, names: readonly (readonly [string, number])[], zero: string): string {
  let rest = value >>> 0;
  if (rest === 0) return zero;
  const shown: string[] = [];
  for (const [name, bits] of names) {
    if (bits !== 0 && ((rest & bits) >>> 0) === (bits >>> 0)) {
      shown.push(name);
      rest = (rest & ~bits) >>> 0;
    }
  }
  if (rest !== 0) shown.push(`0x${rest.toString(16)}`);
  return shown.join("|");
}

const ESCAPES: Record<number, string> = { 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\" };

/** C string literal as strace writes it: octal escapes, widened to three digits when a digit follows. */
export function quoteBytes(bytes: Uint8Array): string {
  let text = '"';
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    const escape = ESCAPES[byte];
    if (escape !== undefined) text += escape;
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else {
      const next = bytes[index + 1];
      const digitFollows = next !== undefined && next >= 48 && next <= 57;
      text += `\\${digitFollows ? byte.toString(8).padStart(3, "0") : byte.toString(8)}`;
    }
  }
  return `${text}"`;
}

/** Quoted bytes with `...` when only the first of `length` bytes are given. */
export function bytesText(bytes: Uint8Array, length: number): string {
  return length > bytes.length ? `${quoteBytes(bytes)}...` : quoteBytes(bytes);
}
