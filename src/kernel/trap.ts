/** The one door between the CPU and the rest: what each exit means for the task that made it.
 *
 *  System calls go to dispatch.ts, denied accesses and exceptions become signals (arch/x86/kernel/traps.c says which),
 *  blocked accesses park the thread with its state before the instruction. */
import {
  BUS_ADRALN, FPE_FLTDIV, FPE_FLTINV, FPE_FLTOVF, FPE_FLTRES, FPE_FLTUND, FPE_INTDIV, ILL_ILLOPN, SEGV_MAPERR, SI_KERNEL, SIGBUS, SIGFPE,
  SIGILL, SIGKILL, SIGSEGV, SIGTRAP, TRAP_BRKPT, TRAP_TRACE,
} from "../abi/linux/signal.ts";
import { KernelPanic } from "../base/assert.ts";
import {
  EXIT_BLOCKED, EXIT_BUDGET, EXIT_CONTINUE, EXIT_EXCEPTION, EXIT_INTERRUPT, EXIT_PAGE_FAULT, EXIT_SYSCALL, type ExitKind, VECTOR_AC, VECTOR_BP,
  VECTOR_BR, VECTOR_DB, VECTOR_DE, VECTOR_GP, VECTOR_MF, VECTOR_OF, VECTOR_SS, VECTOR_UD, VECTOR_XM,
} from "../cpu/exit.ts";
import { RFLAGS_TF } from "../cpu/registers.ts";
import { PF_PRESENT } from "../memory/access.ts";
import { X87_CONTROL, X87_STATUS } from "../cpu/state.ts";
import { startCall } from "./dispatch.ts";
import type { Kernel } from "./kernel.ts";
import { forceSignal, killProcess } from "./signal/send.ts";
import type { Task } from "./task.ts";
import { awaitPage } from "./thread-start.ts";

export const VECTOR_PF = 14;
const MENIOS_GATE = 0x80;

/** Acts on an exit. True when the task may go on (perhaps into a signal handler). */
export function handleExit(kernel: Kernel, task: Task, exit: ExitKind): boolean {
  switch (exit) {
    case EXIT_BUDGET:
    case EXIT_CONTINUE:
      return true;
    case EXIT_SYSCALL:
      return kernel.abi === "menios" ? startCall(kernel, task, "menios", kernel.menios) : startCall(kernel, task, "linux", kernel.linux);
    case EXIT_INTERRUPT:
      return handleInterrupt(kernel, task, kernel.cpu.detail);
    case EXIT_PAGE_FAULT:
      raisePageFault(kernel, task);
      return true;
    case EXIT_BLOCKED:
      awaitPage(kernel, task);
      return false;
    case EXIT_EXCEPTION:
      raiseException(kernel, task, kernel.cpu.detail);
      return true;
    default:
      throw new KernelPanic("unknown CPU exit", { exit });
  }
}

function handleInterrupt(kernel: Kernel, task: Task, vector: number): boolean {
  if (vector === MENIOS_GATE) return startCall(kernel, task, "menios", kernel.menios);
  if (vector === VECTOR_BP || vector === VECTOR_OF) {
    raiseException(kernel, task, vector);
    return true;
  }
  // Every other gate is for the kernel alone: #GP with the vector in its error code, at the instruction (SDM 3A §6.12.1.2).
  kernel.cpu.registers.rip -= 2;
  raise(kernel, task, SIGSEGV, SI_KERNEL, 0, VECTOR_GP, vector * 8 + 2, 0);
  return true;
}

function raisePageFault(kernel: Kernel, task: Task): void {
  const { cpu } = kernel;
  // A non-canonical address is a #GP, which carries no address.
  if (cpu.faultNonCanonical) {
    // Through rsp or rbp it is a #SS, which Linux reports as a bus error.
    if (cpu.faultStackSegment === true) raise(kernel, task, SIGBUS, SI_KERNEL, 0, VECTOR_SS, 0, 0);
    else raise(kernel, task, SIGSEGV, SI_KERNEL, 0, VECTOR_GP, 0, 0);
    return;
  }
  const { denied } = task.image.space;
  const address = cpu.faultAddress;
  // Kernel addresses never get as far as the resolver's regions.
  const isUser = address >= 0 && address < 2 ** 47;
  if (isUser && denied.signal === SIGKILL) {
    // Out of frames, and this space is the largest.
    killProcess(kernel, task.process);
    return;
  }
  if (isUser) raise(kernel, task, denied.signal, denied.code, address, VECTOR_PF, cpu.faultErrorCode, address);
  // Linux tells nobody which kernel addresses are mapped: each looks like a protection fault.
  else raise(kernel, task, SIGSEGV, SEGV_MAPERR, address, VECTOR_PF, cpu.faultErrorCode | PF_PRESENT, address);
}

function raiseException(kernel: Kernel, task: Task, vector: number): void {
  const rip = kernel.cpu.registers.rip;
  switch (vector) {
    case VECTOR_DE:
      return raise(kernel, task, SIGFPE, FPE_INTDIV, rip, vector, 0, 0);
    case VECTOR_DB:
      // A single step has TF set; int1 has not.
      return raise(kernel, task, SIGTRAP, (kernel.cpu.registers.rflags & RFLAGS_TF) !== 0 ? TRAP_TRACE : TRAP_BRKPT, rip, vector, 0, 0);
    case VECTOR_BP:
      return raise(kernel, task, SIGTRAP, SI_KERNEL, 0, vector, 0, 0);
    case VECTOR_OF:
    case VECTOR_BR:
      return raise(kernel, task, SIGSEGV, SI_KERNEL, 0, vector, 0, 0);
    case VECTOR_UD:
      return raise(kernel, task, SIGILL, ILL_ILLOPN, rip, vector, 0, 0);
    case VECTOR_GP:
      return raise(kernel, task, SIGSEGV, SI_KERNEL, 0, vector, gateError(kernel, task, rip), 0);
    case VECTOR_MF:
      return raise(kernel, task, SIGFPE, x87Code(kernel), rip, vector, 0, 0);
    case VECTOR_XM:
      return raise(kernel, task, SIGFPE, sseCode(kernel), rip, vector, 0, 0);
    case VECTOR_AC:
      return raise(kernel, task, SIGBUS, BUS_ADRALN, 0, vector, 0, 0);
    default:
      throw new KernelPanic("exception that user code cannot cause", { vector });
  }
}

/** Error code of a #GP: `int n` through a gate that user code may not use names the gate (SDM 3A §6.13), all else has 0. */
function gateError(kernel: Kernel, task: Task, rip: number): number {
  const bytes = kernel.userView(task).peek(rip, 2);
  return bytes !== undefined && bytes[0] === INT_OPCODE ? bytes[1] * 8 + 2 : 0;
}
const INT_OPCODE = 0xcd;

function raise(kernel: Kernel, task: Task, signal: number, code: number, address: number, vector: number, error: number, cr2: number): void {
  task.lastTrap.vector = vector;
  task.lastTrap.error = error;
  if (vector === VECTOR_PF) task.lastTrap.cr2 = cr2;
  forceSignal(kernel, task, { signal, code, address, trap: { vector, error, cr2: task.lastTrap.cr2 } });
}

/** si_code of the unmasked exceptions among the sticky ones, most severe first (arch/x86/kernel/fpu/core.c). */
function floatCode(pending: number): number {
  if ((pending & 1) !== 0) return FPE_FLTINV;
  if ((pending & 4) !== 0) return FPE_FLTDIV;
  if ((pending & 8) !== 0) return FPE_FLTOVF;
  if ((pending & 0x12) !== 0) return FPE_FLTUND;
  return (pending & 0x20) !== 0 ? FPE_FLTRES : 0;
}
function x87Code(kernel: Kernel): number {
  const { u16 } = kernel.ram;
  return floatCode(u16[X87_STATUS >>> 1] & ~u16[X87_CONTROL >>> 1] & 0x3f);
}
function sseCode(kernel: Kernel): number {
  const { mxcsr } = kernel.cpu.registers;
  return floatCode(mxcsr & ~(mxcsr >> 7) & 0x3f);
}
