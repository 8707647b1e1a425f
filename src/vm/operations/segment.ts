/** Setting up an image: PT_LOAD segments and the first stack (Linux fs/binfmt_elf.c elf_map, set_brk, setup_arg_pages). */
import { EINVAL } from "../../abi/linux/errno.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/linux/mman.ts";
import { pageCeil, pageFloor } from "../../base/bits.ts";
import type { PageCache } from "../../memory/page-cache.ts";
import type { AddressSpace } from "../address-space.ts";
import type { RegionType } from "../region.ts";
import { clearUser } from "../user-memory.ts";

export interface SegmentRequest {
  /** p_vaddr plus the load bias. */
  readonly address: number;
  /** p_offset; congruent to `address` modulo the page size. */
  readonly fileOffset: number;
  /** p_filesz. */
  readonly fileSize: number;
  /** p_memsz, at least fileSize. */
  readonly memorySize: number;
  readonly prot: number;
  readonly backing: PageCache;
  readonly file?: object | undefined;
  readonly name?: string | undefined;
  /** Whether a mapping in the way is replaced (the interpreter's reserved range) or an error (EEXIST). Default: error. */
  readonly replace?: boolean | undefined;
}

/** Maps a segment: its file pages privately and lazily, zero bytes from fileSize to memorySize. The part of the last file page
 *  behind fileSize is cleared at once when the segment is writable, as Linux's padzero does; that touches one page, so the
 *  result may be USER_BLOCKED (map again after the wait, with `replace`). 0 or -errno otherwise. */
export function mapSegment(space: AddressSpace, request: SegmentRequest): number {
  const { address, fileOffset, fileSize, memorySize, prot } = request;
  if (memorySize < fileSize || (address & 4095) !== (fileOffset & 4095)) return -EINVAL;
  const fixed = request.replace === true ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  const start = pageFloor(address);
  const fileEnd = address + fileSize;
  const end = pageCeil(address + memorySize);
  const type: RegionType = (prot & PROT_EXEC) !== 0 ? "text" : (prot & PROT_WRITE) !== 0 ? "data" : "rodata";
  let zeroStart = start;
  if (fileSize > 0) {
    const mapped = space.map({
      hint: start, length: pageCeil(fileEnd) - start, prot, flags: MAP_PRIVATE | fixed, backing: request.backing,
      backingOffset: pageFloor(fileOffset), file: request.file, type, name: request.name,
    });
    if (mapped < 0) return mapped;
    zeroStart = pageCeil(fileEnd);
  }
  if (end > zeroStart) {
    // The zero part is data whatever the segment says (vm_brk_flags).
    const zeroProt = PROT_READ | PROT_WRITE | (prot & PROT_EXEC);
    const mapped = space.map({ hint: zeroStart, length: end - zeroStart, prot: zeroProt, flags: MAP_PRIVATE | MAP_ANONYMOUS | fixed, type });
    if (mapped < 0) return mapped;
  }
  // A read-only segment keeps the file's bytes behind its end: nobody is promised zeros there.
  if (memorySize === fileSize || fileSize === 0 || (prot & PROT_WRITE) === 0) return 0;
  return Math.min(clearUser(space, fileEnd, pageCeil(fileEnd) - fileEnd), 0);
}

/** Maps the stack and remembers where it began; see AddressSpace.mapStack. */
export function mapStack(space: AddressSpace, top: number, length: number, prot: number): number {
  const start = pageFloor(top - length);
  const mapped = space.map({
    hint: start, length: top - start, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, type: "stack",
  });
  if (mapped >= 0) space.stackStart = top - 8;
  return mapped;
}
