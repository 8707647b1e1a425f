import { describe, expect, test } from "vitest";
import { MAP_GROWSDOWN, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_NONE, PROT_READ } from "../abi/linux/mman.ts";
import { BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR, SIGBUS, SIGKILL, SIGSEGV, SI_KERNEL } from "../abi/linux/signal.ts";
import { BLOCKED, DENIED, EXECUTE, PF_USER, READ, RESOLVED, WRITE } from "../memory/access.ts";
import { DIRECT_MAP_BASE } from "../memory/page-table.ts";
import { checkAddressSpace } from "./check.ts";
import { FAULT_COPY_ON_WRITE, FAULT_FILE, FAULT_PAGE_IN, FAULT_REUSE, FAULT_SHARED_WRITE, FAULT_STACK_GROWTH, FAULT_ZERO_FILL, FAULT_ZERO_PAGE } from "./fault-kind.ts";
import { STACK_GUARD, STACK_TOP } from "./layout.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { checkAll, cloneOf, makeContext, makeSpace, mapsText, PAGE, peekByte, poke, PRIVATE, RW, TestFile } from "./testing.ts";

const BASE = 0x1000_0000;

function setup(limits = DEFAULT_LIMITS, megabytes = 32) {
  const context = makeContext(megabytes);
  const boot = context.frames.used;
  return { context, boot, space: makeSpace(context, limits) };
}

describe("anonymous memory", () => {
  test("a first write is one zero fill", () => {
    const { space } = setup();
    const at = space.map({ hint: 0, length: PAGE, prot: RW, flags: PRIVATE });
    expect(poke(space, at, 1)).toBe(true);
    expect([...space.faultCounts]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("reading read-only memory uses one frame of zeros for all pages", () => {
    const { space, context } = setup();
    const at = space.map({ hint: 0, length: 100 * PAGE, prot: PROT_READ, flags: PRIVATE });
    const used = context.frames.used;
    for (let i = 0; i < 100; i++) expect(peekByte(space, at + i * PAGE)).toBe(0);
    expect(space.faultCounts[FAULT_ZERO_PAGE]).toBe(100);
    expect(context.frames.used - used).toBeLessThanOrEqual(3);
    expect(space.residentPages).toBe(0);
    space.protect(at, 100 * PAGE, RW);
    poke(space, at, 5);
    expect(peekByte(space, at + PAGE)).toBe(0);
    expect(space.faultCounts[FAULT_COPY_ON_WRITE]).toBe(1);
    checkAll(context);
  });

  test("reuse: the last owner of a shared frame takes it without a copy", () => {
    const { space } = setup();
    const at = space.map({ hint: 0, length: PAGE, prot: RW, flags: PRIVATE });
    poke(space, at, 1);
    cloneOf(space).destroy();
    poke(space, at, 2);
    expect(space.faultCounts[FAULT_REUSE]).toBe(1);
    expect(space.faultCounts[FAULT_COPY_ON_WRITE]).toBe(0);
  });
});

describe("denied", () => {
  test("outside every region: SEGV_MAPERR; against the rights: SEGV_ACCERR", () => {
    const { space } = setup();
    expect(space.resolveFault(0, PF_USER)).toBe(DENIED);
    expect(space.denied).toEqual({ signal: SIGSEGV, code: SEGV_MAPERR, address: 0 });
    const at = space.map({ hint: 0, length: PAGE, prot: PROT_NONE, flags: PRIVATE });
    expect(space.faultIn(at + 5, READ)).toBe(DENIED);
    expect(space.denied).toEqual({ signal: SIGSEGV, code: SEGV_ACCERR, address: at + 5 });
    space.protect(at, PAGE, RW);
    expect(space.faultIn(at, EXECUTE)).toBe(DENIED);
    expect(space.denied.code).toBe(SEGV_ACCERR);
    space.protect(at, PAGE, PROT_EXEC);
    expect(space.faultIn(at, EXECUTE)).toBe(RESOLVED);
    expect(space.faultIn(at, READ)).toBe(RESOLVED);
    expect(space.faultIn(at, WRITE)).toBe(DENIED);
  });

  test("kernel half: the exact address; non-canonical: SI_KERNEL and no address", () => {
    const { space } = setup();
    space.activate();
    expect(peekByte(space, DIRECT_MAP_BASE + 0x1234)).toBeUndefined();
    expect(space.denied).toEqual({ signal: SIGSEGV, code: SEGV_MAPERR, address: DIRECT_MAP_BASE + 0x1234 });
    expect(peekByte(space, -8)).toBeUndefined();
    expect(space.denied).toEqual({ signal: SIGSEGV, code: SEGV_MAPERR, address: -8 });
    expect(peekByte(space, 2 ** 47)).toBeUndefined();
    expect(space.denied).toEqual({ signal: SIGSEGV, code: SI_KERNEL, address: 0 });
    expect(peekByte(space, STACK_TOP)).toBeUndefined();
    expect(space.denied).toEqual({ signal: SIGSEGV, code: SEGV_MAPERR, address: STACK_TOP });
  });
});

describe("stack", () => {
  test("only touched pages are resident; a write far below grows it, without a look at rsp", () => {
    const { space } = setup();
    expect(space.mapStack(STACK_TOP, 33 * PAGE, RW)).toBe(STACK_TOP - 33 * PAGE);
    expect(space.residentPages).toBe(0);
    expect(poke(space, STACK_TOP - 8, 1)).toBe(true);
    expect(space.residentPages).toBe(1);
    expect(poke(space, STACK_TOP - (4 << 20), 1)).toBe(true);
    expect(space.faultCounts[FAULT_STACK_GROWTH]).toBe(1);
    expect(space.faultCounts[FAULT_ZERO_FILL]).toBe(1);
    expect(space.residentPages).toBe(2);
    expect(mapsText(space)).toEqual([`${(STACK_TOP - (4 << 20)).toString(16)}-${STACK_TOP.toString(16)} rw-p 0 [stack]`]);
    checkAddressSpace(space);
  });

  test("the limit is read at fault time", () => {
    let limit = 1 << 20;
    const { space } = setup({ ...DEFAULT_LIMITS, stack: () => limit });
    space.mapStack(STACK_TOP, 4 * PAGE, RW);
    expect(poke(space, STACK_TOP - (2 << 20), 1)).toBe(false);
    expect(space.denied.code).toBe(SEGV_MAPERR);
    expect(poke(space, STACK_TOP - (1 << 20), 1)).toBe(true);
    expect(poke(space, STACK_TOP - (1 << 20) - 1, 1)).toBe(false);
    limit = 2 << 20;
    expect(poke(space, STACK_TOP - (2 << 20), 1)).toBe(true);
  });

  test("it stays 1 MiB away from what lies below, unless that is PROT_NONE", () => {
    const { space } = setup();
    const top = BASE + (8 << 20);
    const grow = (prot: number) => {
      space.unmap(BASE, 16 << 20);
      space.map({ hint: BASE, length: PAGE, prot, flags: PRIVATE | MAP_FIXED });
      space.map({ hint: top - PAGE, length: PAGE, prot: RW, flags: PRIVATE | MAP_FIXED | MAP_GROWSDOWN });
    };
    grow(RW);
    expect(poke(space, BASE + PAGE + STACK_GUARD - PAGE, 1)).toBe(false);
    expect(space.denied.code).toBe(SEGV_MAPERR);
    expect(poke(space, BASE + PAGE + STACK_GUARD, 1)).toBe(true);
    grow(PROT_NONE);
    expect(poke(space, BASE + PAGE, 1)).toBe(true);
    checkAddressSpace(space);
  });
});

describe("files", () => {
  test("private pages are read from the cache's frame and copied at the first write", () => {
    const { space, context } = setup();
    const file = new TestFile(context, 3 * PAGE);
    const at = space.map({ hint: 0, length: 3 * PAGE, prot: RW, flags: MAP_PRIVATE, backing: file, backingOffset: 0, name: "/bin/x" });
    expect(peekByte(space, at + PAGE)).toBe(2);
    expect(space.probe(at + PAGE, READ) >>> 12).toBe(file.page(1));
    poke(space, at + PAGE, 77);
    poke(space, at + 2 * PAGE, 78);
    expect(context.ram.u8[file.page(1) * PAGE]).toBe(2);
    expect(peekByte(space, at + 2 * PAGE + 1)).toBe(3);
    expect([FAULT_FILE, FAULT_COPY_ON_WRITE, FAULT_PAGE_IN].map((kind) => space.faultCounts[kind])).toEqual([1, 1, 1]);
    expect([space.privatePages, space.filePages]).toEqual([2, 0]);
    checkAll(context, file.visit);
    expect(mapsText(space)[0]).toContain("rw-p 0 /bin/x");
  });

  test("a shared mapping writes the file's own frame, which learns that it is dirty", () => {
    const { space, context } = setup();
    const file = new TestFile(context, 2 * PAGE);
    const at = space.map({ hint: 0, length: 2 * PAGE, prot: RW, flags: MAP_SHARED, backing: file });
    expect(peekByte(space, at)).toBe(1);
    expect(file.dirty.size).toBe(0);
    poke(space, at, 9);
    expect([...file.dirty]).toEqual([0]);
    expect(context.ram.u8[file.page(0) * PAGE]).toBe(9);
    expect(space.faultCounts[FAULT_SHARED_WRITE]).toBe(1);
    file.dirty.clear();
    for (const mapping of file.mappings) mapping.writeProtect(0, 2);
    poke(space, at, 10);
    expect([...file.dirty]).toEqual([0]);
    checkAll(context, file.visit);
  });

  test("beyond the last page is SIGBUS, its tail reads as zeros", () => {
    const { space, context } = setup();
    const file = new TestFile(context, PAGE + 100);
    const at = space.map({ hint: 0, length: 4 * PAGE, prot: PROT_READ, flags: MAP_PRIVATE, backing: file });
    expect(peekByte(space, at + PAGE + 99)).toBe(2);
    expect(peekByte(space, at + PAGE + 100)).toBe(0);
    expect(peekByte(space, at + 2 * PAGE)).toBeUndefined();
    expect(space.denied).toEqual({ signal: SIGBUS, code: BUS_ADRERR, address: at + 2 * PAGE });
  });

  test("truncation takes pages and private copies away", () => {
    const { space, context } = setup();
    const file = new TestFile(context, 4 * PAGE);
    const at = space.map({ hint: 0, length: 4 * PAGE, prot: RW, flags: MAP_PRIVATE, backing: file });
    for (let i = 0; i < 4; i++) peekByte(space, at + i * PAGE);
    poke(space, at, 50);
    poke(space, at + 3 * PAGE, 60);
    file.truncate(2 * PAGE);
    expect(peekByte(space, at)).toBe(50);
    expect(peekByte(space, at + PAGE)).toBe(2);
    expect(peekByte(space, at + 2 * PAGE)).toBeUndefined();
    expect(peekByte(space, at + 3 * PAGE)).toBeUndefined();
    checkAll(context, file.visit);
    for (const mapping of file.mappings) mapping.invalidate(0, 2);
    expect(peekByte(space, at)).toBe(50);
    checkAll(context, file.visit);
  });

  test("a page that must be awaited blocks, and arrives", () => {
    const { space, context } = setup();
    const file = new TestFile(context, 2 * PAGE);
    file.pending.add(1);
    const at = space.map({ hint: 0, length: 2 * PAGE, prot: RW, flags: MAP_PRIVATE, backing: file });
    expect(space.faultIn(at, READ)).toBe(RESOLVED);
    expect(space.faultIn(at + PAGE, WRITE)).toBe(BLOCKED);
    let woken = 0;
    space.blocked.wait(() => woken++);
    file.arrive(1);
    expect(woken).toBe(1);
    expect(space.faultIn(at + PAGE, WRITE)).toBe(RESOLVED);
    expect(peekByte(space, at + PAGE)).toBe(2);
    checkAll(context, file.visit);
  });

  test("a cache is attached once per space and let go with the last mapping", () => {
    const { space, context, boot } = setup();
    const file = new TestFile(context, 4 * PAGE);
    const at = space.map({ hint: 0, length: 4 * PAGE, prot: PROT_READ, flags: MAP_PRIVATE, backing: file });
    space.unmap(at + PAGE, PAGE);
    space.protect(at, PAGE, PROT_NONE);
    expect(file.mappings.size).toBe(1);
    const child = cloneOf(space);
    expect(file.mappings.size).toBe(2);
    child.destroy();
    space.unmap(at, 4 * PAGE);
    expect(file.mappings.size).toBe(0);
    space.destroy();
    file.truncate(0);
    expect(context.frames.used).toBe(boot);
  });

  test("a segment's bss begins with zeros on the file's last page", () => {
    const { space, context } = setup();
    const file = new TestFile(context, 2 * PAGE);
    expect(space.mapSegment({ address: BASE + 0x10, fileOffset: 0x10, fileSize: PAGE, memorySize: 3 * PAGE, prot: RW, backing: file, name: "/p" })).toBe(0);
    expect(peekByte(space, BASE + PAGE + 0xf)).toBe(2);
    expect(peekByte(space, BASE + PAGE + 0x10)).toBe(0);
    expect(peekByte(space, BASE + 2 * PAGE - 1)).toBe(0);
    expect(peekByte(space, BASE + 3 * PAGE)).toBe(0);
    expect(mapsText(space)).toEqual(["10000000-10002000 rw-p 0 /p", "10002000-10004000 rw-p 0"]);
    checkAll(context, file.visit);
  });
});

describe("out of frames", () => {
  test("the kernel is asked, and the fault goes on when something was freed", () => {
    const { space, context } = setup(DEFAULT_LIMITS, 8);
    const hoard: number[] = [];
    for (let f = context.frames.alloc(); f !== 0; f = context.frames.alloc()) hoard.push(f);
    let asked = 0;
    context.outOfFrames = () => {
      asked++;
      for (let i = 0; i < 8; i++) context.frames.release(hoard.pop() as number);
      return true;
    };
    const at = space.map({ hint: 0, length: PAGE, prot: RW, flags: PRIVATE });
    expect(poke(space, at, 1)).toBe(true);
    expect(asked).toBe(1);
    context.outOfFrames = () => false;
    while (context.frames.free > 0) hoard.push(context.frames.alloc());
    const other = space.map({ hint: 0, length: 4 << 20, prot: RW, flags: PRIVATE });
    expect(poke(space, other, 1)).toBe(false);
    expect(space.denied.signal).toBe(SIGKILL);
    for (const frame of hoard) context.frames.release(frame);
    checkAll(context);
  });
});

describe("decoded code", () => {
  test("changes of executable mappings are told, for the active space", () => {
    const { space, context } = setup();
    let changes = 0;
    context.codeGuard.listener = { codeWritten: () => {}, codeReleased: () => {}, executableMappingChanged: () => changes++ };
    space.activate();
    const at = space.map({ hint: 0, length: 2 * PAGE, prot: RW | PROT_EXEC, flags: PRIVATE });
    poke(space, at, 1);
    changes = 0;
    space.protect(at, PAGE, PROT_READ | PROT_EXEC);
    expect(changes).toBe(0);
    space.protect(at, PAGE, PROT_READ);
    expect(changes).toBe(1);
    space.unmap(at + PAGE, PAGE);
    expect(changes).toBe(2);
  });
});
