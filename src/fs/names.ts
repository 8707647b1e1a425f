/** File names as Linux has them: byte strings. One character is one byte (0–255), so nothing is lost on names that are not
 *  UTF-8, `length` is the length that NAME_MAX and PATH_MAX speak of, and comparing is plain `===`.
 *  Text enters and leaves through the functions here. */

/** The byte string of some text, in UTF-8. */
export function byteStringOf(text: string): string {
  if (isAscii(text)) return text;
  let bytes = "";
  for (const character of text) bytes += encodeScalar(character.codePointAt(0)!);
  return bytes;
}

/** The text that a byte string spells in UTF-8; bytes that are not UTF-8 become U+FFFD. */
export function textOf(byteString: string): string {
  if (isAscii(byteString)) return byteString;
  let text = "";
  for (let at = 0; at < byteString.length; ) {
    const length = sequenceLength(byteString, at);
    text += length === 0 ? "\ufffd" : String.fromCodePoint(decodeScalar(byteString, at, length));
    at += Math.max(length, 1);
  }
  return text;
}

/** Bytes → byte string. */
export function bytesToString(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** Byte string → bytes. */
export function stringToBytes(byteString: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteString.length);
  for (let i = 0; i < byteString.length; i++) bytes[i] = byteString.charCodeAt(i);
  return bytes;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** UTF-8 of one code point (RFC 3629); a lone surrogate becomes U+FFFD. */
function encodeScalar(codePoint: number): string {
  const point = codePoint >= 0xd800 && codePoint <= 0xdfff ? 0xfffd : codePoint;
  if (point < 0x80) return String.fromCharCode(point);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), continuation(point));
  if (point < 0x1_0000) return String.fromCharCode(0xe0 | (point >> 12), continuation(point >> 6), continuation(point));
  return String.fromCharCode(0xf0 | (point >> 18), continuation(point >> 12), continuation(point >> 6), continuation(point));
}

const continuation = (bits: number): number => 0x80 | (bits & 0x3f);

/** Bytes of the well-formed sequence at `at`, 0 when there is none (Unicode table 3-7). */
function sequenceLength(bytes: string, at: number): number {
  const lead = bytes.charCodeAt(at);
  if (lead < 0x80) return 1;
  const length = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if ((bytes.charCodeAt(at + i) & 0xc0) !== 0x80) return 0;
  const point = decodeScalar(bytes, at, length);
  const shortest = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x1_0000;
  return point < shortest || point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff) ? 0 : length;
}

function decodeScalar(bytes: string, at: number, length: number): number {
  if (length === 1) return bytes.charCodeAt(at);
  let point = bytes.charCodeAt(at) & (0x7f >> length);
  for (let i = 1; i < length; i++) point = (point << 6) | (bytes.charCodeAt(at + i) & 0x3f);
  return point;
}
