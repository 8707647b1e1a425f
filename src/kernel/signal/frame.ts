/** Entering a handler and coming back (sigaction(2), sigreturn(2)): the frame of signal/layout.ts on the user's stack.
 *
 *  The handler may change everything in its ucontext; sigreturn believes what is safe to believe: user flags only, the user
 *  selectors always, no mask over SIGKILL and SIGSTOP. */
import { EFAULT } from "../../abi/linux/errno.ts";
import {
  MINSIGSTKSZ, SA_ONSTACK, SA_RESTORER, SIGKILL, SIGSTOP, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK,
} from "../../abi/linux/signal.ts";
import { RAX, RDI, RDX, RSI, RSP } from "../../cpu/state.ts";
import { RFLAGS_DF, RFLAGS_RF, RFLAGS_TF, RFLAGS_USER } from "../../cpu/registers.ts";
import { copyIn, copyOut, USER_BLOCKED } from "../../vm/user-memory.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task.ts";
import type { SignalAction } from "./handlers.ts";
import { readFxsave, resetFloatingPoint, writeFxsave } from "./fxsave.ts";
import {
  FRAME_BYTES, FRAME_SIGINFO, FRAME_UCONTEXT, FXSAVE_BYTES, MC_CR2, MC_CS, MC_EFLAGS, MC_ERR, MC_FPSTATE, MC_OLDMASK, MC_RIP, MC_SS, MC_TRAPNO,
  MCONTEXT_REGISTERS, RED_ZONE, UC_FLAGS, UC_MCONTEXT, UC_SIGCONTEXT_SS, UC_SIGMASK, UC_STACK_FLAGS, UC_STACK_SIZE, UC_STACK_SP,
  UC_STRICT_RESTORE_SS, UCONTEXT_BYTES, USER_CS, USER_SS,
} from "./layout.ts";
import type { SignalInfo } from "./pending.ts";
import { writeSiginfo } from "./siginfo.ts";

const TWO_32 = 0x1_0000_0000;

/** Saves the interrupted state on the stack and points the registers at the handler: 0, -EFAULT when the stack cannot hold it,
 *  or USER_BLOCKED with nothing changed. */
export function pushFrame(kernel: Kernel, task: Task, info: SignalInfo, action: SignalAction): number {
  // Without a restorer the handler could not return; Linux on x86-64 refuses, too.
  if ((action.flags & SA_RESTORER) === 0) return -EFAULT;
  const { registers } = kernel.cpu;
  const interrupted = registers.unsigned(RSP);
  const onAltStack = isOnAltStack(task, interrupted);
  let sp = interrupted - RED_ZONE;
  const entering = (action.flags & SA_ONSTACK) !== 0 && !onAltStack && task.altStackSize > 0;
  if (entering) sp = task.altStackBase + task.altStackSize;
  const fpstate = floorTo(sp - FXSAVE_BYTES, 64);
  const frame = floorTo(fpstate - FRAME_BYTES, 16) - 8;
  // A handler that overflows its alternate stack gets a fault, not somebody else's memory.
  if ((onAltStack || entering) && (task.altStackFlags & SS_AUTODISARM) === 0 && frame < task.altStackBase) return -EFAULT;
  if (frame < 0) return -EFAULT;

  const bytes = new Uint8Array(fpstate + FXSAVE_BYTES - frame);
  const view = new DataView(bytes.buffer);
  putAddress(view, 0, action.restorer);
  writeUcontext(kernel, task, info, view, FRAME_UCONTEXT, fpstate, interrupted);
  writeSiginfo(info, bytes, FRAME_SIGINFO);
  writeFxsave(kernel.ram, bytes, fpstate - frame);
  const stored = copyOut(task.image.space, frame, bytes);
  if (stored !== bytes.length) return stored === USER_BLOCKED ? USER_BLOCKED : -EFAULT;

  if (entering && (task.altStackFlags & SS_AUTODISARM) !== 0) {
    task.altStackBase = task.altStackSize = task.altStackFlags = 0;
  }
  resetFloatingPoint(kernel.ram, registers);
  registers.rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
  registers.setNumber(RDI, info.signal);
  registers.setNumber(RSI, frame + FRAME_SIGINFO);
  registers.setNumber(RDX, frame + FRAME_UCONTEXT);
  registers.setNumber(RAX, 0);
  registers.setNumber(RSP, frame);
  registers.rip = action.handler;
  return 0;
}

/** rt_sigreturn: rsp is 8 above the frame, the restorer having popped pretcode. 0, -EFAULT when the
 *  frame cannot be believed, or USER_BLOCKED with nothing changed. */
export function popFrame(kernel: Kernel, task: Task): number {
  const { registers } = kernel.cpu;
  const bytes = new Uint8Array(UCONTEXT_BYTES);
  const read = copyIn(task.image.space, registers.unsigned(RSP) - 8 + FRAME_UCONTEXT, bytes);
  if (read !== bytes.length) return read === USER_BLOCKED ? USER_BLOCKED : -EFAULT;
  const view = new DataView(bytes.buffer);
  const fpstate = getAddress(view, UC_MCONTEXT + MC_FPSTATE);
  if (fpstate === 0) {
    resetFloatingPoint(kernel.ram, registers);
  } else {
    const image = new Uint8Array(FXSAVE_BYTES);
    const loaded = copyIn(task.image.space, fpstate, image);
    if (loaded === USER_BLOCKED) return USER_BLOCKED;
    if (loaded !== FXSAVE_BYTES || !readFxsave(kernel.ram, registers, image)) return -EFAULT;
  }
  MCONTEXT_REGISTERS.forEach((register, index) => {
    const at = UC_MCONTEXT + index * 8;
    registers.set(register, view.getUint32(at, true), view.getUint32(at + 4, true));
  });
  registers.rip = getAddress(view, UC_MCONTEXT + MC_RIP);
  registers.rflags = view.getUint32(UC_MCONTEXT + MC_EFLAGS, true) & RFLAGS_USER;
  task.savedMask = undefined;
  task.blocked.set(view.getUint32(UC_SIGMASK, true), view.getUint32(UC_SIGMASK + 4, true));
  task.blocked.delete(SIGKILL);
  task.blocked.delete(SIGSTOP);
  restoreAltStack(task, view, registers.unsigned(RSP));
  return 0;
}

/** Whether a stack pointer lies on the alternate stack (a disarmed one is never in use). */
export function isOnAltStack(task: Task, sp: number): boolean {
  return (task.altStackFlags & SS_AUTODISARM) === 0 && sp > task.altStackBase && sp - task.altStackBase <= task.altStackSize;
}
/** ss_flags as sigaltstack(2) reports them. */
export function altStackState(task: Task, sp: number): number {
  if (task.altStackSize === 0) return SS_DISABLE;
  return ((isOnAltStack(task, sp) ? SS_ONSTACK : 0) | (task.altStackFlags & SS_AUTODISARM)) >>> 0;
}

function writeUcontext(kernel: Kernel, task: Task, info: SignalInfo, view: DataView, at: number, fpstate: number, sp: number): void {
  const { registers } = kernel.cpu;
  putAddress(view, at + UC_FLAGS, UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS);
  putAddress(view, at + UC_STACK_SP, task.altStackBase);
  view.setUint32(at + UC_STACK_FLAGS, altStackState(task, sp), true);
  putAddress(view, at + UC_STACK_SIZE, task.altStackSize);
  const context = at + UC_MCONTEXT;
  MCONTEXT_REGISTERS.forEach((register, index) => {
    view.setUint32(context + index * 8, registers.low(register), true);
    view.setUint32(context + index * 8 + 4, registers.high(register), true);
  });
  view.setUint32(context + MC_RIP, registers.ripLow, true);
  view.setUint32(context + MC_RIP + 4, registers.ripHigh, true);
  putAddress(view, context + MC_EFLAGS, registers.rflags);
  view.setUint16(context + MC_CS, USER_CS, true);
  view.setUint16(context + MC_SS, USER_SS, true);
  const mask = task.savedMask ?? task.blocked;
  if (info.trap !== undefined) {
    putAddress(view, context + MC_ERR, info.trap.error);
    putAddress(view, context + MC_TRAPNO, info.trap.vector);
    putAddress(view, context + MC_CR2, info.trap.cr2);
  } else {
    // Linux shows the thread's last fault here even for other signals (thread.trap_nr, thread.cr2).
    putAddress(view, context + MC_ERR, task.lastTrap.error);
    putAddress(view, context + MC_TRAPNO, task.lastTrap.vector);
    putAddress(view, context + MC_CR2, task.lastTrap.cr2);
  }
  view.setUint32(context + MC_OLDMASK, mask.low, true);
  view.setUint32(context + MC_OLDMASK + 4, mask.high, true);
  putAddress(view, context + MC_FPSTATE, fpstate);
  view.setUint32(at + UC_SIGMASK, mask.low, true);
  view.setUint32(at + UC_SIGMASK + 4, mask.high, true);
}

/** sigreturn puts the alternate stack back as the frame has it; errors are ignored, as Linux ignores them. */
function restoreAltStack(task: Task, view: DataView, sp: number): void {
  const flags = view.getUint32(UC_STACK_FLAGS, true);
  const size = getAddress(view, UC_STACK_SIZE);
  if (isOnAltStack(task, sp)) return;
  if ((flags & SS_DISABLE) !== 0) {
    task.altStackBase = task.altStackSize = task.altStackFlags = 0;
  } else if (size >= MINSIGSTKSZ) {
    task.altStackBase = getAddress(view, UC_STACK_SP);
    task.altStackSize = size;
    task.altStackFlags = (flags & SS_AUTODISARM) >>> 0;
  }
}

const floorTo = (value: number, unit: number): number => value - (((value % unit) + unit) % unit);
function putAddress(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32) >>> 0, true);
}
function getAddress(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}
