/** The stack (Intel SDM 2A/2B: PUSH POP PUSHF POPF ENTER LEAVE). Operands are 64 bits, or 16 with the operand-size prefix.
 *  Order: memory first, then rSP, so that a fault leaves the state of before. */
import type { Builder, Operand, Value } from "../builder.ts";
import { RBP, RIP, RSP, SCRATCH_A, SCRATCH_B } from "../state.ts";
import { instruction } from "./define.ts";

/** Stores below the stack and lowers rsp. */
export function push(b: Builder, value: Value): void {
  const top = b.sub(b.reg(RSP, 64), b.constant(64, value.width / 8));
  b.storeAt(top, value);
  b.setReg(RSP, top);
}
/** Loads the top of the stack; the caller raises rsp by `width / 8` when nothing can fault any more. */
export function peek(b: Builder, width: number): Value {
  return b.loadAt(b.reg(RSP, 64), width);
}
export function drop(b: Builder, bytes: number): void {
  b.setReg(RSP, b.add(b.reg(RSP, 64), b.constant(64, bytes)));
}

// The value is read before rsp changes: `push rsp` stores the old rsp, and [rsp + n] is addressed by it.
instruction("push", ["50+r   ov", "FF /6   rmv", "6A   is8", "68   iz"], { default64: true }, (b, src) => push(b, b.read(src)));

instruction("pop", ["58+r   ov"], { default64: true }, (b, dst) => {
  const x = peek(b, dst.width);
  drop(b, dst.width / 8); // before the write: `pop rsp` keeps what was popped
  b.write(dst, x);
});
instruction("pop", ["8F /0   rmv"], { default64: true }, (b, dst) => {
  const x = peek(b, dst.width);
  if (!dst.isMemory) {
    drop(b, dst.width / 8);
    b.write(dst, x);
    return;
  }
  // An address that uses rsp is computed after rsp was raised (SDM 2B, POP), but a fault of the store must find the old rsp.
  const before = b.reg(RSP, 64);
  drop(b, dst.width / 8);
  const address = b.linearAddress(dst);
  b.setReg(RSP, before);
  b.storeAt(address, x);
  drop(b, dst.width / 8);
});

// FS and GS are the only segment registers that 64-bit code can push and pop.
for (const [name, number, pushed, popped] of [["fs", 4, "0F A0", "0F A1"], ["gs", 5, "0F A8", "0F A9"]] as const) {
  for (const width of [16, 64]) {
    const prefix = width === 16 ? "66 W0 " : "";
    instruction(`push ${name}`, [`${prefix}${pushed}`], {}, (b) => {
      b.setState(SCRATCH_B, b.constant(32, number), "i32.store");
      b.service("read_segment", 0);
      push(b, b.zext(b.getState(SCRATCH_A, "i32.load16_u"), width));
    });
    instruction(`pop ${name}`, [`${prefix}${popped}`], {}, (b) => {
      b.setState(SCRATCH_A, b.zext(b.trunc(peek(b, width), 16), 32), "i32.store");
      b.setState(SCRATCH_B, b.constant(32, number), "i32.store");
      b.service("load_segment", 0);
      drop(b, width / 8);
    });
  }
}

for (const width of [16, 64]) {
  const prefix = width === 16 ? "66 W0 " : "";
  instruction("pushf", [`${prefix}9C`], {}, (b) => {
    b.service("pushf", 0);
    push(b, b.getState(SCRATCH_A, width === 16 ? "i32.load16_u" : "i64.load"));
  });
  instruction("popf", [`${prefix}9D`], { exact: true }, (b) => {
    b.setState(SCRATCH_A, b.zext(peek(b, width), 64));
    b.service("popf", width);
    drop(b, width / 8);
    b.setState(RIP, b.nextRip());
    b.service("trace", 0); // TF takes effect after the next instruction
  });
  instruction("leave", [`${prefix}C9`], {}, (b) => {
    const frame = b.reg(RBP, 64);
    const saved = b.loadAt(frame, width);
    b.setReg(RSP, b.add(frame, b.constant(64, width / 8)));
    b.setReg(RBP, saved);
  });
  instruction("enter", [`${prefix}C8   i16, i8`], {}, (b, size, level) => enter(b, size, level, width));
}

/** enter n, level: pushes rBP, copies level − 1 frame pointers of the caller, pushes the new one, and makes room for n bytes. */
function enter(b: Builder, size: Operand, _level: Operand, width: number): void {
  const step = b.constant(64, width / 8);
  const level = b.and(b.zext(b.secondImmediate(), 32), b.constant(32, 31));
  const frame = b.sub(b.reg(RSP, 64), step);
  const pushed = b.mul(b.zext(level, 64), step);
  const room = b.zext(b.read(size), 64);
  const last = b.sub(b.sub(frame, pushed), room);
  // The final stack pointer must be writable too (SDM 2A, ENTER), and nothing may be stored before everything can be.
  b.checkWritable(last, 1);
  b.checkWritable(b.sub(frame, pushed), width / 8);
  const saved = b.reg(RBP, width);
  b.storeAt(frame, saved);
  b.if(b.isNonZero(level), () => {
    const to = b.variable(b.sub(frame, step));
    const from = b.variable(b.sub(b.reg(RBP, 64), step));
    const left = b.variable(b.sub(level, b.constant(32, 1)));
    b.block((done) =>
      b.loop((again) => {
        b.breakTo(done, b.isZero(b.get(left)));
        b.storeAt(b.get(to), b.loadAt(b.get(from), width));
        b.set(to, b.sub(b.get(to), step));
        b.set(from, b.sub(b.get(from), step));
        b.set(left, b.sub(b.get(left), b.constant(32, 1)));
        b.breakTo(again);
      }),
    );
    b.storeAt(b.get(to), b.trunc(frame, width));
  });
  if (width === 64) b.setReg(RBP, frame);
  else b.setReg(RBP, b.trunc(frame, 16));
  b.setReg(RSP, last);
}
