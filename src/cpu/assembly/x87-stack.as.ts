/** x87 state in RAM (cpu/state.ts): the register stack, control and status words, and how an operation begins and ends.
 *
 *  An operation calls beginX87, works on the result of x87-format.ts, and ends with endX87, which says whether the result may
 *  be stored: an unmasked IE, DE or ZE leaves registers and stack as they were (Intel SDM 1, 8.5). Unmasked exceptions are
 *  delivered by the next waiting instruction, which looks at ES; nothing here sets FP_NOTICE. */
import { X87_CONTROL, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID } from "../state";
import { ALL_EXCEPTIONS, BEFORE_COMPUTATION, INVALID, masks, openEnvironment, raise, raised } from "./environment.as";
import { conditionOne, setDefaultNaN, setLoadedDenormal, setResult, setRoundedUp, signExponent, significand } from "./x87-format.as";

//   status  15 14  13…11  10 9  8   7   6   5…0            control  11…10    9…8        5…0
//           B  C3  (TOP)  C2 C1 C0  ES  SF  PE…IE                   rounding precision  masks
export const C0: i32 = 0x0100;
export const C1: i32 = 0x0200;
export const C2: i32 = 0x0400;
export const C3: i32 = 0x4000;
const STACK_FAULT: i32 = 0x40;
/** ES and B, which mirror each other since the 387. */
const SUMMARY: i32 = 0x8080;

let stackFault: bool = false;

export function statusBits(): i32 { return load<u16>(X87_STATUS); }
export function setStatusBits(bits: i32): void { store<u16>(X87_STATUS, <u16>bits); }
export function controlBits(): i32 { return load<u16>(X87_CONTROL); }

/** Significand bits that precision control asks for; the reserved setting 1 means 64. */
export function precisionControl(): i32 {
  const pc = (controlBits() >> 8) & 3;
  return pc == 0 ? 24 : pc == 2 ? 53 : 64;
}

export function beginX87(): void {
  const control = controlBits();
  openEnvironment((control >> 10) & 3, control & ALL_EXCEPTIONS, false, false);
  setRoundedUp(false);
  setLoadedDenormal(false);
  stackFault = false;
}

/** For the few operations that leave C1 alone unless the stack faults. */
export function keepConditionOne(): void {
  setRoundedUp((statusBits() & C1) != 0);
}

/** Makes ES and B follow from flags and masks. */
export function summarize(): void {
  const status = statusBits() & ~SUMMARY;
  const pending = status & ~controlBits() & ALL_EXCEPTIONS;
  setStatusBits(pending != 0 ? status | SUMMARY : status);
}

/** Whether the exceptions found in the operands allow a result. */
export function mayProceed(): bool {
  return (raised & ~masks & BEFORE_COMPUTATION) == 0;
}

/** Sets flags and C1, keeping the other condition codes. Says whether the result may be stored. */
export function endX87(): bool {
  let status = statusBits() & ~C1;
  if (conditionOne) status |= C1;
  if (stackFault) status |= STACK_FAULT;
  setStatusBits(status | raised);
  summarize();
  return mayProceed();
}

/** Stack underflow: an empty register was to be read. The masked answer is the default NaN. */
export function underflowStack(): void {
  raise(INVALID);
  stackFault = true;
  setRoundedUp(false);
  setDefaultNaN();
}

/** Stack overflow: a push onto a register that is not empty. */
export function overflowStack(): void {
  raise(INVALID);
  stackFault = true;
  setRoundedUp(true);
  setDefaultNaN();
}

export function top(): i32 { return load<u16>(X87_TOP); }
export function setTop(value: i32): void { store<u16>(X87_TOP, <u16>(value & 7)); }

function physical(i: i32): i32 { return (top() + i) & 7; }
/** RAM address of ST(i). */
export function addressOf(i: i32): usize { return <usize>X87_REGISTERS + ((<usize>physical(i)) << 4); }
function validBits(): i32 { return load<u16>(X87_VALID); }
export function isEmpty(i: i32): bool { return ((validBits() >> physical(i)) & 1) == 0; }
export function significandAt(i: i32): u64 { return load<u64>(addressOf(i)); }
export function signExponentAt(i: i32): i32 { return load<u16>(addressOf(i), 8); }

function setValidBits(bits: i32): void { store<u16>(X87_VALID, <u16>bits); }
export function setValid(i: i32): void { setValidBits(validBits() | (1 << physical(i))); }
export function setEmpty(i: i32): void { setValidBits(validBits() & ~(1 << physical(i))); }

/** Writes the result to ST(i). */
export function storeResult(i: i32): void {
  const address = addressOf(i);
  store<u64>(address, significand);
  store<u16>(address, <u16>signExponent, 8);
  setValid(i);
}

/** Copies ST(i) to the result as it is. */
export function copyToResult(i: i32): void {
  setResult(significandAt(i), signExponentAt(i));
}

/** The register under the top is free for a push; else raises stack overflow. */
export function checkPush(): bool {
  if (isEmpty(-1)) return true;
  overflowStack();
  return false;
}

export function pushResult(): void {
  setTop(top() - 1);
  storeResult(0);
}

export function pop(): void {
  setEmpty(0);
  setTop(top() + 1);
}

/** Condition codes C3, C2 and C0; C1 is not touched. */
export function setConditions(bits: i32): void {
  setStatusBits((statusBits() & ~(C3 | C2 | C0)) | bits);
}
