/** A processor that does what a test says instead of running code: each step sets registers and names the exit. */
import type { Cpu } from "../cpu/cpu.ts";
import { EXIT_BUDGET, EXIT_SYSCALL, type ExitKind } from "../cpu/exit.ts";
import { Registers } from "../cpu/registers.ts";
import { RAX, RDI, RDX, RSI } from "../cpu/state.ts";
import type { Ram } from "../memory/ram.ts";

/** What a step sees and may set. */
export type Step = (cpu: ScriptedCpu, budget: number) => ExitKind;

export class ScriptedCpu implements Cpu {
  readonly registers: Registers;
  retired = 0;
  detail = 0;
  faultAddress = 0;
  faultErrorCode = 0;
  faultNonCanonical = false;
  readonly #step: Step;

  constructor(ram: Ram, step: Step) {
    this.registers = new Registers(ram);
    this.#step = step;
  }
  run(budget: number): ExitKind {
    this.retired = 1;
    return this.#step(this, budget);
  }

  /** The exit of a `syscall` with this number and arguments. */
  call(number: number, ...values: number[]): ExitKind {
    const { registers } = this;
    registers.setNumber(RAX, number);
    [RDI, RSI, RDX, 10, 8, 9].forEach((register, index) => registers.setNumber(register, values[index] ?? 0));
    return EXIT_SYSCALL;
  }
  /** Nothing but time passes. */
  spin(budget: number): ExitKind {
    this.retired = budget;
    return EXIT_BUDGET;
  }
}
