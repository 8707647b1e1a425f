/** prctl(2), arch_prctl(2), personality(2): knobs of one thread or process. */
import { EINVAL, EPERM } from "../../abi/linux/errno.ts";
import * as PR from "../../abi/linux/prctl.ts";
import { SIGNAL_COUNT } from "../../abi/linux/signal.ts";
import { bytesToString, stringToBytes } from "../../fs/names.ts";
import type { Call } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { hex, oneOf, partial, sys, type Row } from "./define.ts";

/** comm with its NUL. */
const NAME_BYTES = 16;
const LAST_CAPABILITY = 40;
const DEFAULT_SLACK = 50_000;
/** TSC may be read (PR_GET_TSC). */
const PR_TSC_ENABLE = 1;
const USER_END = 2 ** 47;

function prctl(call: Call, option: number, a: number, b: number, c: number, d: number): number {
  const { task } = call;
  const { process } = task;
  switch (option) {
    case PR.PR_SET_PDEATHSIG:
      if (a > SIGNAL_COUNT) return -EINVAL;
      task.parentDeathSignal = a;
      return 0;
    case PR.PR_GET_PDEATHSIG:
      return call.writeU32(a, task.parentDeathSignal);
    case PR.PR_GET_DUMPABLE:
      return task.image.dumpable;
    case PR.PR_SET_DUMPABLE:
      if (a !== 0 && a !== 1) return -EINVAL;
      task.image.dumpable = a;
      return 0;
    case PR.PR_SET_NAME: {
      const name = readName(call, a);
      if (typeof name === "number") return name;
      task.name = name;
      return 0;
    }
    case PR.PR_GET_NAME: {
      const bytes = new Uint8Array(NAME_BYTES);
      bytes.set(stringToBytes(task.name).subarray(0, NAME_BYTES - 1));
      return call.copyOut(a, bytes);
    }
    case PR.PR_GET_KEEPCAPS:
    case PR.PR_GET_SECCOMP:
      return 0;
    case PR.PR_SET_KEEPCAPS:
      // Capabilities follow the effective uid; they cannot be kept.
      return a === 0 ? 0 : a === 1 ? -EPERM : -EINVAL;
    case PR.PR_CAPBSET_READ:
      return a > LAST_CAPABILITY ? -EINVAL : 1;
    case PR.PR_CAPBSET_DROP:
      return !isPrivileged(task.credentials) ? -EPERM : -EINVAL;
    case PR.PR_GET_TSC:
      return call.writeU32(a, PR_TSC_ENABLE);
    case PR.PR_SET_TIMERSLACK:
      task.timerSlack = a === 0 ? DEFAULT_SLACK : a;
      return 0;
    case PR.PR_GET_TIMERSLACK:
      return task.timerSlack;
    case PR.PR_SET_CHILD_SUBREAPER:
      process.subreaper = a !== 0;
      return 0;
    case PR.PR_GET_CHILD_SUBREAPER:
      return call.writeU32(a, process.subreaper ? 1 : 0);
    case PR.PR_SET_NO_NEW_PRIVS:
      if (a !== 1 || b !== 0 || c !== 0 || d !== 0) return -EINVAL;
      task.noNewPrivileges = true;
      return 0;
    case PR.PR_GET_NO_NEW_PRIVS:
      return a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : task.noNewPrivileges ? 1 : 0;
    case PR.PR_GET_TID_ADDRESS:
      return call.writeU64(a, task.clearChildTid);
    case PR.PR_GET_THP_DISABLE:
      return a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : 1;
    default:
      // PR_SET_VMA among them: names of anonymous memory need CONFIG_ANON_VMA_NAME, and allocators go without.
      return -EINVAL;
  }
}

/** Up to 15 bytes before a NUL; longer names are cut. Read byte by byte, for the name may end at the end of a mapping. */
function readName(call: Call, address: number): string | number {
  const name: number[] = [];
  const byte = new Uint8Array(1);
  while (name.length < NAME_BYTES - 1) {
    const read = call.copyIn(address + name.length, byte);
    if (read < 0) return read;
    if (byte[0] === 0) break;
    name.push(byte[0]);
  }
  return bytesToString(Uint8Array.from(name));
}

function archPrctl(call: Call, code: number, address: number): number {
  const { registers } = call.kernel.cpu;
  switch (code) {
    case PR.ARCH_SET_FS:
      if (address >= USER_END) return -EPERM;
      registers.fsBase = address;
      return 0;
    case PR.ARCH_SET_GS:
      if (address >= USER_END) return -EPERM;
      registers.gsBase = address;
      return 0;
    case PR.ARCH_GET_FS:
      return call.writeU64(address, registers.fsBase);
    case PR.ARCH_GET_GS:
      return call.writeU64(address, registers.gsBase);
    default:
      return -EINVAL;
  }
}

/** All bits are kept and reported; the layout is fixed anyway (ADDR_NO_RANDOMIZE is how it always is). */
function personality(call: Call, wish: number): number {
  const old = call.task.personality;
  const persona = wish % 0x1_0000_0000;
  if (persona !== 0xffff_ffff) call.task.personality = persona;
  return old;
}

const options = oneOf(Object.fromEntries(Object.entries(PR).filter(([name]) => name.startsWith("PR_") && name !== "PR_SET_VMA_ANON_NAME")));
const archOptions = oneOf(Object.fromEntries(Object.entries(PR).filter(([name]) => name.startsWith("ARCH_"))));

export const prctlCalls: readonly Row[] = [
  sys("prctl", { option: options, arg2: hex, arg3: hex, arg4: hex, arg5: hex }, prctl,
    partial("NAME, PDEATHSIG, DUMPABLE, CHILD_SUBREAPER, NO_NEW_PRIVS, TIMERSLACK, TID_ADDRESS")),
  sys("arch_prctl", { code: archOptions, addr: hex }, archPrctl, partial("FS and GS bases")),
  sys("personality", { persona: hex }, personality, partial("kept and reported")),
];
