/** The address space: mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), mincore(2), msync(2), brk(2), mlock(2), and what
 *  is asked about NUMA nodes and protection keys, which this machine does not have. The work is done in vm/operations. */
import { EACCES, EBADF, EFAULT, EINVAL, ENOMEM, ENOSPC, EOPNOTSUPP, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import {
  MADV_COLD, MADV_DODUMP, MADV_DOFORK, MADV_DONTDUMP, MADV_DONTFORK, MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE, MADV_HUGEPAGE, MADV_KEEPONFORK,
  MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_NORMAL, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_RANDOM, MADV_REMOVE, MADV_SEQUENTIAL,
  MADV_UNMERGEABLE, MADV_WILLNEED, MADV_WIPEONFORK, MAP_32BIT, MAP_ANONYMOUS, MAP_DENYWRITE, MAP_EXECUTABLE, MAP_FIXED, MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN, MAP_HUGETLB, MAP_HUGE_MASK, MAP_HUGE_SHIFT, MAP_LOCKED, MAP_NONBLOCK, MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED,
  MAP_SHARED_VALIDATE, MAP_STACK, MAP_SYNC, MAP_TYPE, MAP_UNINITIALIZED, MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT, MREMAP_DONTUNMAP,
  MREMAP_FIXED, MREMAP_MAYMOVE, MS_ASYNC, MS_INVALIDATE, MS_SYNC, PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_SEM, PROT_WRITE,
} from "../../abi/linux/mman.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import type { PageCache } from "../../memory/page-cache.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import { flagsText, hexText } from "../../trace/text.ts";
import { copyIn, copyOut, USER_BLOCKED } from "../../vm/user-memory.ts";
import type { Call } from "../call.ts";
import { absent, custom, fd, flags, full, hex, int, oneOf, partial, ptr, size, structOut, sys, uint, type Row } from "./define.ts";
import { fileOf, isUserRange, MAX_RW_COUNT, put64, readIovec } from "./file-arguments.ts";
import { addressText, iovecIn, iovecOut, pointerKind, withOptional } from "./kinds.ts";

const ALL_RIGHTS = PROT_READ | PROT_WRITE | PROT_EXEC;

// Mapping ---------------------------------------------------------------------------------------------------------------

/** The verb has succeeded; the pages that it wanted in memory at once may have to be awaited. */
interface Populating {
  readonly result: number;
  readonly start: number;
  readonly end: number;
}

/** The result of a verb that has just run, once the pages it wanted are there. */
function populated(call: Call, result: number): number {
  const { space } = call.task.image;
  if (result < 0 || space.unpopulated.end === 0) return result;
  call.state = { result, ...space.unpopulated } satisfies Populating;
  return call.parkForMemory();
}
/** The same for the runs after a park: the verb has had its effect. */
function goOnPopulating(call: Call): number {
  const { result, start, end } = call.state as Populating;
  return call.task.image.space.populate(start, end) === USER_BLOCKED ? call.parkForMemory() : result;
}

function mmap(call: Call, hint: number, length: number, prot: number, flags: number, fd: number, offset: number): number {
  if (call.state !== undefined) return goOnPopulating(call);
  return populated(call, mapFileOrMemory(call, hint, length, prot, flags, fd, offset));
}

function mapFileOrMemory(call: Call, hint: number, length: number, prot: number, flags: number, fd: number, offset: number): number {
  if (!isPageAligned(offset)) return -EINVAL;
  const { space } = call.task.image;
  if ((flags & MAP_ANONYMOUS) !== 0) return space.map({ hint, length, prot, flags });
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  // Only hugetlbfs files, which do not exist here, can be mapped with huge pages.
  if ((flags & MAP_HUGETLB) !== 0) return -EINVAL;
  if (length === 0) return -EINVAL;
  const allowed = checkFile(file, prot, flags);
  // What the place forbids comes first (do_mmap): MAP_FIXED_NOREPLACE over something is EEXIST whatever the file allows.
  if (allowed < 0) return space.map({ hint, length, prot, flags, backingOffset: offset, refusal: allowed });
  if (file.mapsAsAnonymous) return space.map({ hint, length, prot, flags: flags | MAP_ANONYMOUS, file });
  const isShared = (flags & MAP_TYPE) !== MAP_PRIVATE;
  let mayWrite = !isShared || file.writable;
  if (isShared && mayWrite) {
    // The file's pages become those that are written: an overlay copies them up first, and sealed content refuses.
    const ready = file.inode.prepareWrite();
    if (ready < 0 && (ready !== -EPERM || (prot & PROT_WRITE) !== 0)) return call.finish(ready, "UNINTERRUPTIBLE");
    mayWrite = ready === 0;
  }
  const pages: PageCache | number = file.mapPages();
  if (typeof pages === "number") return call.finish(pages, "UNINTERRUPTIBLE");
  const maxProt = mayWrite ? ALL_RIGHTS : ALL_RIGHTS & ~PROT_WRITE;
  return space.map({ hint, length, prot, flags, backing: pages, backingOffset: offset, file, maxProt });
}

/** What the way a file was opened allows (mmap(2), EACCES). */
function checkFile(file: OpenFile, prot: number, flags: number): number {
  const type = flags & MAP_TYPE;
  if (type === MAP_SHARED || type === MAP_SHARED_VALIDATE) {
    if (type === MAP_SHARED_VALIDATE && (flags & ~KNOWN_FLAGS) !== 0) return -EOPNOTSUPP;
    if ((prot & PROT_WRITE) !== 0 && !file.writable) return -EACCES;
    return file.readable ? 0 : -EACCES;
  }
  if (type === MAP_PRIVATE) return file.readable ? 0 : -EACCES;
  return -EINVAL;
}
const KNOWN_FLAGS =
  MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
  MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_FIXED_NOREPLACE | MAP_UNINITIALIZED | (MAP_HUGE_MASK << MAP_HUGE_SHIFT);

const munmap = (call: Call, address: number, length: number): number => call.task.image.space.unmap(address, length);
const mprotect = (call: Call, address: number, length: number, prot: number): number => call.task.image.space.protect(address, length, prot);
function mremap(call: Call, address: number, oldLength: number, newLength: number, flags: number, newAddress: number): number {
  if (call.state !== undefined) return goOnPopulating(call);
  return populated(call, call.task.image.space.remap(address, oldLength, newLength, flags, newAddress));
}
const brk = (call: Call, wish: number): number =>
  call.state !== undefined ? goOnPopulating(call) : populated(call, call.task.image.space.brk(wish));

/** For verbs that may have to wait for a page: they are made again from the start when it is there. */
const awaited = (call: Call, result: number): number => (result === USER_BLOCKED ? call.parkForMemory() : call.finish(result, "UNINTERRUPTIBLE"));
const madvise = (call: Call, address: number, length: number, advice: number): number =>
  awaited(call, call.task.image.space.advise(address, length, advice));
const msync = (call: Call, address: number, length: number, flags: number): number => awaited(call, call.task.image.space.sync(address, length, flags));
const mlock = (call: Call, address: number, length: number): number => awaited(call, call.task.image.space.lock(address, length));
function mlock2(call: Call, address: number, length: number, flags: number): number {
  if ((flags & ~MLOCK_ONFAULT) !== 0) return -EINVAL;
  return awaited(call, call.task.image.space.lock(address, length, flags === 0 ? "now" : "on-fault"));
}
const munlock = (call: Call, address: number, length: number): number => call.task.image.space.unlock(address, length);
const mlockall = (call: Call, flags: number): number => awaited(call, call.task.image.space.lockAll(flags));
const munlockall = (call: Call): number => call.task.image.space.unlockAll();

/** Pages whose residency is looked up and stored in one go. */
const MINCORE_CHUNK = 4096;
function mincore(call: Call, address: number, length: number, vector: number): number {
  const { space } = call.task.image;
  if (!isPageAligned(address)) return -EINVAL;
  if (!isUserRange(address, length)) return -ENOMEM;
  const pages = pageCeil(length) / 4096;
  if (!isUserRange(vector, pages)) return -EFAULT;
  const residency = new Uint8Array(Math.min(pages, MINCORE_CHUNK));
  for (let page = 0; page < pages; page += MINCORE_CHUNK) {
    const count = Math.min(pages - page, MINCORE_CHUNK);
    const result = space.mincore(address + page * 4096, count * 4096, residency);
    if (result < 0) return result;
    const stored = call.copyOut(vector + page, residency.subarray(0, count));
    if (stored < 0) return stored;
  }
  return 0;
}

// Memory of other processes -----------------------------------------------------------------------------------------------

const CHUNK = 0x1_0000;

/** process_vm_readv(2) and process_vm_writev(2), between any two processes of one user. Memory that is not there ends the
 *  transfer with what was done. */
function processVm(call: Call, pid: number, local: number, localCount: number, remote: number, remoteCount: number, flags: number, direction: "read" | "write"): number {
  if (flags !== 0) return -EINVAL;
  const here = readIovec(call, local, localCount);
  if (typeof here === "number") return here;
  const there = readIovec(call, remote, remoteCount);
  if (typeof there === "number") return there;
  const target = call.kernel.findProcess(pid) ?? call.kernel.findTask(pid)?.process;
  if (target === undefined || target.threads.length === 0) return -ESRCH;
  const { credentials } = call.task;
  const theirs = target.leader.credentials;
  if (credentials.euid !== 0 && (credentials.uid !== theirs.uid || credentials.uid !== theirs.euid || credentials.gid !== theirs.gid)) return -EPERM;
  const mySpace = call.task.image.space;
  const theirSpace = target.threads[0].image.space;
  const buffer = new Uint8Array(CHUNK);
  let done = 0;
  let mine = 0, mineAt = 0, other = 0, otherAt = 0;
  while (mine < here.length && other < there.length && done < MAX_RW_COUNT) {
    const count = Math.min(here[mine].length - mineAt, there[other].length - otherAt, CHUNK);
    if (count > 0) {
      const myAddress = here[mine].address + mineAt;
      const theirAddress = there[other].address + otherAt;
      const read = direction === "read" ? copyIn(theirSpace, theirAddress, buffer, 0, count) : copyIn(mySpace, myAddress, buffer, 0, count);
      const moved = read <= 0 ? read : direction === "read" ? copyOut(mySpace, myAddress, buffer, 0, read) : copyOut(theirSpace, theirAddress, buffer, 0, read);
      if (moved > 0) done += moved;
      if (moved !== count) {
        if (moved === USER_BLOCKED && done === 0) {
          // Whichever space waits, the whole call is made again.
          const blocked = read === USER_BLOCKED ? (direction === "read" ? theirSpace : mySpace) : direction === "read" ? mySpace : theirSpace;
          return call.park(call.kernel.blockedPage(blocked), "UNINTERRUPTIBLE");
        }
        return done > 0 ? done : -EFAULT;
      }
      mineAt += count;
      otherAt += count;
    }
    if (mineAt === here[mine].length) [mine, mineAt] = [mine + 1, 0];
    if (otherAt === there[other].length) [other, otherAt] = [other + 1, 0];
  }
  return done;
}
const processVmReadv = (call: Call, pid: number, local: number, localCount: number, remote: number, remoteCount: number, flags: number): number =>
  processVm(call, pid, local, localCount, remote, remoteCount, flags, "read");
const processVmWritev = (call: Call, pid: number, local: number, localCount: number, remote: number, remoteCount: number, flags: number): number =>
  processVm(call, pid, local, localCount, remote, remoteCount, flags, "write");

// One NUMA node, no protection keys -----------------------------------------------------------------------------------------

const MPOL_DEFAULT = 0, MPOL_LOCAL = 4, MPOL_F_NODE = 1, MPOL_F_ADDR = 2, MPOL_F_MEMS_ALLOWED = 4;

/** The policy is the default one and the only node is 0. */
function getMempolicy(call: Call, policy: number, nodes: number, nodeCount: number, address: number, flags: number): number {
  if ((flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED)) !== 0) return -EINVAL;
  if (nodes !== 0 && nodeCount < 1) return -EINVAL;
  if ((flags & MPOL_F_ADDR) !== 0) {
    if (call.task.image.space.regions.find(address) === undefined) return -EFAULT;
  } else if (address !== 0) return -EINVAL;
  if (policy !== 0) {
    const stored = call.writeU32(policy, MPOL_DEFAULT);
    if (stored < 0) return stored;
  }
  if (nodes === 0) return 0;
  // A mask of more than a page is refused (copy_nodes_to_user).
  if (nodeCount > 4096 * 8) return -EINVAL;
  const bytes = new Uint8Array(Math.ceil(nodeCount / 64) * 8);
  if ((flags & MPOL_F_MEMS_ALLOWED) !== 0) put64(new DataView(bytes.buffer), 0, 1);
  return call.copyOut(nodes, bytes);
}
/** Any policy over node 0 is what happens anyway. */
function checkPolicy(call: Call, mode: number, nodes: number, nodeCount: number): number {
  if ((mode & 0xff) > 6) return -EINVAL;
  if (nodes === 0 || nodeCount === 0) return (mode & 0xff) === MPOL_DEFAULT || (mode & 0xff) === MPOL_LOCAL ? 0 : (mode & 0xff) === 1 ? 0 : -EINVAL;
  const mask = call.readU64(nodes);
  if (mask < 0) return mask;
  return mask > 1 ? -EINVAL : 0;
}
const setMempolicy = (call: Call, mode: number, nodes: number, nodeCount: number): number => checkPolicy(call, mode, nodes, nodeCount);
function mbind(call: Call, address: number, length: number, mode: number, nodes: number, nodeCount: number, flags: number): number {
  if (!isPageAligned(address) || (flags & ~7) !== 0) return -EINVAL;
  const policy = checkPolicy(call, mode, nodes, nodeCount);
  if (policy < 0) return policy;
  return length > 0 && call.task.image.space.regions.find(address) === undefined ? -EFAULT : 0;
}

/** Without hardware for keys none is free, and the only key is the one that is none (pkeys(7)). */
const pkeyAlloc = (_call: Call, flags: number, rights: number): number => (flags !== 0 || (rights & ~3) !== 0 ? -EINVAL : -ENOSPC);
const pkeyFree = (): number => -EINVAL;
function pkeyMprotect(call: Call, address: number, length: number, prot: number, key: number): number {
  return key === -1 ? call.task.image.space.protect(address, length, prot) : -EINVAL;
}

// Tracing -----------------------------------------------------------------------------------------------------------------

const prot = flags({ PROT_READ, PROT_WRITE, PROT_EXEC, PROT_SEM, PROT_GROWSDOWN, PROT_GROWSUP }, "PROT_NONE");
const MAP_NAMES: readonly (readonly [string, number])[] = Object.entries({
  MAP_FIXED, MAP_ANONYMOUS, MAP_32BIT, MAP_NORESERVE, MAP_POPULATE, MAP_NONBLOCK, MAP_GROWSDOWN, MAP_DENYWRITE, MAP_EXECUTABLE, MAP_LOCKED, MAP_STACK,
  MAP_HUGETLB, MAP_SYNC, MAP_FIXED_NOREPLACE, MAP_UNINITIALIZED,
});
const mapFlags = custom((value) => {
  const type = ["MAP_FILE", "MAP_SHARED", "MAP_PRIVATE", "MAP_SHARED_VALIDATE"][value & MAP_TYPE] ?? hexText(value & MAP_TYPE);
  const rest = value & ~MAP_TYPE;
  return rest === 0 ? type : `${type}|${flagsText(rest, MAP_NAMES, "")}`;
});
const advice = oneOf({
  MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE,
  MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT,
  MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED,
});
/** The new address of mremap, which only MREMAP_FIXED and MREMAP_DONTUNMAP have. */
const newAddress = pointerKind((value, _view, all) => ((all[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0 ? addressText(value) : ""));
const residencyOut = pointerKind((value, view, all, result) => {
  const bytes = result < 0 ? undefined : view.peek(value, Math.min(32, Math.ceil(all[1] / 4096)));
  return bytes === undefined ? addressText(value) : `[${[...bytes].join(", ")}${bytes.length < Math.ceil(all[1] / 4096) ? ", ..." : ""}]`;
}, "exit");
const policyOut = structOut(4, (data) => `[${["MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL"][data.getInt32(0, true)]}]`);
/** The offset is shown in hexadecimal. */
const mapOffset = hex;
const SINGLE_NODE = partial("one node: every policy over it is granted");
const NO_KEYS = absent("the processor has no protection keys");

export const memoryCalls: readonly Row[] = [
  sys("mmap", { addr: ptr, length: size, prot, flags: mapFlags, fd, offset: mapOffset }, mmap, full, { hexResult: true }),
  sys("munmap", { addr: ptr, length: size }, munmap, full),
  sys("mprotect", { addr: ptr, length: size, prot }, mprotect, full),
  withOptional(sys("mremap", { addr: ptr, oldLength: size, newLength: size, flags: flags({ MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP }), newAddr: newAddress },
    mremap, full, { hexResult: true }), 4),
  sys("brk", { addr: ptr }, brk, full, { hexResult: true }),
  sys("madvise", { addr: ptr, length: size, advice }, madvise, full),
  sys("mincore", { addr: ptr, length: size, vector: residencyOut }, mincore, full),
  sys("msync", { addr: ptr, length: size, flags: flags({ MS_ASYNC, MS_INVALIDATE, MS_SYNC }) }, msync, full),
  sys("mlock", { addr: ptr, length: size }, mlock, full),
  sys("mlock2", { addr: ptr, length: size, flags: flags({ MLOCK_ONFAULT }) }, mlock2, full),
  sys("munlock", { addr: ptr, length: size }, munlock, full),
  sys("mlockall", { flags: flags({ MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT }) }, mlockall, full),
  sys("munlockall", {}, munlockall, full),
  sys("process_vm_readv", { pid: int, local: iovecOut(2), localCount: size, remote: ptr, remoteCount: size, flags: uint }, processVmReadv, full),
  sys("process_vm_writev", { pid: int, local: iovecIn(2), localCount: size, remote: ptr, remoteCount: size, flags: uint }, processVmWritev, full),
  sys("get_mempolicy", { policy: policyOut, nodes: ptr, nodeCount: size, addr: ptr, flags: uint }, getMempolicy, SINGLE_NODE),
  sys("set_mempolicy", { mode: int, nodes: ptr, nodeCount: size }, setMempolicy, SINGLE_NODE),
  sys("mbind", { addr: ptr, length: size, mode: int, nodes: ptr, nodeCount: size, flags: uint }, mbind, SINGLE_NODE),
  sys("pkey_alloc", { flags: uint, rights: uint }, pkeyAlloc, NO_KEYS),
  sys("pkey_free", { key: int }, pkeyFree, NO_KEYS),
  sys("pkey_mprotect", { addr: ptr, length: size, prot, key: int }, pkeyMprotect, partial("key −1 only: the processor has no protection keys")),
];
