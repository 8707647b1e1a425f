/** The vocabulary in which instructions are given their meaning. One text, two engines: the cold engine's subclass takes operands
 *  from a decoded record, the JIT's knows them.
 *
 *  Values are immutable and typed by width. Integers of 8, 16 and 32 bits live in Wasm i32 (8 and 16 with unspecified upper bits
 *  until something needs them), 64 bits in i64, XMM in v128, a truth value has width 1.
 *  Order rule: whatever may fault (reads and writes of memory operands, loadAt, storeAt, exceptionIf) comes before the first
 *  register or flag is changed, so that a fault leaves the state of before (Intel SDM 3A §6.5, faults are restartable). */
import type { OperandSpec } from "./instructions/operands.ts";
import {
  FLAG_ADJUST, FLAG_CARRY, FLAG_DIRECTION, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO, FP_FAST, FP_FAST_MASK, GPR, MXCSR, MXCSR_FAST, MXCSR_FAST_BITS, gprAddress, vectorAddress,
} from "./state.ts";
import type { Graph, Label, Node, Variable } from "./wasm/graph.ts";
import { F32, F64, I32, I64, V128, type ValueType } from "./wasm/opcodes.ts";

export type { Label, Variable } from "./wasm/graph.ts";

/** How the upper bits of an 8- or 16-bit value in an i32 are filled. */
type Extension = "zero" | "sign" | "unknown";

export interface Value {
  readonly node: Node;
  /** 1 (truth value), 8, 16, 32, 64, 128; floats have type F32/F64 and width 32/64. */
  readonly width: number;
  readonly extension: Extension;
}

/** An operand as semantics see it: where it is, not what is in it. */
export interface Operand {
  readonly spec: OperandSpec;
  readonly width: number;
  readonly isMemory: boolean;
  /** Position in the operand list. */
  readonly position: number;
}

/** Condition codes in encoding order (SDM 1 appendix B): O NO B NB Z NZ BE A S NS P NP L NL LE G. */
export type Condition = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;
export type Count = Value | number;

/** How an arithmetic instruction does without a question about its result (jit/magnitude.ts). */
export interface MagnitudePlan {
  /** Whether the first and the second operand must be asked whether they are modest; the second is the only one of √ and conversions. */
  readonly asks: readonly boolean[];
}

export abstract class Builder {
  readonly flags: Flags;
  protected graph: Graph;
  constructor(graph: Graph) {
    this.graph = graph;
    this.flags = this.makeFlags();
  }
  protected makeFlags(): Flags {
    return new Flags(this);
  }

  // ---- what an engine supplies -------------------------------------------------------------------------------------------

  /** Reads a register, memory or immediate operand at its width. XMM operands give v128 at width 128, else the low bits as an integer. */
  abstract read(operand: Operand): Value;
  /** The same as a float: F64 for 64-bit operands, F32 for 32-bit ones. */
  abstract readFloat(operand: Operand): Value;
  /** Reads a destination that is written afterwards: memory must be writable. Follow with {@link write}. */
  abstract readModify(operand: Operand): Value;
  /** Writes an operand. A 32-bit write to a general register clears its upper half, 8 and 16 bits leave the rest.
   *  For XMM registers: 128 replaces all, 64 and 32 (integer or float) replace the low lane only. */
  abstract write(operand: Operand, value: Value): void;
  /** Writes the low lane of an XMM register operand and clears bits above (to bit 127), as loads from memory do. */
  abstract writeZeroExtended(operand: Operand, value: Value): void;
  /** Loads a memory operand of 32 or 64 bits into the low lane of an XMM register and clears the bits above. */
  abstract loadZeroExtended(dst: Operand, src: Operand): void;
  /** Both operands are known to be the same register, whose old value then does not matter to x ^ x. */
  areSame(_x: Operand, _y: Operand): boolean {
    return false;
  }
  /** Effective address without segment base, 64 bits (lea). */
  abstract effectiveAddress(operand: Operand): Value;
  /** Linear address of a memory operand: effective address plus segment base. */
  abstract linearAddress(operand: Operand): Value;
  /** Truth: the address-size prefix makes addresses and counts 32 bits wide. */
  abstract isAddress32(): Value;
  /** Loads from a linear address. Width 128 gives v128. */
  abstract loadAt(address: Value, width: number): Value;
  /** Stores to a linear address. */
  abstract storeAt(address: Value, value: Value): void;
  /** Checks that [address, address+bytes) can be written, without changing anything; for instructions with several stores. */
  abstract checkWritable(address: Value, bytes: number): void;
  /** The second immediate of `enter` (8 bits). */
  abstract secondImmediate(): Value;
  /** Address of the instruction after this one, 64 bits. */
  abstract nextRip(): Value;
  /** Address of this instruction, 64 bits. */
  abstract thisRip(): Value;
  /** Number of an `st` or register operand as a 32-bit value, for helpers that index state themselves. */
  abstract registerNumber(operand: Operand): Value;
  /** RAM address of a register operand as a 32-bit value. */
  abstract registerAddress(operand: Operand): Value;

  /** Leaves with a processor exception (faults: state of before the instruction). */
  abstract exception(vector: number): void;
  /** Leaves with a trap: RIP is the next instruction. */
  abstract trap(vector: number): void;
  abstract syscall(): void;
  abstract interrupt(vector: Operand): void;
  /** Direct jump to a relative target. */
  abstract jump(target: Operand): void;
  /** Jumps to `target` if `condition`, else goes on. */
  abstract branch(condition: Value, target: Operand): void;
  /** Indirect jump to a 64-bit address. @param require asks what must hold of it; not recorded where it is known to be that of code */
  abstract jumpIndirect(address: Value, require?: () => void): void;
  /** Direct call after the return address was pushed; tells the engine that a return will follow. */
  abstract call(target: Operand): void;
  abstract callIndirect(address: Value): void;
  /** Return to a popped address. */
  abstract ret(address: Value): void;

  /** Calls a function of the helper module (cpu/helpers.ts gives names and signatures). */
  abstract helper(name: string, ...args: Value[]): Value;
  abstract helperVoid(name: string, ...args: Value[]): void;
  /** Calls a TypeScript routine that works on the register file in RAM (rep string instructions, cpuid…); see cpu/services.ts.
   *  The routine says whether the instruction is done, faulted or must be resumed. */
  abstract service(name: string, argument: number): void;
  /** Leaves with #MF or #XM if a helper left an unmasked floating-point exception pending. Before any write. */
  abstract floatGuard(): void;

  // ---- floating point: what an engine may know ---------------------------------------------------------------------------

  /** {@link floatGuard} also leaves, with the state before the instruction, when a denormal operand or result was met. */
  readonly leavesAtDenormals: boolean = false;
  /** The engine keeps the x87 stack itself: it knows that no exception is pending, and pops. */
  get keepsStack(): boolean {
    return false;
  }
  /** Scalar helpers are called with floats (settle_… of cpu/helpers.ts), and settle what need not be computed again. */
  readonly callsWithFloats: boolean = false;
  /** The float in an operand's low bits is known not to be denormal, so it is *tame*: zero, normal, infinite or a NaN. */
  isTame(_operand: Operand, _width: 32 | 64): boolean {
    return false;
  }
  /** The same of all its lanes. */
  areTame(_operand: Operand, _width: 32 | 64): boolean {
    return false;
  }
  /** The float is known to be neither infinite nor a NaN. */
  isFinite(_operand: Operand, _width: 32 | 64): boolean {
    return false;
  }
  areFinite(_operand: Operand, _width: 32 | 64): boolean {
    return false;
  }
  /** Of the arithmetic instruction being recorded, when no question about its result is needed: divisors must not be zero all the same,
   *  operands of √ not negative. */
  get magnitudePlan(): MagnitudePlan | undefined {
    return undefined;
  }
  /** Leaves, with the state before the instruction: operands are not as the plan has asked. */
  /** The float has been asked before whether it is modest, or zero. */
  isModest(_float: Value): boolean {
    return false;
  }
  noteModest(_floats: readonly Value[]): void {}
  leaveForMagnitude(): void {
    throw new Error("no magnitudes are known");
  }
  /** FP_FAST: 0 or FP_FAST_MASK. */
  fastMask(): Value {
    return this.getState(FP_FAST, "i32.load");
  }
  /** Writes MXCSR, with what is derived from it (state.ts). Reserved bits are the caller's check. */
  setMxcsr(value: Value): void {
    const isFast = this.eq(this.and(value, this.constant(32, MXCSR_FAST_BITS)), this.constant(32, MXCSR_FAST));
    this.setState(MXCSR, value, "i32.store");
    this.setState(FP_FAST, this.select(isFast, this.constant(32, FP_FAST_MASK), this.constant(32, 0)), "i32.store");
  }
  /** What the bitmask of `count` lanes of ones is compared with: no lanes give it when the mode is not fast. */
  fastLanes(count: number): Value {
    return this.select(this.isNonZero(this.fastMask()), this.constant(32, 2 ** count - 1), this.constant(32, -1));
  }
  /** The 32 bits of a float that hold its sign and exponent. */
  topWord(float: Value): Value {
    if (float.width === 32) return this.op("i32.reinterpret_f32", float);
    return this.ofNode(this.graph.op("i32.wrap_i64", this.graph.op("i64.shr_u", this.graph.op("i64.reinterpret_f64", float.node), this.graph.i64(32))), 32);
  }

  // ---- state in RAM --------------------------------------------------------------------------------------------------------

  /** A state word: `type` is a load such as "i64.load" or "i32.load16_u". */
  getState(address: number, load = "i64.load"): Value {
    const node = this.graph.load(load, this.graph.i32(0), address);
    return this.ofNode(node, /load8/.test(load) ? 8 : /load16/.test(load) ? 16 : widthOf(node.type), "zero");
  }
  setState(address: number, value: Value, store = "i64.store"): void {
    this.graph.store(store, this.graph.i32(0), value.node, address);
  }
  /** Reads general register `register` (0…15), e.g. `reg(RCX, 8)`. */
  reg(register: number, width: number): Value {
    return this.loadState(gprAddress(register), width);
  }
  /** Writes general register `register` like an operand of the value's width. */
  setReg(register: number, value: Value): void {
    if (value.width === 32) this.setState(gprAddress(register), this.zext(value, 64));
    else this.setState(gprAddress(register), value, value.width === 8 ? "i32.store8" : value.width === 16 ? "i32.store16" : "i64.store");
  }
  /** AH, CH, DH or BH for 0…3. */
  highByte(register: number): Value {
    return this.loadState(GPR + register * 8 + 1, 8);
  }
  setHighByte(register: number, value: Value): void {
    this.setState(GPR + register * 8 + 1, value, "i32.store8");
  }
  vectorRegister(register: number): Value {
    return this.ofNode(this.graph.load("v128.load", this.graph.i32(0), vectorAddress(register)), 128);
  }
  setVectorRegister(register: number, value: Value): void {
    this.graph.store("v128.store", this.graph.i32(0), value.node, vectorAddress(register));
  }
  protected loadState(address: number, width: number): Value {
    const load = width === 8 ? "i32.load8_u" : width === 16 ? "i32.load16_u" : width === 32 ? "i32.load" : "i64.load";
    return this.ofNode(this.graph.load(load, this.graph.i32(0), address), width, "zero");
  }

  // ---- constants and widths -------------------------------------------------------------------------------------------------

  constant(width: number, value: number | bigint): Value {
    if (width === 64) return this.ofNode(this.graph.i64(value), 64);
    const masked = width === 32 ? Number(BigInt.asIntN(32, BigInt(value))) : Number(BigInt(value) & ((1n << BigInt(width)) - 1n));
    return this.ofNode(this.graph.i32(masked), width, "zero");
  }
  vectorConstant(low: bigint, high: bigint): Value {
    return this.ofNode(this.graph.v128(low, high), 128);
  }
  /** Zero-extends to a wider integer. */
  zext(x: Value, width: number): Value {
    if (width === x.width) return x;
    const narrow = this.zeroNode(x);
    if (width === 64) return this.ofNode(x.node.type === I64 ? narrow : this.graph.op("i64.extend_i32_u", narrow), 64);
    return this.ofNode(narrow, width, "zero");
  }
  /** Sign-extends to a wider integer. */
  sext(x: Value, width: number): Value {
    if (width === x.width) return x;
    const narrow = this.signNode(x);
    if (width === 64) return this.ofNode(this.graph.op("i64.extend_i32_s", narrow), 64);
    return this.ofNode(narrow, width, "sign");
  }
  /** The low `width` bits. */
  trunc(x: Value, width: number): Value {
    if (width === x.width) return x;
    const node = x.node.type === I64 ? this.graph.op("i32.wrap_i64", x.node) : x.node;
    return this.ofNode(node, width, "unknown");
  }

  // ---- integer arithmetic -----------------------------------------------------------------------------------------------------

  add(x: Value, y: Value): Value { return this.binary("add", x, y); }
  sub(x: Value, y: Value): Value { return this.binary("sub", x, y); }
  /** Low half of the product. */
  mul(x: Value, y: Value): Value { return this.binary("mul", x, y); }
  and(x: Value, y: Value): Value { return this.bitwise("and", x, y); }
  or(x: Value, y: Value): Value { return this.bitwise("or", x, y); }
  xor(x: Value, y: Value): Value { return this.bitwise("xor", x, y); }
  not(x: Value): Value {
    if (x.width === 1) return this.ofNode(this.graph.op("i32.eqz", x.node), 1, "zero");
    return this.binary("xor", x, this.constant(x.width, -1));
  }
  neg(x: Value): Value { return this.binary("sub", this.constant(x.width, 0), x); }
  /** Shifts by less than the Wasm type's width; the caller masks. Counts wrap at 32 (64 for 64-bit values). */
  shl(x: Value, count: Count): Value { return this.ofNode(this.graph.op(`${prefix(x)}.shl`, x.node, this.countNode(x, count)), x.width, "unknown"); }
  shrU(x: Value, count: Count): Value { return this.ofNode(this.graph.op(`${prefix(x)}.shr_u`, this.zeroNode(x), this.countNode(x, count)), x.width, "zero"); }
  shrS(x: Value, count: Count): Value { return this.ofNode(this.graph.op(`${prefix(x)}.shr_s`, this.signNode(x), this.countNode(x, count)), x.width, "sign"); }
  /** Rotates 32- and 64-bit values; narrower rotates are composed by the caller. */
  rotl(x: Value, count: Count): Value { return this.ofNode(this.graph.op(`${prefix(x)}.rotl`, x.node, this.countNode(x, count)), x.width); }
  rotr(x: Value, count: Count): Value { return this.ofNode(this.graph.op(`${prefix(x)}.rotr`, x.node, this.countNode(x, count)), x.width); }
  /** Leading zeros, trailing zeros (32- and 64-bit values; the width for 0) and population count (any width). */
  clz(x: Value): Value { return this.ofNode(this.graph.op(`${prefix(x)}.clz`, x.node), x.width); }
  ctz(x: Value): Value { return this.ofNode(this.graph.op(`${prefix(x)}.ctz`, x.node), x.width); }
  popcnt(x: Value): Value { return this.ofNode(this.graph.op(`${prefix(x)}.popcnt`, this.zeroNode(x)), x.width, "zero"); }
  /** Division of 32- and 64-bit values that the caller has checked (no zero divisor, no overflow). */
  divU(x: Value, y: Value): Value { return this.ofNode(this.graph.op(`${prefix(x)}.div_u`, this.zeroNode(x), this.zeroNode(y)), x.width, "unknown"); }
  divS(x: Value, y: Value): Value { return this.ofNode(this.graph.op(`${prefix(x)}.div_s`, this.signNode(x), this.signNode(y)), x.width, "unknown"); }
  remU(x: Value, y: Value): Value { return this.ofNode(this.graph.op(`${prefix(x)}.rem_u`, this.zeroNode(x), this.zeroNode(y)), x.width, "unknown"); }
  remS(x: Value, y: Value): Value { return this.ofNode(this.graph.op(`${prefix(x)}.rem_s`, this.signNode(x), this.signNode(y)), x.width, "unknown"); }
  /** High 64 bits of the unsigned product of two 64-bit values, from four 32-bit products. */
  mulHighU(x: Value, y: Value): Value {
    const low = (v: Value): Value => this.and(v, this.constant(64, 0xffffffffn));
    const xl = low(x), xh = this.shrU(x, 32), yl = low(y), yh = this.shrU(y, 32);
    const middle = this.add(this.mul(xh, yl), this.shrU(this.mul(xl, yl), 32));
    const cross = this.add(this.mul(xl, yh), low(middle));
    return this.add(this.add(this.mul(xh, yh), this.shrU(middle, 32)), this.shrU(cross, 32));
  }
  /** High 64 bits of the signed product. */
  mulHighS(x: Value, y: Value): Value {
    const u = this.mulHighU(x, y);
    return this.sub(this.sub(u, this.and(this.shrS(x, 63), y)), this.and(this.shrS(y, 63), x));
  }

  eq(x: Value, y: Value): Value { return this.compare("eq", x, y, x.extension === "sign" && y.extension === "sign"); }
  ne(x: Value, y: Value): Value { return this.compare("ne", x, y, x.extension === "sign" && y.extension === "sign"); }
  ltU(x: Value, y: Value): Value { return this.compare("lt_u", x, y, false); }
  leU(x: Value, y: Value): Value { return this.compare("le_u", x, y, false); }
  ltS(x: Value, y: Value): Value { return this.compare("lt_s", x, y, true); }
  leS(x: Value, y: Value): Value { return this.compare("le_s", x, y, true); }
  isZero(x: Value): Value { return this.truth(this.graph.op(`${prefix(x)}.eqz`, this.zeroNode(x))); }
  isNonZero(x: Value): Value { return this.not(this.isZero(x)); }
  isNegative(x: Value): Value { return this.ltS(x, this.constant(x.width, 0)); }
  /** One of two values of equal width. Both are evaluated. */
  select(condition: Value, whenTrue: Value, whenFalse: Value): Value {
    const extension = whenTrue.extension === whenFalse.extension ? whenTrue.extension : "unknown";
    return this.ofNode(this.graph.select(condition.node, whenTrue.node, whenFalse.node), whenTrue.width, extension);
  }

  // ---- floats and vectors: raw operators ---------------------------------------------------------------------------------------

  /** Applies a Wasm operator by name to values, e.g. `op("i16x8.add_sat_s", x, y)`. Results of comparisons are 32 bits wide.
   *  Never use it for float arithmetic whose result can be a NaN: see instructions/float.ts. */
  op(name: string, ...args: Value[]): Value {
    return this.ofNode(this.graph.op(name, ...args.map((a) => a.node)));
  }
  /** The same with lane immediates, e.g. `lane("i32x4.extract_lane", [2], x)`; extract_lane_u of narrow lanes gives 32 bits. */
  lane(name: string, lanes: readonly number[], ...args: Value[]): Value {
    return this.ofNode(this.graph.lane(name, lanes, ...args.map((a) => a.node)));
  }

  // ---- control inside one instruction --------------------------------------------------------------------------------------------

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.graph.if(condition.node, then, otherwise);
  }
  /** The same for what seldom happens. */
  ifUnlikely(condition: Value, then: () => void): void {
    this.graph.ifUnlikely(condition.node, then);
  }
  /** Does `then` when one of the conditions holds, each of which seldom does. */
  ifAnyUnlikely(conditions: readonly Value[], then: () => void): void {
    if (conditions.length > 0) this.graph.ifAnyUnlikely(conditions.map((c) => c.node), then);
  }
  block(body: (label: Label) => void): void { this.graph.block(body); }
  loop(body: (label: Label) => void): void { this.graph.loop(body); }
  breakTo(label: Label, condition?: Value): void { this.graph.br(label, condition?.node); }
  variable(initial: Value): Variable & { readonly width: number } {
    const variable = this.graph.variable(initial.node.type);
    this.graph.set(variable, initial.node);
    return { ...variable, width: initial.width };
  }
  get(variable: Variable & { readonly width: number }): Value { return this.ofNode(this.graph.get(variable), variable.width, "unknown"); }
  set(variable: Variable & { readonly width: number }, value: Value): void { this.graph.set(variable, value.node); }
  exceptionIf(condition: Value, vector: number): void {
    this.ifUnlikely(condition, () => this.exception(vector));
  }

  // ---- helpers of this class and its engines ----------------------------------------------------------------------------------------

  ofNode(node: Node, width = widthOf(node.type), extension: Extension = "unknown"): Value {
    return { node, width, extension };
  }
  truth(node: Node): Value {
    return { node, width: 1, extension: "zero" };
  }
  /** Node with upper bits zero. */
  zeroNode(x: Value): Node {
    if (x.width >= 32 || x.extension === "zero") return x.node;
    return this.graph.op("i32.and", x.node, this.graph.i32(x.width === 8 ? 0xff : x.width === 16 ? 0xffff : 1));
  }
  /** Node with upper bits copies of the sign. */
  signNode(x: Value): Node {
    if (x.width >= 32 || x.extension === "sign") return x.node;
    return this.graph.op(x.width === 8 ? "i32.extend8_s" : "i32.extend16_s", x.node);
  }
  /** Sign-extended to 64 bits: the form of the flag words. */
  word(x: Value): Value {
    return this.sext(x, 64);
  }

  private binary(name: string, x: Value, y: Value): Value {
    requireSame(x, y);
    return this.ofNode(this.graph.op(`${prefix(x)}.${name}`, x.node, y.node), x.width, "unknown");
  }
  private bitwise(name: "and" | "or" | "xor", x: Value, y: Value): Value {
    requireSame(x, y);
    let extension: Extension = x.extension === y.extension ? x.extension : "unknown";
    if (name === "and" && (x.extension === "zero" || y.extension === "zero")) extension = "zero";
    return this.ofNode(this.graph.op(`${prefix(x)}.${name}`, x.node, y.node), x.width, extension);
  }
  private compare(name: string, x: Value, y: Value, signed: boolean): Value {
    requireSame(x, y);
    const [a, b] = signed ? [this.signNode(x), this.signNode(y)] : [this.zeroNode(x), this.zeroNode(y)];
    return this.truth(this.graph.op(`${prefix(x)}.${name}`, a, b));
  }
  private countNode(x: Value, count: Count): Node {
    if (typeof count === "number") return x.node.type === I64 ? this.graph.i64(count) : this.graph.i32(count);
    const node = this.zeroNode(count);
    if (x.node.type === node.type) return node;
    return x.node.type === I64 ? this.graph.op("i64.extend_i32_u", node) : this.graph.op("i32.wrap_i64", node);
  }
}

/** The flag words of cpu/state.ts. An engine may know more about them (the JIT keeps the operands of the last comparison). */
export class Flags {
  protected readonly b: Builder;
  constructor(b: Builder) {
    this.b = b;
  }

  /** All six flags of x + y = sum. */
  add(x: Value, y: Value, sum: Value): void {
    const { b } = this;
    const a = b.word(x), r = b.word(sum);
    this.result(sum);
    this.carry(b.ltU(r, a));
    this.setOverflowWord(b.and(b.xor(a, r), b.xor(b.word(y), r)));
    this.setAdjust(x, y, sum);
  }
  /** All six flags of x − y = difference (sub, cmp, neg). */
  sub(x: Value, y: Value, difference: Value): void {
    const { b } = this;
    const a = b.word(x), c = b.word(y);
    this.result(difference);
    this.carry(b.ltU(a, c));
    this.setOverflowWord(b.and(b.xor(a, c), b.xor(a, b.word(difference))));
    this.setAdjust(x, y, difference);
  }
  /** x + y + carry: carry out of each bit is (x & y) | ((x | y) & ~sum). */
  addWithCarry(x: Value, y: Value, sum: Value): void {
    const { b } = this;
    const a = b.word(x), c = b.word(y), r = b.word(sum);
    this.result(sum);
    this.setCarryWord(b.or(b.and(a, c), b.and(b.or(a, c), b.not(r))));
    this.setOverflowWord(b.and(b.xor(a, r), b.xor(c, r)));
    this.setAdjust(x, y, sum);
  }
  /** x − y − borrow: borrow out of each bit is (~x & y) | (~(x ^ y) & difference). */
  subWithBorrow(x: Value, y: Value, difference: Value): void {
    const { b } = this;
    const a = b.word(x), c = b.word(y), r = b.word(difference);
    this.result(difference);
    this.setCarryWord(b.or(b.and(b.not(a), c), b.and(b.not(b.xor(a, c)), r)));
    this.setOverflowWord(b.and(b.xor(a, c), b.xor(a, r)));
    this.setAdjust(x, y, difference);
  }
  /** Flags of a logical result: CF, OF clear; AF (undefined) clear. */
  logic(result: Value): void {
    const zero = this.b.constant(64, 0);
    this.result(result);
    this.setCarryWord(zero);
    this.setOverflowWord(zero);
    this.setAdjustWord(zero);
  }
  /** inc and dec: all but CF, of x ± 1. */
  increment(x: Value, result: Value): void { this.step(x, result, 1); }
  decrement(x: Value, result: Value): void { this.step(x, result, -1); }
  private step(x: Value, result: Value, by: number): void {
    const { b } = this;
    const a = b.word(x), r = b.word(result);
    this.result(result);
    this.setOverflowWord(by > 0 ? b.and(b.not(a), r) : b.and(a, b.not(r)));
    this.setAdjust(x, b.constant(x.width, 1), result);
  }
  /** Sets flags by `set` if `condition`; what `set` computes must be defined in either case. */
  when(condition: Value, set: () => void): void {
    this.b.if(condition, set);
  }
  /** CF, ZF and PF from truth values, the others clear. */
  compared(carry: Value, zero: Value, parity: Value): void {
    const no = this.b.truth(this.b.constant(32, 0).node);
    this.replaceAll();
    this.carry(carry);
    this.zero(zero);
    this.parity(parity);
    this.overflow(no);
    this.sign(no);
    this.adjust(no);
  }
  /** COMIS and UCOMIS of two floats: ZF, PF, CF = unordered 111, less 001, equal 100, greater 000. */
  compareFloats(x: Value, y: Value): void {
    this.compared(this.floatCondition(2, x, y), this.floatCondition(4, x, y), this.floatCondition(10, x, y));
  }
  /** Truth of a condition on CF, ZF and PF right after {@link compareFloats}. */
  protected floatCondition(code: Condition, x: Value, y: Value): Value {
    const { b } = this;
    const is = (name: string): Value => b.truth(b.op(`f${x.width}.${name}`, x, y).node);
    switch (code) {
      case 2: return b.not(is("ge"));
      case 3: return is("ge");
      case 4: return b.not(b.or(is("lt"), is("gt")));
      case 5: return b.or(is("lt"), is("gt"));
      case 6: return b.not(is("gt"));
      case 7: return is("gt");
      case 10: return b.not(b.or(is("lt"), is("ge")));
      case 11: return b.or(is("lt"), is("ge"));
      default: throw new Error(`condition ${code} is not about floats`);
    }
  }
  /** Says that all six flags are about to be set one by one, so that none of the present ones is worth keeping. */
  replaceAll(): void {}
  /** ZF, SF and PF of a result. CF, OF and AF must be set behind it. */
  result(result: Value): void {
    const word = this.b.word(result);
    this.setWord(FLAG_ZERO, word);
    this.setWord(FLAG_SIGN, word);
    this.setWord(FLAG_PARITY, word);
  }
  /** Single flags from truth values. */
  carry(value: Value): void { this.setCarryWord(this.spread(value)); }
  overflow(value: Value): void { this.setOverflowWord(this.spread(value)); }
  zero(value: Value): void { this.setWord(FLAG_ZERO, this.b.zext(this.b.not(value), 64)); }
  sign(value: Value): void { this.setWord(FLAG_SIGN, this.spread(value)); }
  parity(value: Value): void { this.setWord(FLAG_PARITY, this.b.zext(this.b.not(value), 64)); }
  adjust(value: Value): void { this.setAdjustWord(this.b.shl(this.b.zext(value, 64), 4)); }
  /** Raw words: negative means set. */
  setCarryWord(word: Value): void { this.setWord(FLAG_CARRY, word); }
  setOverflowWord(word: Value): void { this.setWord(FLAG_OVERFLOW, word); }
  setAdjustWord(word: Value): void { this.setWord(FLAG_ADJUST, word); }

  isCarry(): Value { return this.b.isNegative(this.getWord(FLAG_CARRY)); }
  isZero(): Value { return this.b.isZero(this.getWord(FLAG_ZERO)); }
  isSign(): Value { return this.b.isNegative(this.getWord(FLAG_SIGN)); }
  isOverflow(): Value { return this.b.isNegative(this.getWord(FLAG_OVERFLOW)); }
  isParity(): Value {
    const { b } = this;
    const low = b.and(b.trunc(this.getWord(FLAG_PARITY), 32), b.constant(32, 0xff));
    return b.truth(b.isZero(b.and(b.popcnt(low), b.constant(32, 1))).node);
  }
  isAdjust(): Value { return this.b.isNonZero(this.b.and(this.getWord(FLAG_ADJUST), this.b.constant(64, 0x10))); }
  isDirection(): Value { return this.b.isNonZero(this.getWord(FLAG_DIRECTION)); }
  setDirection(value: Value): void { this.setWord(FLAG_DIRECTION, this.b.zext(value, 64)); }

  /** Truth of a condition code. */
  condition(code: Condition): Value {
    const { b } = this;
    const positive = this.evenCondition((code >> 1) as 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7);
    return (code & 1) === 1 ? b.not(positive) : positive;
  }
  private evenCondition(pair: number): Value {
    const { b } = this;
    const or = (x: Value, y: Value): Value => b.truth(b.or(x, y).node);
    // SF ≠ OF as one word: the sign bit of flagSign ^ flagOverflow.
    const less = (): Value => b.isNegative(b.xor(this.getWord(FLAG_SIGN), this.getWord(FLAG_OVERFLOW)));
    switch (pair) {
      case 0: return this.isOverflow();
      case 1: return this.isCarry();
      case 2: return this.isZero();
      case 3: return or(this.isCarry(), this.isZero());
      case 4: return this.isSign();
      case 5: return this.isParity();
      case 6: return less();
      default: return or(less(), this.isZero());
    }
  }

  getWord(address: number): Value { return this.b.getState(address); }
  setWord(address: number, word: Value): void { this.b.setState(address, word); }
  private setAdjust(x: Value, y: Value, result: Value): void {
    const { b } = this;
    const bits = b.xor(b.xor(x, y), result);
    this.setAdjustWord(bits.width === 64 ? bits : b.ofNode(b.zext(b.ofNode(bits.node, 32), 64).node, 64));
  }
  /** Truth value → 0 or −1 in 64 bits. */
  private spread(value: Value): Value {
    return this.b.neg(this.b.zext(value, 64));
  }
}

function prefix(x: Value): "i32" | "i64" {
  return x.node.type === I64 ? "i64" : "i32";
}
export function widthOf(type: ValueType): number {
  return type === I32 || type === F32 ? 32 : type === I64 || type === F64 ? 64 : type === V128 ? 128 : 0;
}
/** Wasm load of an integer or vector of `width` bits, zero-extended. */
export function loadName(width: number): string {
  switch (width) {
    case 8: return "i32.load8_u";
    case 16: return "i32.load16_u";
    case 32: return "i32.load";
    case 64: return "i64.load";
    case 128: return "v128.load";
    default: throw new Error(`no load of ${width} bits`);
  }
}
/** Wasm store of a value at its own width. */
export function storeName(value: Value): string {
  switch (value.node.type) {
    case I32: return value.width === 8 ? "i32.store8" : value.width === 16 ? "i32.store16" : "i32.store";
    case I64: return "i64.store";
    case F32: return "f32.store";
    case F64: return "f64.store";
    default: return "v128.store";
  }
}
function requireSame(x: Value, y: Value): void {
  if (x.width !== y.width || x.node.type !== y.node.type) throw new Error(`operands of ${x.width} and ${y.width} bits`);
}
