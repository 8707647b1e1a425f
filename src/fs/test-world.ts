/** A small world for the tests of this layer: RAM, frames, a clock that stands still unless told, one caller. */
import { FrameAllocator } from "../memory/frames.ts";
import { Ram } from "../memory/ram.ts";
import { type FsContext, READ_AHEAD_PAGES } from "./context.ts";
import { DeviceTable } from "./devfs/device-table.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { bytesToString, stringToBytes } from "./names.ts";
import { Tmpfs } from "./tmpfs/tmpfs.ts";
import { BufferSink, BufferSource } from "./transfer.ts";
import { type Caller, KERNEL_CALLER } from "./vfs/credentials.ts";
import type { FileSystem } from "./vfs/inode.ts";
import { type Location, sameLocation } from "./vfs/location.ts";
import { MountTable } from "./vfs/mount-table.ts";
import type { Walk } from "./vfs/namei.ts";
import { open } from "./vfs/open.ts";
import type { IoctlArgument, OpenFile } from "./vfs/open-file.ts";
import { PageCaches } from "./vfs/page-caches.ts";

export interface TestContext extends FsContext {
  readonly written: { frame: number; offset: number; length: number }[];
}

export function testContext(ramBytes = 0x100_0000): TestContext {
  const ram = new Ram(ramBytes);
  const frames = new FrameAllocator(ram);
  let device = 0;
  let seed = 1;
  const written: TestContext["written"] = [];
  return {
    ram,
    frames,
    clock: { seconds: 1_000_000, nanos: 5, sample() {} },
    random(into) {
      for (let i = 0; i < into.length; i++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        into[i] = seed >>> 16;
      }
    },
    budget: MemoryBudget.ofRam(frames.total),
    caches: new PageCaches(),
    devices: new DeviceTable(),
    nextDevice: () => ++device,
    readAhead: READ_AHEAD_PAGES,
    bytesWritten: (frame, offset, length) => written.push({ frame, offset, length }),
    written,
  };
}

export interface World {
  readonly context: TestContext;
  readonly mounts: MountTable;
  readonly walk: Walk;
  /** The same place as another user. */
  as(uid: number, gid?: number): Walk;
}

/** A world whose root is `make`'s filesystem, a tmpfs by default. */
export function testWorld(make: (context: FsContext) => FileSystem = (context) => new Tmpfs(context, { mode: 0o755 }), ramBytes?: number): World {
  const context = testContext(ramBytes);
  const mounts = new MountTable();
  mounts.mount(make(context), null);
  const walkAs = (caller: Caller): Walk => ({ context, root: mounts.root, base: mounts.root, caller });
  return { context, mounts, walk: walkAs(KERNEL_CALLER), as: (uid, gid = uid) => walkAs({ ...KERNEL_CALLER, uid, gid }) };
}

/** An error as its number and anything else as "ok": a failing expectation must not print a whole machine. */
export const outcome = (result: unknown): number | "ok" => (typeof result === "number" ? result : "ok");
export const isPlace = (result: Location | number, place: Location): boolean => typeof result !== "number" && sameLocation(result, place);

export const text = (content: string): BufferSource => new BufferSource(stringToBytes(content));

/** Opens and insists. */
export function mustOpen(walk: Walk, path: string, flags: number, mode = 0o644): OpenFile {
  const file = open(walk, path, flags, mode);
  if (typeof file === "number") throw new Error(`open ${path}: ${file}`);
  return file;
}

/** Up to `count` bytes from the file's position as a byte string; an error as its number. */
export function readText(file: OpenFile, count = 100_000): string | number {
  const sink = new BufferSink(count);
  const result = file.read(sink);
  return result < 0 ? result : bytesToString(sink.received());
}

export const writeText = (file: OpenFile, content: string): number => file.write(text(content));

/** The whole file at `path`. */
export function contentOf(walk: Walk, path: string): string | number {
  const file = open(walk, path, 0, 0);
  if (typeof file === "number") return file;
  const content = readText(file, 4_000_000);
  file.release();
  return content;
}

/** Names in a directory, sorted. */
export function namesIn(walk: Walk, path: string): string[] {
  const file = mustOpen(walk, path, 0o200000);
  const names: string[] = [];
  const result = file.getdents((name) => names.push(name) > 0);
  file.release();
  if (result < 0) throw new Error(`getdents ${path}: ${result}`);
  return names.sort();
}

/** An ioctl argument over a buffer. */
export function argument(bytes: Uint8Array = new Uint8Array(64), value = 0): IoctlArgument & { readonly bytes: Uint8Array } {
  return {
    bytes,
    value,
    copyIn(target) {
      target.set(bytes.subarray(0, target.length));
      return 0;
    },
    copyOut(source) {
      bytes.set(source);
      return 0;
    },
  };
}
