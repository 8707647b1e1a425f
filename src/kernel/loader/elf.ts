/** Reads what an ELF file says about itself, believing nothing (binfmt_elf.c has the order of Linux's refusals).
 *
 *  64-bit fields become numbers; a field too large to be exact is far beyond every limit it is compared with. */
import { ENOEXEC } from "../../abi/linux/errno.ts";
import {
  E_ENTRY, E_MACHINE, E_PHENTSIZE, E_PHNUM, E_PHOFF, E_TYPE, EHDR_BYTES, EI_CLASS, EI_DATA, ELF_MAGIC, ELFCLASS64, ELFDATA2LSB, EM_X86_64, ET_DYN,
  ET_EXEC, P_ALIGN, P_FILESZ, P_FLAGS, P_MEMSZ, P_OFFSET, P_TYPE, P_VADDR, PHDR_BYTES,
} from "../../abi/elf.ts";

export interface ElfHeader {
  readonly positionIndependent: boolean;
  readonly entry: number;
  readonly programHeaders: number;
  readonly programHeaderCount: number;
}

export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** Most bytes of program headers Linux reads. */
const PROGRAM_HEADERS_MAX = 65536;

/** The header, or -ENOEXEC for anything that is not an x86-64 program. */
export function parseHeader(bytes: Uint8Array): ElfHeader | number {
  if (bytes.length < EHDR_BYTES) return -ENOEXEC;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== ELF_MAGIC || bytes[EI_CLASS] !== ELFCLASS64 || bytes[EI_DATA] !== ELFDATA2LSB) return -ENOEXEC;
  const type = view.getUint16(E_TYPE, true);
  if ((type !== ET_EXEC && type !== ET_DYN) || view.getUint16(E_MACHINE, true) !== EM_X86_64) return -ENOEXEC;
  const count = view.getUint16(E_PHNUM, true);
  if (view.getUint16(E_PHENTSIZE, true) !== PHDR_BYTES || count === 0 || count * PHDR_BYTES > PROGRAM_HEADERS_MAX) return -ENOEXEC;
  return { positionIndependent: type === ET_DYN, entry: read64(view, E_ENTRY), programHeaders: read64(view, E_PHOFF), programHeaderCount: count };
}

/** @param bytes exactly the program headers */
export function parseProgramHeaders(bytes: Uint8Array): ProgramHeader[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headers: ProgramHeader[] = [];
  for (let at = 0; at + PHDR_BYTES <= bytes.length; at += PHDR_BYTES) {
    headers.push({
      type: view.getUint32(at + P_TYPE, true),
      flags: view.getUint32(at + P_FLAGS, true),
      offset: read64(view, at + P_OFFSET),
      address: read64(view, at + P_VADDR),
      fileSize: read64(view, at + P_FILESZ),
      memorySize: read64(view, at + P_MEMSZ),
      align: read64(view, at + P_ALIGN),
    });
  }
  return headers;
}

function read64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}
