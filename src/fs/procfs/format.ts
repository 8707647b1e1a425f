/** Text in the columns that Linux uses, byte for byte: programs parse it. */
import { deviceMajor, deviceMinor } from "../../abi/linux/stat.ts";

/** Column at which /proc/<pid>/maps starts names. */
const NAME_COLUMN = 73;

export function hex(value: number, digits = 0): string {
  return value.toString(16).padStart(digits, "0");
}

/** A kB line of /proc/<pid>/status: value right-aligned in 8. */
export function kilobytes(label: string, bytes: number): string {
  return `${label}:\t${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
}

/** A line of /proc/meminfo: label padded to 16, value right-aligned in 8. */
export function meminfoLine(label: string, bytes: number): string {
  return `${`${label}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
}

/** "fe:00". */
export function deviceText(device: number): string {
  return `${hex(deviceMajor(device), 2)}:${hex(deviceMinor(device), 2)}`;
}

/** First line of a region in maps and smaps. `name` is printed in its column, a newline in it as \012. */
export function regionLine(
  start: number, end: number, permissions: string, offset: number, device: number, inode: number, name: string,
): string {
  const head = `${hex(start, 8)}-${hex(end, 8)} ${permissions} ${hex(offset, 8)} ${deviceText(device)} ${inode} `;
  if (name === "") return `${head}\n`;
  // A head that reaches the column is followed by one more space.
  return `${head.padEnd(NAME_COLUMN - 1)} ${escapeOctal(name, "\n")}\n`;
}

/** Octal escapes for characters that would break a line into the wrong fields (getmntent(3)). */
export function escapeOctal(text: string, characters: string): string {
  let result = "";
  for (const c of text) result += characters.includes(c) ? `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}` : c;
  return result;
}

/** Sixteen hexadecimal digits of a 64-bit set. */
export function bits64(bits: { readonly low: number; readonly high: number }): string {
  return hex(bits.high >>> 0, 8) + hex(bits.low >>> 0, 8);
}

/** Seconds with two decimals, cut like Linux cuts them. */
export function seconds(value: number): string {
  const hundredths = Math.floor(value * 100);
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}`;
}
