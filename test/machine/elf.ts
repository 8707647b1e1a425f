/** The smallest ELF that runs: one header, one PT_LOAD (read and execute) that holds the whole file, and `code` at its entry
 *  (System V gABI, chapters 4 and 5). For tests that need a program of a few bytes and no compiler. */
const BASE = 0x40_0000;
const HEADER = 64;
const PROGRAM_HEADER = 56;

export function tinyElf(code: readonly number[]): Uint8Array {
  const start = HEADER + PROGRAM_HEADER;
  const bytes = new Uint8Array(start + code.length);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  u16(16, 2); // ET_EXEC
  u16(18, 62); // EM_X86_64
  u32(20, 1);
  u64(24, BASE + start);
  u64(32, HEADER);
  u16(52, HEADER);
  u16(54, PROGRAM_HEADER);
  u16(56, 1);
  u32(HEADER, 1); // PT_LOAD
  u32(HEADER + 4, 5); // PF_R | PF_X
  u64(HEADER + 16, BASE);
  u64(HEADER + 24, BASE);
  u64(HEADER + 32, bytes.length);
  u64(HEADER + 40, bytes.length);
  u64(HEADER + 48, 4096);
  bytes.set(code, start);
  return bytes;
}

/** `jmp .` */
export const SPIN = tinyElf([0xeb, 0xfe]);

/** Writes its own first 64 bytes to standard output, for ever. */
export const CHATTER = tinyElf([
  0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1 (write)
  0xbf, 0x01, 0x00, 0x00, 0x00, // mov edi, 1
  0xbe, 0x00, 0x00, 0x40, 0x00, // mov esi, 0x400000
  0xba, 0x40, 0x00, 0x00, 0x00, // mov edx, 64
  0x0f, 0x05, // syscall
  0xeb, 0xe8, // jmp to the start
]);

/** Copies standard input to standard output until it ends, then exits with status 7. */
export const CAT = tinyElf([
  0x48, 0x83, 0xec, 0x40, // sub rsp, 64
  0x31, 0xc0, // xor eax, eax (read)
  0x31, 0xff, // xor edi, edi
  0x48, 0x89, 0xe6, // mov rsi, rsp
  0xba, 0x40, 0x00, 0x00, 0x00, // mov edx, 64
  0x0f, 0x05, // syscall
  0x85, 0xc0, // test eax, eax
  0x7e, 0x10, // jle done
  0x89, 0xc2, // mov edx, eax
  0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1 (write)
  0xbf, 0x01, 0x00, 0x00, 0x00, // mov edi, 1
  0x0f, 0x05, // syscall
  0xeb, 0xde, // jmp to the read
  0xb8, 0x3c, 0x00, 0x00, 0x00, // done: mov eax, 60 (exit)
  0xbf, 0x07, 0x00, 0x00, 0x00, // mov edi, 7
  0x0f, 0x05, // syscall
]);
