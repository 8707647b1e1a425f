/** Control transfer (Intel SDM 2A/2B: JMP CALL RET Jcc LOOPcc JRCXZ SETcc, and the far forms of 64-bit user code).
 *  Near branches have 64-bit operands; the operand-size prefix is ignored, as Intel processors do. */
import type { Builder, Condition, Operand, Value } from "../builder.ts";
import { VECTOR_GP } from "../exit.ts";
import { RCX, RIP, RSP, SCRATCH_A } from "../state.ts";
import { CONDITIONS, opcodeText } from "./conditions.ts";
import { instruction } from "./define.ts";
import { peek, push } from "./stack.ts";

const jump = { endsBlock: true } as const;
const conditional = { endsBlock: true, conditional: true } as const;
/** Selectors of 64-bit user code and of user data in Linux's descriptor table. */
const USER_CODE_SELECTOR = 0x33;
const USER_DATA_SELECTOR = 0x2b;

instruction("jmp", ["EB   rel8", "E9   relz"], jump, (b, target) => b.jump(target));
/** A target that is not canonical is the fault of the branch, #GP before anything changes (SDM 2A, CALL, JMP; 2B, RET). */
function requireCanonical(b: Builder, target: Value): void {
  b.exceptionIf(b.ne(b.shrS(b.shl(target, 16), 16), target), VECTOR_GP);
}

instruction("jmp", ["FF /4   rm64"], jump, (b, operand) => {
  const target = b.read(operand);
  b.jumpIndirect(target, () => requireCanonical(b, target));
});

instruction("call", ["E8   relz"], jump, (b, target) => {
  push(b, b.nextRip());
  b.call(target);
});
instruction("call", ["FF /2   rm64"], jump, (b, operand) => {
  const target = b.read(operand);
  requireCanonical(b, target);
  push(b, b.nextRip());
  b.callIndirect(target);
});

instruction("ret", ["C3"], jump, (b) => {
  const target = peek(b, 64);
  requireCanonical(b, target);
  b.setReg(RSP, b.add(b.reg(RSP, 64), b.constant(64, 8)));
  b.ret(target);
});
instruction("ret", ["C2   i16"], jump, (b, bytes) => {
  const target = peek(b, 64);
  requireCanonical(b, target);
  b.setReg(RSP, b.add(b.add(b.reg(RSP, 64), b.constant(64, 8)), b.zext(b.read(bytes), 64)));
  b.ret(target);
});

CONDITIONS.forEach((name, code) => {
  instruction(`j${name}`, [`${opcodeText(0x70, code)}   rel8`, `0F ${opcodeText(0x80, code)}   relz`], conditional, (b, target) => {
    b.branch(b.flags.condition(code as Condition), target);
  });
  instruction(`set${name}`, [`0F ${opcodeText(0x90, code)} /r   rm8`], {}, (b, dst) => {
    b.write(dst, b.ofNode(b.flags.condition(code as Condition).node, 8, "zero"));
  });
});

/** rCX after one iteration: ecx, with its upper half cleared, when the address size is 32. */
function countDown(b: Builder): Value {
  const less = b.sub(b.reg(RCX, 64), b.constant(64, 1));
  return b.select(b.isAddress32(), b.zext(b.trunc(less, 32), 64), less);
}
instruction("loop", ["E2   rel8"], conditional, (b, target) => {
  const count = countDown(b);
  b.setReg(RCX, count);
  b.branch(b.isNonZero(count), target);
});
instruction("loope", ["E1   rel8"], conditional, (b, target) => {
  const count = countDown(b);
  b.setReg(RCX, count);
  b.branch(b.truth(b.and(b.isNonZero(count), b.flags.isZero()).node), target);
});
instruction("loopne", ["E0   rel8"], conditional, (b, target) => {
  const count = countDown(b);
  b.setReg(RCX, count);
  b.branch(b.truth(b.and(b.isNonZero(count), b.not(b.flags.isZero())).node), target);
});
instruction("jrcxz", ["E3   rel8"], conditional, (b, target) => {
  const full = b.reg(RCX, 64);
  b.branch(b.isZero(b.select(b.isAddress32(), b.zext(b.trunc(full, 32), 64), full)), target);
});

/** A far transfer can only stay in 64-bit user code: any other selector is outside what user mode may load here, #GP. */
function requireUserCode(b: Builder, selector: Value): void {
  const low = b.zext(b.trunc(selector, 16), 32);
  b.exceptionIf(b.ne(low, b.constant(32, USER_CODE_SELECTOR)), VECTOR_GP);
}

for (const [prefix, width] of [["66 W0 ", 16], ["REX.W ", 64], ["", 32]] as const) {
  const bytes = width / 8;
  const popFar = (b: Builder): Value => {
    const target = b.zext(peek(b, width), 64);
    requireUserCode(b, b.loadAt(b.add(b.reg(RSP, 64), b.constant(64, bytes)), width));
    requireCanonical(b, target);
    return target;
  };
  instruction("retf", [`${prefix}CB`], jump, (b) => {
    const target = popFar(b);
    b.setReg(RSP, b.add(b.reg(RSP, 64), b.constant(64, 2 * bytes)));
    b.ret(target);
  });
  instruction("retf", [`${prefix}CA   i16`], jump, (b, extra) => {
    const target = popFar(b);
    b.setReg(RSP, b.add(b.add(b.reg(RSP, 64), b.constant(64, 2 * bytes)), b.zext(b.read(extra), 64)));
    b.ret(target);
  });
  // In 64-bit mode iret always pops SS:rSP (SDM 2A, IRET).
  instruction("iret", [`${prefix}CF`], { ...jump, exact: true }, (b) => {
    const slot = (n: number): Value => b.loadAt(b.add(b.reg(RSP, 64), b.constant(64, n * bytes)), width);
    const target = b.zext(slot(0), 64), selector = slot(1), flags = slot(2), stack = slot(3), stackSelector = slot(4);
    requireUserCode(b, selector);
    const data = b.zext(b.trunc(stackSelector, 16), 32);
    b.exceptionIf(b.ne(data, b.constant(32, USER_DATA_SELECTOR)), VECTOR_GP);
    requireCanonical(b, target);
    b.setState(SCRATCH_A, b.zext(flags, 64));
    b.service("popf", width);
    b.setReg(RSP, b.zext(stack, 64));
    b.setState(RIP, target);
    b.service("trace", 0);
    b.jumpIndirect(target);
  });
  const loadFarPointer = (b: Builder, pointer: Operand): Value => {
    const address = b.linearAddress(pointer);
    const selector = b.loadAt(b.add(address, b.constant(64, bytes)), 16);
    const target = b.zext(b.loadAt(address, width), 64);
    requireUserCode(b, selector);
    requireCanonical(b, target);
    return target;
  };
  instruction("jmp", [`${prefix}FF /5   m`], jump, (b, pointer) => {
    const target = loadFarPointer(b, pointer);
    b.jumpIndirect(target);
  });
  instruction("call", [`${prefix}FF /3   m`], jump, (b, pointer) => {
    const target = loadFarPointer(b, pointer);
    const top = b.sub(b.reg(RSP, 64), b.constant(64, 2 * bytes));
    b.checkWritable(top, 2 * bytes);
    b.storeAt(b.add(top, b.constant(64, bytes)), b.constant(width, USER_CODE_SELECTOR));
    b.storeAt(top, b.trunc(b.nextRip(), width));
    b.setReg(RSP, top);
    b.callIndirect(target);
  });
}
