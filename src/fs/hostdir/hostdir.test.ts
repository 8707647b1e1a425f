import { expect, test } from "vitest";
import { EACCES, EEXIST, EIO, ENOENT } from "../../abi/linux/errno.ts";
import { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, SEEK_SET } from "../../abi/linux/fcntl.ts";
import { emptyStat } from "../../abi/linux/stat.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import { bytesToString } from "../names.ts";
import { DelayedProvider } from "../providers/delayed.ts";
import { MemoryProvider } from "../providers/memory.ts";
import type { FileProvider } from "../provider.ts";
import { contentOf, mustOpen, outcome, readText, testWorld, text, type World, writeText } from "../test-world.ts";
import { BufferSink } from "../transfer.ts";
import { stat } from "../vfs/attributes.ts";
import type { FilePages } from "../vfs/file-pages.ts";
import { open } from "../vfs/open.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { makeDirectory, makeSymlink, removeDirectory, rename, unlink } from "../vfs/tree.ts";
import { settled } from "../wait.ts";
import { HostDir } from "./hostdir.ts";

function hostWorld(provider: FileProvider, ramBytes?: number): World {
  return testWorld((context) => new HostDir(context, provider, { access: "write-through" }), ramBytes);
}

function contentIn(provider: MemoryProvider, path: string): string {
  const file = provider.open(path, "read");
  if (typeof file === "number") throw new Error(`${path}: ${file}`);
  const bytes = new Uint8Array(100_000);
  const count = file.read(0, bytes);
  return bytesToString(bytes.subarray(0, count as number));
}

function pagesOf(file: OpenFile): FilePages {
  const pages = file.mapPages();
  if (typeof pages === "number") throw new Error("not mappable");
  return pages;
}

test("clean pages are given back under pressure and read again", () => {
  const { walk, context } = hostWorld(new MemoryProvider({ f: "x".repeat(50_000) }));
  const file = mustOpen(walk, "f", O_RDONLY);
  expect(String(readText(file)).length).toBe(50_000);
  expect(context.frames.used).toBe(13);
  const kept = pagesOf(file).page(2);
  context.frames.retain(kept);
  expect(context.caches.reclaim(1000)).toBe(12);
  context.frames.release(kept);
  file.seek(0, SEEK_SET);
  expect(readText(file)).toBe("x".repeat(50_000));
  file.release();
});

test("a file larger than memory can be read from end to end", () => {
  const content = Array.from({ length: 1_500 }, (_, i) => String(i).padStart(4095, ".")).join("\n");
  const { walk, context } = hostWorld(new MemoryProvider({ huge: content }), 0x80_0000);
  expect(content.length).toBeGreaterThan(context.frames.total * PAGE_SIZE);
  const file = mustOpen(walk, "huge", O_RDONLY);
  let at = 0;
  for (;;) {
    const piece = String(readText(file, 1_000_000));
    if (piece === "") break;
    if (content.slice(at, at + piece.length) !== piece) throw new Error(`wrong bytes near ${at}`);
    at += piece.length;
  }
  expect(at).toBe(content.length);
  file.release();
});

test("a shared mapping's stores reach the provider at msync, munmap and close", () => {
  const provider = new MemoryProvider({ f: "a".repeat(9000) }, { writable: true });
  const { walk, context } = hostWorld(provider);
  const file = mustOpen(walk, "f", O_RDWR);
  const pages = pagesOf(file);
  const protectedPages: number[][] = [];
  const detach = pages.attach({ invalidate() {}, writeProtect: (from, to) => protectedPages.push([from, to]) });
  const store = (page: number, byte: number): void => {
    context.ram.u8[pages.pageForWrite(page) * PAGE_SIZE] = byte;
  };
  store(1, 66);
  expect(contentIn(provider, "f")[4096]).toBe("a");
  expect(pages.sync(0, 10)).toBe(0);
  expect(contentIn(provider, "f")[4096]).toBe("B");
  expect(protectedPages).toEqual([[1, 2]]);
  file.release();
  store(2, 67);
  detach();
  expect(contentIn(provider, "f")[8192]).toBe("C");
  expect(contentIn(provider, "f").length).toBe(9000);
});

test("truncation tells mappings before frames go, and zeros what is cut", () => {
  const { walk, context } = hostWorld(new MemoryProvider({ f: "a".repeat(9000) }, { writable: true }));
  const file = mustOpen(walk, "f", O_RDWR);
  const pages = pagesOf(file);
  const told: number[][] = [];
  const detach = pages.attach({
    invalidate(from, to) {
      told.push([from, to, pages.size]);
    },
    writeProtect() {},
  });
  pages.page(0);
  pages.page(2);
  expect(file.truncate(5000)).toBe(0);
  expect(told).toEqual([[2, 3, 5000]]);
  expect(context.ram.u8[pages.page(1) * PAGE_SIZE + 5000 - 4096]).toBe(0);
  detach();
  file.release();
});

test("changes through a provider that answers later happen once and with the right errors", async () => {
  const provider = new MemoryProvider({ "d/f": "content", other: "o" }, { writable: true });
  const { walk } = hostWorld(new DelayedProvider(provider));
  const made = await settled(() => open(walk, "new", O_CREAT | O_EXCL | O_RDWR, 0o600));
  if (typeof made === "number") throw new Error(`new: ${made}`);
  expect(outcome(await settled(() => open(walk, "new", O_CREAT | O_EXCL | O_RDWR, 0o600)))).toBe(-EEXIST);
  const source = text("w".repeat(9000));
  expect(await settled(() => made.write(source))).toBe(9000);
  expect(await settled(() => made.sync())).toBe(0);
  expect(contentIn(provider, "new")).toBe("w".repeat(9000));
  made.release();

  expect(await settled(() => makeDirectory(walk, "n", 0o755))).toBe(0);
  expect(await settled(() => makeDirectory(walk, "n", 0o755))).toBe(-EEXIST);
  expect(await settled(() => rename(walk, "d/f", walk, "n/g", 0))).toBe(0);
  expect(contentIn(provider, "n/g")).toBe("content");
  expect(await settled(() => rename(walk, "n/g", walk, "other", 0))).toBe(0);
  expect(contentIn(provider, "other")).toBe("content");
  expect(await settled(() => makeSymlink(walk, "other", "n/link"))).toBe(0);
  expect(await settled(() => unlink(walk, "n/link"))).toBe(0);
  expect(await settled(() => unlink(walk, "n/link"))).toBe(-ENOENT);
  expect(await settled(() => removeDirectory(walk, "n"))).toBe(0);
  expect(outcome(provider.stat("n"))).toBe(-ENOENT);
  const out = emptyStat();
  expect(await settled(() => stat(walk, "n", out))).toBe(-ENOENT);

  const cut = await settled(() => open(walk, "other", O_RDWR | O_TRUNC, 0));
  if (typeof cut === "number") throw new Error(`other: ${cut}`);
  expect(await settled(() => cut.sync())).toBe(0);
  cut.release();
  expect(contentIn(provider, "other")).toBe("");
});

test("two tasks that make the same directory at the same time: one succeeds", async () => {
  const { walk } = hostWorld(new DelayedProvider(new MemoryProvider({}, { writable: true })));
  const results = await Promise.all([settled(() => makeDirectory(walk, "d", 0o755)), settled(() => makeDirectory(walk, "d", 0o755))]);
  expect(results.sort((a, b) => a - b)).toEqual([-EEXIST, 0]);
});

test("errors of a provider become errors of the call", async () => {
  const inner = new MemoryProvider({ f: "x".repeat(5000) });
  const broken: FileProvider = {
    name: "broken",
    volatile: false,
    stat: (path) => inner.stat(path),
    list: () => Promise.reject(new Error("gone")),
    readLink: (path) => inner.readLink(path),
    open: (path) => (path === "f" ? { read: () => Promise.resolve(-EIO), write: () => -EIO, truncate: () => 0, sync: () => 0, close() {} } : -EACCES),
    close() {},
  };
  const { walk } = hostWorld(broken);
  const file = mustOpen(walk, "f", O_RDONLY);
  const sink = new BufferSink(10);
  expect(await settled(() => file.read(sink))).toBe(-EIO);
  const directory = mustOpen(walk, "/", O_DIRECTORY);
  expect(await settled(() => directory.getdents(() => true))).toBe(-EIO);
  expect(contentOf(walk, "missing")).toBe(-ENOENT);
});

test("closing the last user closes the provider's file", () => {
  let open_ = 0;
  const inner = new MemoryProvider({ f: "data" }, { writable: true });
  const counting: FileProvider = {
    name: "counting",
    volatile: false,
    stat: (path) => inner.stat(path),
    list: (path) => inner.list(path),
    readLink: (path) => inner.readLink(path),
    open(path, access) {
      const file = inner.open(path, access);
      if (typeof file === "number") return file;
      open_++;
      return {
        read: (position, target) => file.read(position, target),
        write: (position, source) => file.write(position, source),
        truncate: (size) => file.truncate(size),
        sync: () => file.sync(),
        close() {
          open_--;
        },
      };
    },
    changes: inner.changes!,
    close() {},
  };
  const { walk } = hostWorld(counting);
  const reader = mustOpen(walk, "f", O_RDONLY);
  const writer = mustOpen(walk, "f", O_RDWR);
  writeText(writer, "D");
  expect(open_).toBe(1);
  reader.release();
  expect(open_).toBe(1);
  writer.release();
  expect(open_).toBe(0);
});
