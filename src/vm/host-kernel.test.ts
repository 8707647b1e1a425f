/** The same random script of memory operations on the host's Linux kernel and on an AddressSpace: same results, same signals,
 *  same bytes, same residency, same /proc/self/maps. Needs Linux on x86-64 with gcc and setarch; skipped elsewhere.
 *
 *  `VM_ORACLE_SCRIPTS=n` runs n scripts of 400 operations (default 6), `VM_ORACLE_SEED=n` begins with that seed (alone by default), `VM_ORACLE_DUMP=file` keeps the
 *  script that failed. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import {
  MADV_COLD, MADV_DODUMP, MADV_DOFORK, MADV_DONTDUMP, MADV_DONTFORK, MADV_DONTNEED, MADV_FREE, MADV_KEEPONFORK, MADV_NOHUGEPAGE, MADV_NORMAL, MADV_POPULATE_READ,
  MADV_POPULATE_WRITE, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_WIPEONFORK, MAP_32BIT, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN,
  MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, MAP_STACK, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PROT_GROWSDOWN,
} from "../abi/linux/mman.ts";
import type { AddressSpace } from "./address-space.ts";
import { checkAddressSpace } from "./check.ts";
import { REGION_SPECIAL } from "./region.ts";
import { cloneOf, makeContext, makeSpace, PAGE, peekByte, poke } from "./testing.ts";

const OPERATIONS = 400;
const WINDOW = 0x1000_0000;
const GROWTH = 0x2000_0000;
const FLAGS = ["-static", "-nostdlib", "-no-pie", "-O1", "-fno-stack-protector", "-fcf-protection=none", "-mno-red-zone", "-fno-pic"];

const folder = mkdtempSync(join(tmpdir(), "menios-vm-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function build(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const program = join(folder, "host-kernel");
  try {
    execFileSync("gcc", [...FLAGS, "-o", program, fileURLToPath(new URL("host-kernel.c", import.meta.url))], { stdio: "pipe" });
    return spawnSync("setarch", ["-R", program], { input: "" }).status === 0 ? program : undefined;
  } catch {
    return undefined;
  }
}

const native = (program: string, script: string): string[] =>
  execFileSync("setarch", ["-R", program], { input: script, maxBuffer: 1 << 28, encoding: "latin1" }).trimEnd().split("\n");

/** "start-end rights offset name", without device, inode and what is not comparable. */
function normalise(line: string): string {
  const match = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(.*)$/.exec(line);
  if (match === null) return line;
  const [, start, end, rights, offset, name] = match as unknown as string[];
  // The replica maps the program's file as memory of that name.
  const shown = (name as string).startsWith("/tmp") ? "0" : Number.parseInt(offset as string, 16).toString(16);
  return `${start?.replace(/^0+/, "")}-${end?.replace(/^0+/, "")} ${rights} ${shown}${name === "" ? "" : ` ${name}`}`;
}
function ourMaps(space: AddressSpace): string[] {
  return [...space.maps()].map((m) => {
    const rights = `${(m.prot & 1) !== 0 ? "r" : "-"}${(m.prot & 2) !== 0 ? "w" : "-"}${(m.prot & 4) !== 0 ? "x" : "-"}${m.shared ? "s" : "p"}`;
    return `${m.start.toString(16)}-${m.end.toString(16)} ${rights} ${m.offset.toString(16)}${m.name === "" ? "" : ` ${m.name}`}`;
  });
}
const hex = (value: number): string => value.toString(16);

/** The program as the host's kernel set it up. */
function replica(lines: string[]): { space: AddressSpace; context: ReturnType<typeof makeContext>; brk: number } {
  const context = makeContext(64);
  const space = makeSpace(context);
  const brk = Number.parseInt(lines[0] as string, 16);
  for (const line of lines.slice(1)) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(.*)$/.exec(line);
    if (match === null || line.includes("vsyscall")) continue;
    const [start, end] = [Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)];
    const rights = match[3] as string;
    const name = match[5] as string;
    const prot = (rights[0] === "r" ? 1 : 0) | (rights[1] === "w" ? 2 : 0) | (rights[2] === "x" ? 4 : 0);
    if (name === "[stack]") space.mapStack(end, end - start, prot);
    else {
      space.map({ hint: start, length: end - start, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, name, regionFlags: name === "" ? 0 : REGION_SPECIAL });
    }
    if (rights[1] === "w") poke(space, start, 0);
  }
  space.setBreakStart(brk);
  return { space, context, brk };
}

/** Makes a script while running it on our side; returns it with the lines it should print. */
function simulate(seed: number, setup: string[]): { script: string[]; expected: string[] } {
  const { space: first, context, brk } = replica(setup);
  let space = first;
  const spaces = [first];
  const placed: { at: number; pages: number }[] = [];
  const script: string[] = [];
  const expected: string[] = [];
  let state = seed * 2654435761;
  const next = (below: number): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  const choose = <T>(...items: T[]): T => items[next(items.length)] as T;
  const somewhere = (): number => {
    const kind = next(20);
    if (kind < 13 || placed.length === 0) return WINDOW + next(48) * PAGE;
    if (kind < 18) {
      const mapping = placed[next(placed.length)] as { at: number; pages: number };
      return mapping.at + next(mapping.pages) * PAGE;
    }
    return brk + next(24) * PAGE;
  };
  const size = (): number => (next(30) === 0 ? next(3 * PAGE) : (1 + next(next(6) === 0 ? 40 : 6)) * PAGE);
  const emit = (line: string, result: string): void => {
    script.push(line);
    expected.push(result);
  };
  const touched = (ok: boolean, value: string): string => (ok ? value : `0 s${hex(space.denied.signal)} ${hex(space.denied.code)}`);

  // The program itself and the vdso are not for scripts.
  const special = Math.min(...[...space.maps()].filter((m) => m.name.startsWith("[v")).map((m) => m.start));
  for (let step = 0; step < OPERATIONS; step++) {
    const at = somewhere() + (next(60) === 0 ? 8 : 0);
    const length = size();
    if (at < special && at + Math.max(length, 6 * PAGE) > special) continue;
    switch (next(24)) {
      case 0: case 1: case 2: {
        const prot = choose(0, 1, 3, 3, 3, 7, 5);
        let flags = MAP_ANONYMOUS | choose(MAP_PRIVATE, MAP_PRIVATE, MAP_PRIVATE, MAP_SHARED, 0);
        flags |= choose(0, 0, 0, 0, MAP_NORESERVE, MAP_STACK, MAP_POPULATE, MAP_GROWSDOWN);
        const hint = choose(0, 0, at, at, at);
        if (hint !== 0) flags |= choose(MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE, 0);
        else flags |= choose(0, 0, 0, 0, 0, 0, MAP_32BIT);
        const bytes = hint === 0 && next(10) === 0 ? choose(0x20_0000, 0x40_0000) : length;
        const result = space.map({ hint, length: bytes, prot, flags });
        if (result > 0 && (hint === 0 || (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) === 0)) placed.push({ at: result, pages: Math.ceil(bytes / PAGE) });
        emit(`m ${hex(hint)} ${hex(bytes)} ${hex(prot)} ${hex(flags)}`, hex(result));
        break;
      }
      case 3: emit(`u ${hex(at)} ${hex(length)}`, hex(space.unmap(at, length))); break;
      case 4: case 5: case 6: {
        const prot = choose(0, 1, 3, 3, 3, 7, 2, 4) | (next(25) === 0 ? PROT_GROWSDOWN : 0);
        emit(`p ${hex(at)} ${hex(length)} ${hex(prot)}`, hex(space.protect(at, length, prot)));
        break;
      }
      case 7: case 8: case 9: {
        const flags = choose(0, MREMAP_MAYMOVE, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, MREMAP_FIXED);
        const grown = choose(length, length, size(), 0x20_0000);
        const target = WINDOW + next(48) * PAGE;
        const old = next(40) === 0 ? 0 : length;
        const result = space.remap(at, old, grown, flags, target);
        if (result > 0) placed.push({ at: result, pages: Math.max(1, Math.ceil(grown / PAGE)) });
        emit(`r ${hex(at)} ${hex(old)} ${hex(grown)} ${hex(flags)} ${hex(target)}`, hex(result));
        break;
      }
      case 10: {
        const wish = brk + next(24 * PAGE);
        emit(`b ${hex(wish)}`, hex(space.brk(wish)));
        break;
      }
      case 11: case 12: {
        const advice = choose(
          MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_NOHUGEPAGE,
          MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_POPULATE_READ, MADV_POPULATE_WRITE, 77,
        );
        emit(`a ${hex(at)} ${hex(length)} ${hex(advice)}`, hex(space.advise(at, length, advice)));
        break;
      }
      case 13: {
        const residency = new Uint8Array(Math.ceil(length / PAGE));
        const result = space.mincore(at, length, residency);
        emit(`c ${hex(at)} ${hex(length)}`, `${result === 0 ? residency.join("") : ""}${hex(result)}`);
        break;
      }
      case 14:
        if (next(2) === 0) emit(`k ${hex(at)} ${hex(length)}`, hex(space.lock(at, length)));
        else emit(`n ${hex(at)} ${hex(length)}`, hex(space.unlock(at, length)));
        break;
      case 15:
        if (next(6) === 0) {
          space = cloneOf(space);
          spaces.push(space);
          emit("f", "0");
        }
        break;
      case 16: {
        // Two pages with megabytes between them: growth and its limits.
        const where = GROWTH + next(10) * 0x8_0000;
        if (next(2) === 0) {
          const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | choose(0, MAP_GROWSDOWN);
          const prot = choose(0, 3, 3);
          emit(`m ${hex(where)} ${hex(PAGE)} ${hex(prot)} ${hex(flags)}`, hex(space.map({ hint: where, length: PAGE, prot, flags })));
        } else emit(`u ${hex(where)} ${hex(PAGE)}`, hex(space.unmap(where, PAGE)));
        break;
      }
      case 17: {
        const where = choose(GROWTH + next(10 * 128) * PAGE, 0x7fff_ffff_f000 - 0x2_0000 - next(10 << 20), 2 ** 47 + 4096, 0x7fff_ffff_f000, next(0x1_0000));
        const value = 1 + next(255);
        emit(`w ${hex(where)} ${hex(value)}`, touched(poke(space, where, value), "0"));
        break;
      }
      case 18:
        emit("M", "");
        expected.pop();
        expected.push(...ourMaps(space), ".", "0");
        break;
      default: {
        const pages = 1 + next(4);
        for (let i = 0; i < pages; i++) {
          const where = at + i * PAGE + next(3);
          if (next(2) === 0) {
            const value = 1 + next(255);
            emit(`w ${hex(where)} ${hex(value)}`, touched(poke(space, where, value), "0"));
          } else {
            const value = peekByte(space, where);
            emit(`l ${hex(where)}`, touched(value !== undefined, hex(value ?? 0)));
          }
        }
      }
    }
    checkAddressSpace(space);
  }
  script.push("M");
  expected.push(...ourMaps(space), ".", "0");
  for (const each of spaces) each.destroy();
  context.frames.check();
  return { script, expected };
}

const program = build();
test.runIf(program !== undefined)("random scripts do on an AddressSpace what they do on the host's kernel", () => {
  const setup = native(program as string, "M\n");
  const from = Number(process.env["VM_ORACLE_SEED"] ?? 1);
  const scripts = Number(process.env["VM_ORACLE_SCRIPTS"] ?? (process.env["VM_ORACLE_SEED"] !== undefined ? 1 : 6));
  let operations = 0;
  for (let seed = from; seed < from + scripts; seed++) {
    const { script, expected } = simulate(seed, setup);
    operations += script.length;
    const printed = native(program as string, `${script.join("\n")}\n`)
      .slice(1)
      .filter((line) => !line.includes("vsyscall"))
      .map(normalise);
    const wrong = expected.findIndex((line, i) => line !== printed[i]);
    if (wrong < 0) continue;
    const dump = process.env["VM_ORACLE_DUMP"];
    if (dump !== undefined) writeFileSync(dump, `${script.join("\n")}\n`);
    // Which operation the wrong line belongs to: maps lines and residency belong to theirs.
    let line = 0;
    let operation = 0;
    for (; operation < script.length; operation++) {
      if (script[operation] === "M") while (expected[line] !== ".") line++;
      if (script[operation] === "M") line++;
      if (line >= wrong) break;
      line++;
    }
    const about = script.slice(Math.max(0, operation - 25), operation + 1).join("\n");
    const context = `seed ${seed}, operation ${operation}:\n${about}\nhost:\n${printed.slice(Math.max(0, wrong - 6), wrong + 6).join("\n")}\nours:\n${expected.slice(Math.max(0, wrong - 6), wrong + 6).join("\n")}`;
    expect.fail(context);
  }
  expect(operations).toBeGreaterThan(0);
});
