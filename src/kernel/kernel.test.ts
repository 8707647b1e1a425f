/** The kernel with a scripted processor: scheduling, traps, timers, and what a call's life looks like. */
import { describe, expect, test } from "vitest";
import { EINTR, ENOSYS } from "../abi/linux/errno.ts";
import { EXIT_EXCEPTION, EXIT_INTERRUPT, EXIT_PAGE_FAULT, type ExitKind, VECTOR_UD } from "../cpu/exit.ts";
import { RAX } from "../cpu/state.ts";
import { program } from "./loader/test-program.ts";
import { QUANTUM } from "./scheduler.ts";
import { ScriptedCpu, type Step } from "./scripted-cpu.ts";
import { TestWorld, type TestWorldOptions } from "./test-world.ts";

/** `exit` has the same number through both gates. */
const EXIT = 60, FORK = 57, WAIT4 = 61, GETPID = 39, KILL = 62, ALARM = 37, PAUSE = 34, SCHED_YIELD = 24;

/** Runs a script for each process: the steps of `scripts[n]` belong to the n-th process to be created. */
function run(scripts: readonly (readonly Step[])[], options: TestWorldOptions = {}) {
  const positions = new Map<number, number>();
  const seen: string[] = [];
  const machine: TestWorld = new TestWorld((ram) => new ScriptedCpu(ram, (cpu, budget): ExitKind => {
    const { pid } = machine.kernel.scheduler.current!.process;
    const at = positions.get(pid) ?? 0;
    positions.set(pid, at + 1);
    seen.push(`${pid}:${cpu.registers.signed(RAX)}`);
    const step = scripts[pid - 2]?.[at];
    return step === undefined ? cpu.call(EXIT, 0) : step(cpu, budget);
  }), { ramBytes: 32 << 20, ...options });
  machine.trace();
  machine.write("/program", program());
  const started = machine.start("/program");
  if (typeof started === "number") throw new Error(`start ${started}`);
  return { machine, seen, status: machine.run() };
}
const calls = (number: number, ...values: number[]): Step => (cpu) => cpu.call(number, ...values);
const spin: Step = (cpu, budget) => cpu.spin(budget);

describe("calls", () => {
  test("a result is in rax when the program goes on", () => {
    expect(run([[calls(GETPID)]]).seen).toEqual(["2:0", "2:2"]);
  });
  test("an unknown number is ENOSYS, and named once", () => {
    const { seen, machine } = run([[calls(5000), calls(5000), calls(5001)]]);
    expect(seen.slice(1)).toEqual([`2:${-ENOSYS}`, `2:${-ENOSYS}`, `2:${-ENOSYS}`]);
    expect(machine.events.flatMap((event) => (event.type === "unknown-syscall" ? [event.name] : []))).toEqual(["syscall_0x1388", "syscall_0x1389"]);
  });
  test("wait4 sleeps until the child ends", () => {
    const { seen, machine } = run([[calls(FORK), calls(WAIT4, -1, 0, 0, 0)], [calls(EXIT, 3)]]);
    expect(seen).toEqual(["2:0", "2:3", "3:0", "2:3"]);
    expect(machine.kernel.leakReport()).toEqual([]);
  });
  test("int 0x80 speaks meniOS, whatever syscall speaks", () => {
    const gate: Step = (cpu) => {
      cpu.call(80);
      cpu.detail = 0x80;
      return EXIT_INTERRUPT;
    };
    expect(run([[gate]]).seen).toEqual(["2:0", "2:4096"]);
    expect(run([[calls(80)]], { abi: "menios" }).seen.slice(0, 2)).toEqual(["2:0", "2:4096"]);
  });
});

describe("faults", () => {
  const signalOf = (step: Step): number => run([[step]]).status & 0x7f;
  test("a non-canonical address is SIGSEGV, an undefined opcode SIGILL", () => {
    expect(signalOf((cpu) => {
      cpu.faultNonCanonical = true;
      return EXIT_PAGE_FAULT;
    })).toBe(11);
    expect(signalOf((cpu) => {
      cpu.detail = VECTOR_UD;
      return EXIT_EXCEPTION;
    })).toBe(4);
  });
  test("another gate than 0x80 is SIGSEGV", () => {
    expect(signalOf((cpu) => {
      cpu.registers.rip += 2;
      cpu.detail = 0x21;
      return EXIT_INTERRUPT;
    })).toBe(11);
  });
});

describe("time", () => {
  test("two spinning processes take turns of exactly one quantum", () => {
    const turns: { pid: number; at: number }[] = [];
    const note: Step = (cpu, budget) => {
      const { kernel } = machine;
      const { pid } = kernel.scheduler.current!.process;
      if (turns.at(-1)?.pid !== pid) turns.push({ pid, at: kernel.instructions });
      return kernel.instructions > QUANTUM * 6 ? cpu.call(EXIT, 0) : cpu.spin(budget);
    };
    let forked = false;
    const machine: TestWorld = new TestWorld((ram) => new ScriptedCpu(ram, (cpu, budget) => {
      if (forked) return note(cpu, budget);
      forked = true;
      return cpu.call(FORK);
    }), { ramBytes: 32 << 20 });
    machine.write("/program", program());
    machine.start("/program");
    machine.run();
    const lengths = turns.slice(1).map((turn, index) => turn.at - turns[index].at);
    expect(turns.map((turn) => turn.pid).slice(0, 4)).toEqual([2, 3, 2, 3]);
    expect(lengths.slice(0, 4)).toEqual([QUANTUM - 1, QUANTUM, QUANTUM, QUANTUM]);
  });
  test("an idle machine jumps to its next deadline", () => {
    const { machine, status } = run([[calls(ALARM, 3600), calls(PAUSE)]]);
    expect(status & 0x7f).toBe(14);
    expect(machine.kernel.clock.now()).toBeGreaterThanOrEqual(3600e9);
  });
  test("a running process meets its timer at the exact instruction", () => {
    const { machine } = run([[calls(ALARM, 1), ...Array.from({ length: 50_000 }, () => spin)]]);
    // The alarm was set at instruction 1 and kills one second, that is 10^9 instructions, later.
    expect(machine.kernel.instructions).toBe(1_000_000_001);
  });
  test("a slice ends although nobody waits", () => {
    const machine = new TestWorld((ram) => new ScriptedCpu(ram, spin), { ramBytes: 32 << 20 });
    machine.write("/program", program());
    machine.start("/program");
    expect(machine.kernel.runSlice(1)).toBe("busy");
    machine.kernel.killAll();
    expect(machine.kernel.runSlice(1)).toBe("finished");
    expect(machine.kernel.leakReport()).toEqual([]);
  });
});

describe("ends", () => {
  test("a process that kills itself is gone before its next instruction", () => {
    const { seen, status } = run([[calls(KILL, 2, 9), calls(GETPID)]]);
    expect(seen).toEqual(["2:0"]);
    expect(status).toBe(9);
  });
  test("what outlives the first process is hung up, then killed", () => {
    const { machine } = run([[calls(FORK), calls(SCHED_YIELD), calls(EXIT, 1)], [calls(PAUSE), spin]]);
    expect(machine.kernel.firstStatus).toBe(256);
    expect(machine.kernel.leakReport()).toEqual([]);
  });
  test("EINTR is not shown to a process that dies", () => {
    const { seen } = run([[calls(FORK), calls(KILL, 3, 15), calls(WAIT4, -1, 0, 0, 0)], [calls(PAUSE)]]);
    expect(seen.filter((step) => step === `3:${-EINTR}`)).toEqual([]);
  });
});
