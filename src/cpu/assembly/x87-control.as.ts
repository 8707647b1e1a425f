/** Stack moves and control: FST ST(i), FXCH, FCMOVcc, FFREE, FINCSTP, FDECSTP, FNINIT, FNCLEX, FLDCW, status and tag words, and the
 *  register part of the environment and state images. */
import { SCRATCH_A, X87_CONTROL, X87_INSTRUCTION, X87_OPCODE, X87_OPERAND, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID } from "../state";
import { ALL_EXCEPTIONS } from "./environment.as";
import { setDefaultNaN, setResult, signExponent, significand } from "./x87-format.as";
import { quickExchange, quickMove } from "./x87-quick.as";
import {
  addressOf, beginX87, C1, copyToResult, endX87, isEmpty, keepConditionOne, pop, setEmpty, setStatusBits, setTop, setValid, significandAt,
  signExponentAt, statusBits, storeResult, summarize, top, underflowStack,
} from "./x87-stack.as";

/** FST(P) ST(i). */
export function x87_move(i: i32, pops: i32): void {
  if (quickMove(i, pops)) return;
  beginX87();
  if (isEmpty(0)) underflowStack();
  else copyToResult(0);
  if (!endX87()) return;
  storeResult(i);
  if (pops != 0) pop();
}

/** FCMOVcc: both registers are looked at whether or not the condition holds. */
export function x87_conditional_move(i: i32, condition: i32): void {
  beginX87();
  keepConditionOne();
  if (isEmpty(0) || isEmpty(i)) {
    underflowStack();
    condition = 1;
  } else {
    copyToResult(i);
  }
  if (endX87() && condition != 0) storeResult(0);
}

/** FXCH: an empty register takes part as the default NaN when invalid operations are masked. */
export function x87_exchange(i: i32): void {
  if (quickExchange(i)) return;
  beginX87();
  const emptyTop = isEmpty(0), emptyOther = isEmpty(i);
  if (emptyTop || emptyOther) underflowStack();
  if (!endX87()) return;
  const m = significandAt(0), se = signExponentAt(0);
  if (emptyOther) setDefaultNaN();
  else copyToResult(i);
  storeResult(0);
  if (emptyTop) setDefaultNaN();
  else setResult(m, se);
  storeResult(i);
}

/** FFREE ST(i); with a pop, FFREEP. C1 becomes 0. */
export function x87_free(i: i32, pops: i32): void {
  setEmpty(i);
  setStatusBits(statusBits() & ~C1);
  if (pops != 0) pop();
}

/** FINCSTP and FDECSTP for +1 and -1: the top moves, tags stay, C1 becomes 0. */
export function x87_rotate(by: i32): void {
  setTop(top() + by);
  setStatusBits(statusBits() & ~C1);
}

export function x87_init(): void {
  store<u16>(X87_CONTROL, 0x37f);
  store<u16>(X87_STATUS, 0);
  store<u16>(X87_TOP, 0);
  store<u16>(X87_VALID, 0);
  store<u16>(X87_OPCODE, 0);
  store<u64>(X87_INSTRUCTION, 0);
  store<u64>(X87_OPERAND, 0);
}

/** FNCLEX: exception flags, SF, ES and B. */
export function x87_clear_exceptions(): void {
  setStatusBits(statusBits() & 0x7f00);
}

/** FLDCW: may make pending what was masked, or the other way round. */
export function x87_set_control(value: i32): void {
  store<u16>(X87_CONTROL, <u16>((value & 0x1f3f) | 0x40));
  summarize();
}

/** Takes a status word with TOP. ES and B follow from the control word, whatever the image says. */
export function x87_set_status(value: i32): void {
  setTop((value >> 11) & 7);
  setStatusBits(value & ~0x3800);
  summarize();
}

/** The full tag word, derived: 0 valid, 1 zero, 2 special, 3 empty, two bits for each physical register. */
export function x87_tag_word(): i32 {
  if (load<u16>(X87_VALID) == 0) return 0xffff;
  let word = 0;
  for (let r = 7; r >= 0; r--) word = (word << 2) | tagOf(r);
  return word;
}

function tagOf(r: i32): i32 {
  if (((<i32>load<u16>(X87_VALID) >> r) & 1) == 0) return 3;
  const address = <usize>X87_REGISTERS + ((<usize>r) << 4);
  const m = load<u64>(address);
  const biased = load<u16>(address, 8) & 0x7fff;
  if (biased == 0 && m == 0) return 1;
  return biased == 0 || biased == 0x7fff || m >> 63 == 0 ? 2 : 0;
}

/** FLDENV. Of the full tag word only "empty" is believed, the rest is derived from contents. */
export function x87_set_environment(control: i32, status: i32, tags: i32): void {
  store<u16>(X87_CONTROL, <u16>((control & 0x1f3f) | 0x40));
  x87_set_status(status);
  let valid = 0;
  if (tags != 0xffff) {
    for (let r = 0; r < 8; r++) {
      if (((tags >> (2 * r)) & 3) != 3) valid |= 1 << r;
    }
  }
  store<u16>(X87_VALID, <u16>valid);
}

/** ST(i) as 10 bytes to SCRATCH_A, the upper 6 zero, empty or not; and back, without touching tags. */
export function x87_get_register(i: i32): void {
  store<u64>(SCRATCH_A, significandAt(i));
  store<u64>(SCRATCH_A, signExponentAt(i), 8);
}

export function x87_set_register(i: i32): void {
  store<u64>(addressOf(i), load<u64>(SCRATCH_A));
  store<u16>(addressOf(i), load<u16>(SCRATCH_A, 8), 8);
}
