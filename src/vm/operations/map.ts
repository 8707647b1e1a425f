/** mmap(2). Checks come in Linux's order (mm/mmap.c do_mmap), because programs probe for the errors.
 *
 *  Effects: address chosen → limits and commit checked → with MAP_FIXED, what was there unmapped → region made and merged →
 *  pages faulted in if asked. A failed call changes nothing. What concerns descriptors (EBADF, EACCES, ENODEV) is checked by
 *  the system call, which then passes the file's pages as `backing`. */
import { EACCES, EAGAIN, EEXIST, EINVAL, ENOMEM, EOPNOTSUPP, EOVERFLOW } from "../../abi/linux/errno.ts";
import {
  MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, MAP_HUGETLB, MAP_HUGE_MASK, MAP_HUGE_SHIFT, MAP_LOCKED, MAP_NONBLOCK, MAP_NORESERVE,
  MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE, MAP_STACK, MAP_SYNC, MAP_TYPE, PROT_EXEC, PROT_READ, PROT_WRITE,
} from "../../abi/linux/mman.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import type { PageCache } from "../../memory/page-cache.ts";
import type { AddressSpace } from "../address-space.ts";
import { SharedObject } from "../backing/shared.ts";
import { COMMIT_NEVER } from "../commit.ts";
import { MAX_MAP_COUNT } from "../layout.ts";
import { countMapped, insertRegion, removeRange } from "../mapping.ts";
import {
  REGION_ACCOUNT, REGION_GROWSDOWN, REGION_LOCKED, REGION_LOCK_MASK, REGION_NOHUGEPAGE, REGION_NORESERVE, REGION_SHARED, Region, type RegionType,
} from "../region.ts";
import { choosePlace, roundHint } from "./place.ts";
import { populateIfPossible } from "./populate.ts";
import { wouldExceedMapCount } from "./unmap.ts";

export interface MapRequest {
  /** Address wanted; 0 for anywhere. */
  readonly hint: number;
  readonly length: number;
  readonly prot: number;
  /** MAP_* */
  readonly flags: number;
  /** Pages of a file or shared object; absent for anonymous memory. */
  readonly backing?: PageCache | undefined;
  /** Bytes into the backing, page-aligned. */
  readonly backingOffset?: number | undefined;
  /** The open file, for telling two descriptions of one file apart. */
  readonly file?: object | undefined;
  /** Rights that mprotect may give later: no PROT_WRITE for a shared mapping of a file open for reading. Default: all. */
  readonly maxProt?: number | undefined;
  readonly type?: RegionType | undefined;
  /** Path for /proc/self/maps. */
  readonly name?: string | undefined;
  /** -errno of what the descriptor forbids: the answer once a place has been found that nothing else forbids. */
  readonly refusal?: number | undefined;
  /** More REGION_* bits. */
  readonly regionFlags?: number | undefined;
}

const RIGHTS = PROT_READ | PROT_WRITE | PROT_EXEC;

export function map(space: AddressSpace, request: MapRequest): number {
  const { backing, prot } = request;
  let { flags } = request;
  const offset = request.backingOffset ?? 0;
  if (!isPageAligned(offset)) return -EINVAL;
  // No huge pages are configured: only the sizes x86 has are known, and none is ever free (hugetlb_file_setup).
  if ((flags & MAP_HUGETLB) !== 0 && backing === undefined) {
    const shift = (flags >>> MAP_HUGE_SHIFT) & MAP_HUGE_MASK;
    return shift === 0 || shift === 21 ? -ENOMEM : -EINVAL;
  }
  if (request.length === 0) return -EINVAL;
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) flags |= MAP_FIXED;
  const hint = (flags & MAP_FIXED) !== 0 ? request.hint : roundHint(request.hint);
  const length = pageCeil(request.length);
  if (!(length < 2 ** 52)) return -ENOMEM;
  if (offset + length >= 2 ** 63) return -EOVERFLOW;
  if (space.regions.count > MAX_MAP_COUNT) return -ENOMEM;
  const address = choosePlace(space, hint, length, flags, backing === undefined);
  if (address < 0) return address;
  const end = address + length;
  if ((flags & MAP_FIXED_NOREPLACE) !== 0 && space.regions.overlaps(address, end)) return -EEXIST;

  let regionFlags = request.regionFlags ?? 0;
  if ((flags & MAP_GROWSDOWN) !== 0) regionFlags |= REGION_GROWSDOWN;
  // A thread stack is kept out of huge pages (calc_vm_flag_bits), which keeps it from merging with what is not.
  if ((flags & MAP_STACK) !== 0) regionFlags |= REGION_NOHUGEPAGE;
  regionFlags |= (flags & MAP_LOCKED) !== 0 ? REGION_LOCKED : space.defaultFlags & REGION_LOCK_MASK;
  if ((regionFlags & REGION_LOCKED) !== 0 && space.lockedPages * 4096 + length > space.limits.locked()) return -EAGAIN;

  if (request.refusal !== undefined) return request.refusal;
  const type = flags & MAP_TYPE;
  const growsdown = (regionFlags & REGION_GROWSDOWN) !== 0 && (flags & MAP_GROWSDOWN) !== 0;
  if (type === MAP_SHARED || (type === MAP_SHARED_VALIDATE && backing !== undefined)) {
    if (type === MAP_SHARED_VALIDATE && (flags & MAP_SYNC) !== 0) return -EOPNOTSUPP;
    if (growsdown) return -EINVAL;
    regionFlags |= REGION_SHARED;
  } else if (type !== MAP_PRIVATE || (growsdown && backing !== undefined)) return -EINVAL;
  if ((flags & MAP_NORESERVE) !== 0 && space.context.commit.mode !== COMMIT_NEVER) regionFlags |= REGION_NORESERVE;

  const maxProt = request.maxProt ?? RIGHTS;
  if ((prot & RIGHTS & ~maxProt) !== 0) return -EACCES;
  const shared = (regionFlags & REGION_SHARED) !== 0;
  return place(space, address, end, {
    start: address,
    end,
    prot: prot & RIGHTS,
    maxProt,
    flags: regionFlags,
    pageOffset: backing !== undefined ? offset / 4096 : shared ? 0 : address / 4096,
    backing,
    file: request.file,
    type: request.type ?? (shared ? "shared" : "mmap"),
    name: request.name ?? "",
  }, flags);
}

/** The second half, where memory is promised (Linux mmap_region). */
function place(space: AddressSpace, start: number, end: number, fields: ConstructorParameters<typeof Region>[0], flags: number): number {
  const { context, limits } = space;
  const pages = (end - start) / 4096;
  const { mapped, charged } = countMapped(space, start, end);
  if ((space.virtualPages - mapped + pages) * 4096 > limits.addressSpace()) return -ENOMEM;
  // A hole punched into one region leaves two.
  if (wouldExceedMapCount(space, start, end)) return -ENOMEM;
  const isPrivateWritable = (fields.prot & PROT_WRITE) !== 0 && (fields.flags & REGION_SHARED) === 0;
  if (isPrivateWritable && space.overDataLimit(pages)) return -ENOMEM;
  if (isPrivateWritable && (fields.flags & REGION_NORESERVE) === 0) {
    // What is replaced has been promised already (vms->nr_accounted).
    if (!context.commit.charge(pages, charged)) return -ENOMEM;
    fields = { ...fields, flags: fields.flags | REGION_ACCOUNT };
  }
  let object: SharedObject | undefined;
  if (fields.backing === undefined && (fields.flags & REGION_SHARED) !== 0) {
    const made = SharedObject.create(context, pages, (fields.flags & REGION_NORESERVE) !== 0 ? "noreserve" : "charged");
    if (typeof made === "number") return made;
    object = made;
    fields = { ...fields, backing: object, name: fields.name === "" ? "/dev/zero (deleted)" : fields.name };
  }
  if (mapped > 0) removeRange(space, start, end);
  insertRegion(space, new Region(fields));
  // The region holds the object now.
  object?.closeHandle();
  context.events?.mapped(space, start, end - start, fields.prot, flags);
  const wanted = (fields.flags & REGION_LOCKED) !== 0 || (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE;
  // mmap succeeds even if the pages cannot be brought in (mmap(2), MAP_POPULATE).
  if (wanted) populateIfPossible(space, start, end);
  return start;
}
