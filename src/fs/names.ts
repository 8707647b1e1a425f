/** File names as Linux has them: byte strings. One character is one byte (0–255), so nothing is lost on names that are not
 *  UTF-8, `length` is the length that NAME_MAX and PATH_MAX speak of, and comparing is plain `===`.
 *  Text enters and leaves through the functions here. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The byte string of some text, in UTF-8. */
export function byteStringOf(text: string): string {
  if (isAscii(text)) return text;
  return bytesToString(encoder.encode(text));
}

/** The text that a byte string spells in UTF-8; bytes that are not UTF-8 become U+FFFD. */
export function textOf(byteString: string): string {
  return isAscii(byteString) ? byteString : decoder.decode(stringToBytes(byteString));
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
