/** Instructions as text, against an independent disassembler (iced-x86) where both write the same, and by hand where names differ. */
import { Decoder as Reference, DecoderOptions, Formatter, FormatterSyntax } from "iced-x86";
import { expect, test } from "vitest";
import "../instructions/index.ts";
import { DECODED, Decoder } from "./decoder.ts";
import { formatInstruction } from "./format.ts";
import { OpcodeTables } from "./tables.ts";

const decoder = new Decoder(new OpcodeTables());
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.split(" "), (byte) => Number.parseInt(byte, 16));

function format(hex: string): string {
  const bytes = bytesOf(hex);
  expect(decoder.decode(bytes, 0, bytes.length, 0x40_1000)).toBe(DECODED);
  return formatInstruction(decoder.decoded);
}
function reference(hex: string): string {
  const decoding = new Reference(64, bytesOf(hex), DecoderOptions.None);
  decoding.ip = 0x40_1000n;
  const instruction = decoding.decode();
  const formatter = new Formatter(FormatterSyntax.Nasm);
  const text = formatter.format(instruction);
  for (const one of [formatter, instruction, decoding]) one.free();
  return text;
}
/** NASM leaves out sizes that the registers tell, writes h behind hexadecimal, and no blank behind a comma. */
const plain = (text: string): string =>
  text.replace(/\b(byte|word|dword|qword|tbyte|xmmword|oword|rel|short|near) /g, "").replace(/\b0*([\da-f]+)h\b/gi, (_, digits: string) => `0x${digits.toLowerCase()}`)
    .replace(/\b0x(\d)\b/g, "$1").replace(/\s*,\s*/g, ",");

test.each(["48 01 d8", "01 44 8b 10", "66 89 c1", "88 e3", "40 88 f7", "41 b8 05 00 00 00", "48 8d 44 37 f0", "0f b6 07", "64 48 8b 04 25 28 00 00 00", "74 fe", "e8 05 00 00 00",
  "c1 e0 03", "48 d3 f8", "f2 0f 58 c1", "f2 44 0f 58 07", "66 0f 38 00 ca", "0f 28 06", "c8 10 00 01", "67 8b 03", "6a ff"])("%s reads as iced writes it", (hex) => {
  expect(plain(format(hex))).toBe(plain(reference(hex)));
});

test.each([["f0 01 07", "lock add dword [rdi], eax"], ["db 2f", "fld tbyte [rdi]"], ["d8 c1", "fadd st(1)"], ["aa", "stos byte [rdi], al"], ["8b 05 00 01 00 00", "mov eax, dword [0x401106]"],
  ["d1 e0", "shl eax, 1"], ["8e e0", "mov fs, ax"], ["0f 6f ca", "movq mm1, mm2"]])("%s is %s", (hex, text) => {
  expect(format(hex)).toBe(text);
});
