/** Builds the image of a checked program in an address space of its own (Linux fs/binfmt_elf.c, load_elf_binary).
 *
 *  Segments are mapped lazily from the file's page cache; only the pages with a bss tail and the top of the stack are touched
 *  here. On failure everything is given back. */
import {
  AT_BASE, AT_CLKTCK, AT_EGID, AT_ENTRY, AT_EUID, AT_EXECFN, AT_FLAGS, AT_GID, AT_HWCAP, AT_HWCAP2, AT_MINSIGSTKSZ, AT_PAGESZ, AT_PHDR, AT_PHENT,
  AT_PHNUM, AT_PLATFORM, AT_RANDOM, AT_SECURE, AT_UID,
} from "../../abi/linux/auxv.ts";
import { PF_R, PF_W, PF_X, PHDR_BYTES, PT_GNU_STACK, PT_LOAD } from "../../abi/elf.ts";
import { E2BIG, EINVAL, ENOMEM } from "../../abi/linux/errno.ts";
import { MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } from "../../abi/linux/mman.ts";
import { RLIMIT_STACK, USER_HZ } from "../../abi/linux/resource.ts";
import type { Walk } from "../../fs/vfs/namei.ts";
import { pathOf } from "../../fs/vfs/location.ts";
import { blockOn } from "../../fs/wait.ts";
import { AddressSpace } from "../../vm/address-space.ts";
import { PIE_BASE, STACK_TOP, USER_END } from "../../vm/layout.ts";
import { copyOut, USER_BLOCKED } from "../../vm/user-memory.ts";
import type { Credentials } from "../credentials.ts";
import type { Kernel } from "../kernel.ts";
import { memoryLimits, type ResourceLimits } from "../limits.ts";
import { MemoryImage } from "../memory-image.ts";
import type { ProgramHeader } from "./elf.ts";
import type { ElfFile, Program } from "./program.ts";
import { buildStack } from "./stack.ts";

/** For whom a program is loaded. */
export interface LoadContext {
  readonly walk: Walk;
  readonly limits: ResourceLimits;
  readonly credentials: Credentials;
}

export interface LoadedImage {
  readonly image: MemoryImage;
  readonly entry: number;
  readonly stackPointer: number;
  /** What the program was called by. */
  readonly fileName: Uint8Array;
}

const PAGE = 4096;
/** What Linux adds below the strings when it sets the stack up (setup_arg_pages, stack_expand). */
const STACK_EXPAND = 131_072;
/** Largest signal frame this machine writes, as Linux computes AT_MINSIGSTKSZ: frame, FXSAVE image, alignment. */
const SIGNAL_FRAME_MAX = 1040;

/** Takes over the program's open files on success. -errno or WOULD_BLOCK leave nothing behind. */
export function loadProgram(
  kernel: Kernel, context: LoadContext, program: Program, request: { fileName: Uint8Array; envp: readonly Uint8Array[] },
): LoadedImage | number {
  const space = AddressSpace.create(kernel.vm, memoryLimits(context.limits));
  if (typeof space === "number") return space;
  const image = new MemoryImage(space, kernel.faultTotals);
  const loaded = build(kernel, context, program, request, image);
  if (typeof loaded !== "number") {
    image.executable = program.main.file;
    program.interpreter?.file.release();
    return loaded;
  }
  // The wait outlives the space: what it brings in stays in the file's cache for the next try.
  const queue = loaded === USER_BLOCKED ? kernel.blockedPage(space) : undefined;
  image.release();
  return queue === undefined ? loaded : blockOn(queue);
}

function build(
  kernel: Kernel, context: LoadContext, program: Program, request: { fileName: Uint8Array; envp: readonly Uint8Array[] }, image: MemoryImage,
): LoadedImage | number {
  const { space } = image;
  const { main, interpreter } = program;
  const bias = main.header.positionIndependent ? positionOf(main) : 0;
  if (bias < 0) return bias;
  const end = mapFile(context, space, main, bias);
  if (end < 0) return end;
  space.setBreakStart(end);
  let base = 0;
  let entry = main.header.entry + bias;
  if (interpreter !== undefined) {
    base = interpreter.header.positionIndependent ? placeInterpreter(space, interpreter) : 0;
    if (base < 0) return base;
    const mapped = mapFile(context, space, interpreter, base);
    if (mapped < 0) return mapped;
    entry = interpreter.header.entry + base;
  }
  if (!(entry < USER_END)) return -EINVAL;

  const { credentials } = context;
  const random = new Uint8Array(16);
  kernel.host.random.fill(random);
  const stack = buildStack({
    top: STACK_TOP, fileName: request.fileName, argv: program.argv, envp: request.envp, random,
    auxv: [
      [AT_MINSIGSTKSZ, SIGNAL_FRAME_MAX], [AT_HWCAP, kernel.system.hwcap], [AT_PAGESZ, PAGE], [AT_CLKTCK, USER_HZ],
      [AT_PHDR, headersAddress(main) + bias], [AT_PHENT, PHDR_BYTES], [AT_PHNUM, main.header.programHeaderCount], [AT_BASE, base], [AT_FLAGS, 0],
      [AT_ENTRY, main.header.entry + bias], [AT_UID, credentials.uid], [AT_EUID, credentials.euid], [AT_GID, credentials.gid],
      [AT_EGID, credentials.egid], [AT_SECURE, 0], [AT_RANDOM, 0], [AT_HWCAP2, 0], [AT_EXECFN, 0], [AT_PLATFORM, 0],
    ],
  });
  const limit = context.limits.soft[RLIMIT_STACK];
  if (stack.bytes.length + PAGE > limit) return -E2BIG;
  const wanted = Math.ceil(stack.bytes.length / PAGE) * PAGE + STACK_EXPAND;
  const top = space.mapStack(STACK_TOP, Math.min(wanted, Math.floor(limit / PAGE) * PAGE), stackProtection(main));
  if (top < 0) return -ENOMEM;
  const stored = copyOut(space, stack.sp, stack.bytes);
  if (stored === USER_BLOCKED) return USER_BLOCKED;
  if (stored < 0) return -ENOMEM;

  image.argStart = stack.argStart;
  image.argEnd = stack.argEnd;
  image.envStart = stack.envStart;
  image.envEnd = stack.envEnd;
  image.stackStart = stack.sp;
  image.auxv = stack.auxv;
  const text = main.headers.find((header) => header.type === PT_LOAD && (header.flags & PF_X) !== 0);
  image.codeStart = (text?.address ?? 0) + bias;
  image.codeEnd = image.codeStart + (text?.fileSize ?? 0);
  return { image, entry, stackPointer: stack.sp, fileName: request.fileName };
}

const loads = (file: ElfFile): ProgramHeader[] => file.headers.filter((header) => header.type === PT_LOAD);

/** Lowest and highest byte of the segments, page-rounded; undefined without segments or with nonsense in them. */
function extent(file: ElfFile): { start: number; end: number } | undefined {
  let start = Infinity;
  let end = 0;
  for (const header of loads(file)) {
    if (header.fileSize > header.memorySize || !(header.address + header.memorySize <= USER_END)) return undefined;
    start = Math.min(start, header.address - (header.address % PAGE));
    end = Math.max(end, Math.ceil((header.address + header.memorySize) / PAGE) * PAGE);
  }
  return end === 0 ? undefined : { start, end };
}

/** Load bias of a position-independent program: PIE_BASE, aligned as its segments ask. */
function positionOf(file: ElfFile): number {
  const range = extent(file);
  if (range === undefined) return -EINVAL;
  let align = PAGE;
  // Only powers of two count (Linux: maximum_alignment).
  for (const header of loads(file)) if (header.align > align && Number.isInteger(Math.log2(header.align))) align = header.align;
  if (align > 2 ** 40) return -EINVAL;
  const bias = PIE_BASE - (PIE_BASE % align) - range.start;
  return bias >= 0 && range.end + bias <= USER_END ? bias : -ENOMEM;
}

/** Where the kernel would put a mapping of the interpreter's size. */
function placeInterpreter(space: AddressSpace, file: ElfFile): number {
  const range = extent(file);
  if (range === undefined) return -EINVAL;
  const length = range.end - range.start;
  const place = space.map({ hint: 0, length, prot: PROT_NONE, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE });
  if (place < 0) return place;
  space.unmap(place, length);
  return place - range.start;
}

/** Maps every PT_LOAD. The end of the highest segment in memory, or -errno, or USER_BLOCKED. */
function mapFile(context: LoadContext, space: AddressSpace, elf: ElfFile, bias: number): number {
  const pages = elf.file.mapPages();
  if (typeof pages === "number") return pages;
  const name = pathOf(elf.file.location, context.walk.root);
  let end = 0;
  for (const header of loads(elf)) {
    if (header.fileSize > header.memorySize || !(header.address + bias + header.memorySize <= USER_END)) return -EINVAL;
    if (header.memorySize === 0) continue;
    if (!(header.offset + header.fileSize <= Number.MAX_SAFE_INTEGER)) return -EINVAL;
    const mapped = space.mapSegment({
      address: header.address + bias, fileOffset: header.offset, fileSize: header.fileSize, memorySize: header.memorySize,
      prot: protectionOf(header.flags), backing: pages, file: elf.file, name, replace: true,
    });
    if (mapped < 0) return mapped;
    end = Math.max(end, header.address + bias + header.memorySize);
  }
  return end;
}

function protectionOf(flags: number): number {
  return ((flags & PF_R) !== 0 ? PROT_READ : 0) | ((flags & PF_W) !== 0 ? PROT_WRITE : 0) | ((flags & PF_X) !== 0 ? PROT_EXEC : 0);
}
/** x86-64 stacks are executable only when PT_GNU_STACK says so. */
function stackProtection(file: ElfFile): number {
  const header = [...file.headers].reverse().find((candidate) => candidate.type === PT_GNU_STACK);
  return PROT_READ | PROT_WRITE | (header !== undefined && (header.flags & PF_X) !== 0 ? PROT_EXEC : 0);
}
/** Address of the program headers before the bias: where the segment that holds them puts them. */
function headersAddress(file: ElfFile): number {
  const { programHeaders } = file.header;
  const holder = loads(file).find((header) => programHeaders >= header.offset && programHeaders < header.offset + header.fileSize);
  return holder === undefined ? 0 : programHeaders - holder.offset + holder.address;
}
