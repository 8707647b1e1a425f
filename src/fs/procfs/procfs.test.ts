import { expect, test } from "vitest";
import { EACCES, EINVAL, ENOENT, ESRCH } from "../../abi/linux/errno.ts";
import { O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/linux/fcntl.ts";
import { emptyStat } from "../../abi/linux/stat.ts";
import { contentOf, mustOpen, namesIn, outcome, readText, testWorld, type World, writeText } from "../test-world.ts";
import { BufferSink } from "../transfer.ts";
import { readLink, stat } from "../vfs/attributes.ts";
import { KERNEL_CALLER } from "../vfs/credentials.ts";
import { pathOf } from "../vfs/location.ts";
import { resolve, type Walk } from "../vfs/namei.ts";
import { open } from "../vfs/open.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { makeDirectory, unlink } from "../vfs/tree.ts";
import { Procfs } from "./procfs.ts";
import type { ProcessView, RegionView, SystemView, ThreadView } from "./view.ts";

const NO_USAGE = { userTicks: 0, systemTicks: 0, minorFaults: 0, majorFaults: 0 };
const NO_SIGNALS = { low: 0, high: 0 };

function thread(threadId: number, name: string): ThreadView {
  const state = {
    threadId, name, state: "R" as const, usage: { ...NO_USAGE, minorFaults: 76 }, pending: NO_SIGNALS, blocked: { low: 1 << 13, high: 1 },
    voluntarySwitches: 3, involuntarySwitches: 4, waitChannel: "0", stackPointer: 0, instructionPointer: 0, noNewPrivileges: false,
    rename(to: string) {
      state.name = to;
    },
  };
  return state;
}

interface Setup {
  readonly world: World;
  readonly walk: Walk;
  readonly process: ProcessView;
  readonly files: OpenFile[];
  end(): void;
}

function setup(): Setup {
  const world = testWorld();
  const { walk, mounts } = world;
  makeDirectory(walk, "proc", 0o755);
  makeDirectory(walk, "work", 0o755);
  const files = [mustOpen(walk, "/work/data", O_CREAT | O_RDWR), mustOpen(walk, "/work", O_DIRECTORY)];
  const place = (path: string) => {
    const location = resolve(walk, path);
    if (typeof location === "number") throw new Error(path);
    return location;
  };
  const main = thread(42, "prog");
  const second = thread(43, "worker");
  const region = (start: number, end: number, flags: string, name: RegionView["name"], offset = 0): RegionView => ({
    start, end, readable: flags[0] === "r", writable: flags[1] === "w", executable: flags[2] === "x", shared: flags[3] === "s", offset,
    device: name === "" || typeof name === "string" ? 0 : 1, inode: typeof name === "string" ? 0 : 2, name, resident: 8192, privateDirty: 4096,
    privateClean: 4096, sharedDirty: 0, sharedClean: 0, referenced: 8192, anonymous: 4096,
  });
  const memory = {
    virtual: 3_797_000, peakVirtual: 3_797_000, resident: 1_744_896, peakResident: 1_744_896, residentAnonymous: 118_784, residentFile: 1_626_112,
    residentShared: 0, locked: 0, pinned: 0, data: 1_032_192, stack: 135_168, text: 20_480, libraries: 0, pageTables: 53_248, swapped: 0,
    startCode: 0x400000, endCode: 0x401000, startStack: 0x7ffffff0, startData: 1, endData: 2, startBreak: 3, argumentStart: 4, argumentEnd: 5,
    environmentStart: 6, environmentEnd: 7,
  };
  const ids = { real: 1000, effective: 1000, saved: 1000, filesystem: 1000 };
  const process: ProcessView = {
    processId: 42, parentId: 1, processGroup: 42, sessionId: 40, terminalDevice: 0x8800, terminalGroup: 42,
    threads: () => [main, second], findThread: (id) => [main, second].find((each) => each.threadId === id),
    userIds: ids, groupIds: ids, supplementaryGroups: [4, 24], umask: 0o22, maySee: (uid) => uid === 0 || uid === 1000,
    workingDirectory: () => place("/work"), rootDirectory: () => walk.root, executable: () => place("/work/data"),
    commandLine: () => new Uint8Array([112, 0, 45, 120, 0]), environment: () => new Uint8Array([65, 61, 49, 0]), auxiliaryVector: () => new Uint8Array(16),
    descriptors: () => files.map((file, index) => ({ fd: index + 3, file, closeOnExec: index === 1 })),
    findDescriptor: (fd) => (files[fd - 3] === undefined ? undefined : { fd, file: files[fd - 3], closeOnExec: fd === 4 }),
    regions: () => [
      region(0x400000, 0x401000, "r-xp", place("/work/data"), 0x1000), region(0x1234000, 0x1255000, "rw-p", "[heap]"),
      region(0x7fdb86438000, 0x7fdb8645a000, "rw-s", ""),
    ],
    memory, pageMapEntry: (page) => ({ low: page, high: 0x8000_0000 }),
    limits: () => Array.from({ length: 16 }, (_, i) => ({ soft: i === 3 ? 8_388_608 : Infinity, hard: Infinity })),
    outOfMemoryScoreAdjustment: 0, startTicks: 1234, nice: 0, exitSignal: 17, exitCode: 0, children: NO_USAGE, usage: { ...NO_USAGE, minorFaults: 99 },
    sharedPending: NO_SIGNALS, ignored: { low: 0x1000, high: 0 }, caught: NO_SIGNALS, dumpable: true,
  };
  let alive = true;
  const zeroMemory = {
    total: 536_870_912, free: 100 * 1024, available: 0, cached: 0, shared: 0, anonymous: 0, mapped: 0, pageTables: 0, kernelStacks: 0, committed: 0,
    commitLimit: 0,
  };
  const system: SystemView = {
    processes: () => (alive ? [process] : []), findProcess: (id) => (alive && id === 42 ? process : undefined), memory: zeroMemory,
    uptimeSeconds: 12.349, idleSeconds: 3, bootTimeSeconds: 1000.7, loadAverages: [0.5, 0, 0], runnableThreads: 1, threadCount: 2, lastProcessId: 43,
    contextSwitches: 5, processesCreated: 6, userTicks: 7, systemTicks: 8, idleTicks: 9,
    cpu: { count: 1, vendor: "GenuineIntel", family: 6, model: 1, stepping: 0, modelName: "test", megahertz: 1000, flags: "fpu sse", cacheKilobytes: 512 },
    names: { sysname: "Linux", nodename: "menios", release: "6.18.0", version: "#1", machine: "x86_64", domainname: "(none)" },
    maxProcessId: 32_768, maxOpenFiles: 1024, overcommitMode: 0, maxMapCount: 65_530, mmapMinAddress: 4096,
  };
  const point = resolve(walk, "proc");
  if (typeof point === "number") throw new Error("proc");
  mounts.mount(new Procfs(world.context, system, mounts), point);
  return {
    world, process, files,
    walk: { ...walk, caller: { ...KERNEL_CALLER, uid: 1000, gid: 1000, processId: 42, threadId: 43 } },
    end: () => {
      alive = false;
    },
  };
}

test("self and thread-self lead to the caller", () => {
  const { walk } = setup();
  expect(readLink(walk, "/proc/self")).toBe("42");
  expect(readLink(walk, "/proc/thread-self")).toBe("42/task/43");
  expect(contentOf(walk, "/proc/thread-self/comm")).toBe("worker\n");
  expect(contentOf(walk, "/proc/self/comm")).toBe("prog\n");
  expect(namesIn(walk, "/proc/self/task")).toEqual([".", "..", "42", "43"]);
  expect(namesIn(walk, "/proc")).toContain("42");
});

test("maps has Linux's columns", () => {
  const { walk } = setup();
  expect(contentOf(walk, "/proc/self/maps")).toBe(
    "00400000-00401000 r-xp 00001000 00:01 2                                  /work/data\n" +
      "01234000-01255000 rw-p 00000000 00:00 0                                  [heap]\n" +
      "7fdb86438000-7fdb8645a000 rw-s 00000000 00:00 0 \n",
  );
  expect(String(contentOf(walk, "/proc/self/smaps")).split("\n")[1]).toBe("Size:                  4 kB");
});

test("status, stat, statm and limits have Linux's lines", () => {
  const { walk } = setup();
  const status = String(contentOf(walk, "/proc/self/status")).split("\n");
  for (const line of [
    "Name:\tprog", "Umask:\t0022", "State:\tR (running)", "Uid:\t1000\t1000\t1000\t1000", "FDSize:\t64", "Groups:\t4 24 ", "VmPeak:\t    3708 kB",
    "VmRSS:\t    1704 kB", "Threads:\t2", "SigBlk:\t0000000100002000", "SigIgn:\t0000000000001000", "CapEff:\t0000000000000000",
  ]) {
    expect(status).toContain(line);
  }
  const fields = String(contentOf(walk, "/proc/self/stat")).split(" ");
  expect(fields.length).toBe(52);
  expect(fields.slice(0, 10).join(" ")).toBe("42 (prog) R 1 42 40 34816 42 4194304 99");
  expect(fields[24]).toBe("18446744073709551615");
  expect(String(contentOf(walk, "/proc/thread-self/stat")).split(" ")[9]).toBe("76");
  expect(contentOf(walk, "/proc/self/statm")).toBe("927 426 397 5 0 285 0\n");
  const limits = String(contentOf(walk, "/proc/self/limits")).split("\n");
  expect(limits[0]).toBe("Limit                     Soft Limit           Hard Limit           Units     ");
  expect(limits[4]).toBe("Max stack size            8388608              unlimited            bytes     ");
});

test("links lead to the places themselves", () => {
  const { walk, files, world } = setup();
  expect(readLink(walk, "/proc/self/cwd")).toBe("/work");
  expect(readLink(walk, "/proc/self/fd/3")).toBe("/work/data");
  expect(namesIn(walk, "/proc/self/fd")).toEqual([".", "..", "3", "4"]);
  expect(namesIn(walk, "/proc/self/cwd")).toEqual([".", "..", "data"]);
  writeText(files[0], "through the link");
  unlink(world.walk, "/work/data");
  expect(readLink(walk, "/proc/self/fd/3")).toBe("/work/data (deleted)");
  expect(contentOf({ ...walk, caller: { ...walk.caller, uid: 0 } }, "/proc/self/fd/3")).toBe("through the link");
  const out = emptyStat();
  stat(walk, "/proc/self/fd/4", out, { follow: false });
  expect([(out.mode & 0o7777).toString(8), out.size]).toEqual(["500", 64]);
  expect(contentOf(walk, "/proc/self/fdinfo/4")).toBe(`pos:\t0\nflags:\t02300000\nmnt_id:\t1\nino:\t${files[1].inode.ino}\n`);
  expect(readLink(walk, "/proc/self/fd/9")).toBe(-ENOENT);
});

test("the texts of the system are there", () => {
  const { walk } = setup();
  expect(String(contentOf(walk, "/proc/meminfo")).split("\n").slice(0, 2)).toEqual(["MemTotal:         524288 kB", "MemFree:             100 kB"]);
  expect(contentOf(walk, "/proc/uptime")).toBe("12.34 3.00\n");
  expect(contentOf(walk, "/proc/loadavg")).toBe("0.50 0.00 0.00 1/2 43\n");
  expect(contentOf(walk, "/proc/sys/kernel/osrelease")).toBe("6.18.0\n");
  expect(contentOf(walk, "/proc/sys/vm/max_map_count")).toBe("65530\n");
  expect(String(contentOf(walk, "/proc/sys/kernel/random/uuid"))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$/);
  expect(contentOf(walk, "/proc/sys/kernel/random/boot_id")).toBe(contentOf(walk, "/proc/sys/kernel/random/boot_id"));
  expect(contentOf(walk, "/proc/mounts")).toBe("tmpfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\n");
  expect(contentOf(walk, "/proc/self/mountinfo")).toBe("1 1 0:1 / / rw,relatime - tmpfs tmpfs rw\n2 1 0:2 / /proc rw,relatime - proc proc rw\n");
  expect(contentOf(walk, "/proc/self/cmdline")).toBe("p\0-x\0");
});

test("a text is read in pieces and made anew from the start", () => {
  const { walk, process } = setup();
  const file = mustOpen(walk, "/proc/self/comm", O_RDWR);
  expect([readText(file, 2), readText(file, 2), readText(file, 9), readText(file)]).toEqual(["pr", "og", "\n", ""]);
  expect(writeText(file, "a much longer name\n")).toBe(19);
  file.seek(0, 0);
  expect(readText(file)).toBe("a much longer n\n");
  const score = mustOpen(walk, "/proc/self/oom_score_adj", O_WRONLY);
  expect([writeText(score, "500\n"), writeText(score, "5000"), process.outOfMemoryScoreAdjustment]).toEqual([4, -EINVAL, 500]);
});

test("pagemap is read by entries", () => {
  const { walk } = setup();
  const file = mustOpen(walk, "/proc/self/pagemap", O_RDONLY);
  const sink = new BufferSink(16);
  expect(file.readAt(sink, 8 * 0x400)).toBe(16);
  expect([...sink.bytes.subarray(0, 10)]).toEqual([0, 4, 0, 0, 0, 0, 0, 128, 1, 4]);
  expect(file.readAt(new BufferSink(8), 4)).toBe(-EINVAL);
});

test("others may not look, and a process that ended is gone", () => {
  const { walk, end } = setup();
  const other = { ...walk, caller: { ...walk.caller, uid: 7, gid: 7 } };
  expect(readLink(other, "/proc/42/exe")).toBe(-EACCES);
  expect(outcome(open(other, "/proc/42/environ", O_RDONLY, 0))).toBe(-EACCES);
  const file = mustOpen(walk, "/proc/42/status", O_RDONLY);
  const place = resolve(walk, "/proc/42");
  end();
  expect(readText(file)).toBe(-ESRCH);
  expect(outcome(resolve(walk, "/proc/42"))).toBe(-ENOENT);
  expect(typeof place === "number" ? place : pathOf(place, walk.root)).toContain("/proc/42");
});
