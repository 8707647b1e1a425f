/** The builder whose operands are known: registers are Wasm locals, memory goes through range translations.
 *
 *  A memory access compares its address with a range held in locals (base, limit, delta); a miss calls out, which refills the range
 *  or, when the access is denied or a range had to be dropped, leaves the region with the state before the instruction.
 *  Everything leaves through one exit that stores registers and flags. */
import { Builder, loadName, type Operand, type Value, storeName, widthOf } from "../builder.ts";
import type { Decoded } from "../decode/decoder.ts";
import { EXIT_COLD_STEP, EXIT_CONTINUE, EXIT_EXCEPTION, EXIT_INTERRUPT, EXIT_SYSCALL, VECTOR_XM } from "../exit.ts";
import { helperSignatures, type HelperName } from "../helpers.ts";
import { RANGE_BASE } from "../../memory/physical-map.ts";
import {
  BOUNCE_WRITE, EXIT_BUDGET, EXIT_DETAIL, EXIT_KIND, EXIT_RECORD, FP_NOTICE, GPR, NOTICE_DENORMAL, NOTICE_EXCEPTION, RAX, RCX, RDI, RIP, RSI, VECTOR, VECTOR_STRIDE, ZERO, gprAddress, vectorAddress,
} from "../state.ts";
import { TRAP_FLAG } from "../cold/cold-builder.ts";
import type { Graph, Label, Node, Variable } from "../wasm/graph.ts";
import { F64, I32, I64, V128 } from "../wasm/opcodes.ts";
import { JitFlags } from "./flags.ts";
import { FloatMode, type FloatPlan } from "./float-mode.ts";
import type { Facts } from "./tame.ts";
import { RANGE_MAY_LEAVE } from "../translation.ts";
import { RANGE_CLASSES, RANGE_DELTA, RANGE_LIMIT, RANGE_SLOT_BYTES } from "../../memory/ranges.ts";

/** Bytes that one repeated string instruction handles inside a region. */
const MAX_REPEATED = 0x1_0000;
const CLASS_NONE = 16;
const CLASS_STACK = 4;
/** Exit kind that means: go on at RIP by way of the jump cache. */
const CHAIN = -1;
/** EXIT_KIND that means: what the floating-point helpers have left says why. */
const FLOAT = -2;

/** Function indices in the region's module. */
export interface JitImports {
  readonly rangeRead: number;
  readonly rangeWrite: number;
  readonly flushWrite: number;
  readonly checkWrite: number;
  readonly gotoAddress: number;
  readonly helper: (name: string) => number;
}

/** Thrown while recording an instruction that regions do not contain; see compile.ts. */
export class ColdOnly extends Error {}

export interface JitOperand extends Operand {
  readonly address: number;
}

interface RangeLocals { readonly slot: number; readonly base: Variable; readonly limit: Variable; readonly delta: Variable }

export class JitBuilder extends Builder {
  override readonly leavesAtDenormals: boolean;
  readonly #imports: JitImports;
  readonly #gpr: (Variable | undefined)[] = new Array(16);
  readonly #vector: (Variable | undefined)[] = new Array(16);
  readonly #gprWritten = new Set<number>();
  readonly #vectorWritten = new Set<number>();
  readonly #ranges = new Map<number, RangeLocals>();
  readonly #budget: Variable;
  readonly #exitKind: Variable;
  readonly #exitRip: Variable;
  #exit!: Label;
  #denied!: Label;
  #d!: Decoded;
  /** Instructions of the block that are not retired while this one runs (itself included). */
  #unretired = 0;
  #modifyHost: Variable | undefined;
  /** Memory accesses that the instruction has recorded. */
  #accesses = 0;
  /** Variables for host addresses that are free again. */
  readonly #hosts: Variable[] = [];
  /** How control flow between blocks is made; set by compile.ts. */
  onJump!: (target: number) => void;
  onIndirect!: (address: Value, isReturn: boolean) => void;

  readonly #float: FloatMode;
  /** A floating-point helper may have the region left. */
  #isGuarded = false;
  /** Where a float of the instruction was loaded from. */
  readonly #loaded = new Map<Node, Node>();

  constructor(graph: Graph, imports: JitImports, plan: FloatPlan) {
    super(graph);
    this.#float = new FloatMode(graph, plan);
    this.leavesAtDenormals = this.#float.leavesAtDenormals;
    this.#imports = imports;
    this.#budget = graph.parameter(1);
    this.#exitKind = graph.variable(I32);
    this.#exitRip = graph.variable(I64);
  }
  protected override makeFlags(): JitFlags {
    return new JitFlags(this, this.graph);
  }
  get jitFlags(): JitFlags {
    return this.flags as JitFlags;
  }

  // ---- frame of the function ---------------------------------------------------------------------------------------------------

  setExit(label: Label): void {
    this.#exit = label;
  }
  setDenied(label: Label): void {
    this.#denied = label;
  }
  /** Where denied accesses come together, with what did not retire in place of the exit kind: on to the exit with the callee's kind. */
  denied(): void {
    const { graph } = this;
    graph.set(this.#budget, graph.op("i32.add", graph.get(this.#budget), graph.get(this.#exitKind)));
    const kind = graph.load("i32.load", graph.i32(0), EXIT_KIND);
    graph.set(this.#exitKind, kind);
    if (!this.#isGuarded) return;
    graph.if(graph.op("i32.eq", kind, graph.i32(FLOAT)), () => {
      // An exception to deliver, or something that the cold engine must do.
      const notice = graph.load("i32.load", graph.i32(0), FP_NOTICE);
      const isException = graph.op("i32.and", notice, graph.i32(NOTICE_EXCEPTION));
      graph.set(this.#exitKind, graph.select(isException, graph.i32(EXIT_EXCEPTION), graph.i32(EXIT_COLD_STEP)));
      graph.store("i32.store", graph.i32(0), graph.i32(VECTOR_XM), EXIT_DETAIL);
      graph.store("i32.store", graph.i32(0), graph.op("i32.and", notice, graph.i32(~NOTICE_EXCEPTION)), FP_NOTICE);
    });
  }
  /** Loads what the region uses; recorded last, placed first. */
  prologue(): void {
    const { graph } = this;
    const zero = graph.i32(0);
    this.#gpr.forEach((variable, n) => {
      if (variable !== undefined) graph.set(variable, graph.load("i64.load", zero, gprAddress(n)));
    });
    this.#vector.forEach((variable, n) => {
      if (variable !== undefined) graph.set(variable, graph.load("v128.load", zero, vectorAddress(n)));
    });
    for (const range of this.#ranges.values()) this.#reload(range);
    this.#float.load();
    this.jitFlags.loadAll();
  }
  /** The one exit: stores what the region changed, then leaves or chains. */
  epilogue(): void {
    const { graph } = this;
    const zero = graph.i32(0);
    this.#storeRegisters();
    this.jitFlags.beginBlock(undefined);
    if (this.jitFlags.changed) this.jitFlags.storeAll();
    const rip = graph.get(this.#exitRip);
    graph.if(graph.op("i32.eq", graph.get(this.#exitKind), graph.i32(CHAIN)), () => graph.returnCall(this.#imports.gotoAddress, rip, graph.get(this.#budget)));
    graph.store("i64.store", zero, rip, RIP);
    graph.store("i32.store", zero, zero, EXIT_RECORD);
    graph.store("i32.store", zero, graph.get(this.#budget), EXIT_BUDGET);
    graph.return(graph.get(this.#exitKind));
  }
  /** Leaves before `start` when the budget does not reach for `count` instructions. */
  requireBudget(count: number, start: number): void {
    const { graph } = this;
    graph.ifUnlikely(graph.op("i32.lt_s", graph.get(this.#budget), graph.i32(count)), () => this.#leave(graph.i32(EXIT_CONTINUE), start));
  }
  /** Charges a block. */
  chargeBlock(count: number): void {
    const { graph } = this;
    graph.set(this.#budget, graph.op("i32.sub", graph.get(this.#budget), graph.i32(count)));
  }
  /** Names the instruction whose meaning is recorded next. */
  beginInstruction(decoded: Decoded, unretired: number): JitOperand[] {
    this.#d = decoded;
    this.#float.beginInstruction(decoded);
    this.#loaded.clear();
    this.#unretired = unretired;
    this.#modifyHost = undefined;
    this.#accesses = 0;
    return decoded.encoding.operands.map((spec, position) => ({
      spec, position, width: spec.width, address: decoded.registers[position],
      isMemory: decoded.isMemory && spec.allowsMemory,
    }));
  }
  /** Leaves the region for a known address outside it. */
  chainTo(address: number): void {
    this.#leave(this.graph.i32(CHAIN), address);
  }
  /** Leaves the region for a computed address. */
  chainToValue(address: Value): void {
    const { graph } = this;
    graph.set(this.#exitRip, address.node);
    graph.set(this.#exitKind, graph.i32(CHAIN));
    graph.br(this.#exit);
  }
  /** Leaves so that the cold engine runs the instruction at `address`. */
  leaveTo(address: number): void {
    this.#leave(this.graph.i32(EXIT_CONTINUE), address);
  }

  // ---- registers -----------------------------------------------------------------------------------------------------------------

  override reg(register: number, width: number): Value {
    const node = this.graph.get(this.#gprVariable(register));
    const full = this.ofNode(node, 64);
    return width === 64 ? full : this.trunc(full, width);
  }
  override setReg(register: number, value: Value): void {
    this.#setGpr(register, false, value);
  }
  override highByte(register: number): Value {
    return this.trunc(this.shrU(this.reg(register, 64), 8), 8);
  }
  override setHighByte(register: number, value: Value): void {
    this.#setGpr(register, true, value);
  }
  override vectorRegister(register: number): Value {
    return this.ofNode(this.graph.get(this.#vectorVariable(register)), 128);
  }
  override setVectorRegister(register: number, value: Value): void {
    this.#vectorWritten.add(register);
    this.graph.set(this.#vectorVariable(register), value.node);
  }
  override getState(address: number, load = "i64.load"): Value {
    this.#refuseCached(address);
    return super.getState(address, load);
  }
  override setState(address: number, value: Value, store = "i64.store"): void {
    this.#refuseCached(address);
    super.setState(address, value, store);
  }
  #refuseCached(address: number): void {
    if ((address >= GPR && address < ZERO) || (address >= VECTOR && address < VECTOR + 16 * VECTOR_STRIDE)) throw new ColdOnly("register file behind the locals");
  }
  #gprVariable(n: number): Variable {
    return (this.#gpr[n] ??= this.graph.variable(I64));
  }
  #vectorVariable(n: number): Variable {
    return (this.#vector[n] ??= this.graph.variable(V128));
  }
  #setGpr(register: number, high: boolean, value: Value): void {
    const variable = this.#gprVariable(register);
    this.#gprWritten.add(register);
    if (value.width === 64) this.graph.set(variable, value.node);
    else if (value.width === 32) this.graph.set(variable, this.zext(value, 64).node);
    else {
      const old = this.ofNode(this.graph.get(variable), 64);
      const mask = value.width === 16 ? 0xffffn : high ? 0xff00n : 0xffn;
      let bits = this.zext(value, 64);
      if (high) bits = this.shl(bits, 8);
      this.graph.set(variable, this.or(this.and(old, this.constant(64, ~mask)), bits).node);
    }
  }
  #storeRegisters(): void {
    const { graph } = this;
    const zero = graph.i32(0);
    for (const n of this.#gprWritten) graph.store("i64.store", zero, graph.get(this.#gprVariable(n)), gprAddress(n));
    for (const n of this.#vectorWritten) graph.store("v128.store", zero, graph.get(this.#vectorVariable(n)), vectorAddress(n));
  }

  // ---- operands ------------------------------------------------------------------------------------------------------------------

  read(operand: Operand): Value {
    const o = operand as JitOperand;
    if (o.spec.class === "imm") return this.#immediate(o.width);
    if (o.isMemory) return this.loadAt(this.#aligned(o), o.width, this.#class());
    if (o.spec.class === "gpr") {
      const offset = o.address - GPR;
      return (offset & 7) === 1 ? this.highByte(offset >> 3) : this.reg(offset >> 3, o.width);
    }
    if (o.spec.class === "xmm") {
      const whole = this.vectorRegister((o.address - VECTOR) / VECTOR_STRIDE);
      if (o.width === 128) return whole;
      if (o.width === 64) return this.ofNode(this.graph.lane("i64x2.extract_lane", [0], whole.node), 64);
      const low = this.graph.lane("i32x4.extract_lane", [0], whole.node);
      return this.ofNode(low, o.width);
    }
    // An MMX register; packed operations take it as the low half of a vector.
    const load = o.width === 128 ? "v128.load" : o.width === 64 ? "i64.load" : "i32.load";
    return this.ofNode(this.graph.load(load, this.graph.i32(0), o.address), o.width);
  }
  readFloat(operand: Operand): Value {
    const o = operand as JitOperand;
    const wide = o.width !== 32;
    if (o.isMemory) {
      const host = this.#hostForRead(this.linearAddress(o), this.#class(), o.width / 8);
      const loaded = this.ofNode(this.graph.load(wide ? "f64.load" : "f32.load", host), o.width);
      this.#loaded.set(loaded.node, host);
      return loaded;
    }
    const whole = this.vectorRegister((o.address - VECTOR) / VECTOR_STRIDE);
    return this.ofNode(this.graph.lane(wide ? "f64x2.extract_lane" : "f32x4.extract_lane", [0], whole.node), wide ? 64 : 32);
  }
  readModify(operand: Operand): Value {
    const o = operand as JitOperand;
    if (!o.isMemory) return this.read(o);
    const host = this.#hostForWrite(this.#aligned(o), this.#class(), o.width / 8);
    this.#modifyHost = host;
    return this.ofNode(this.graph.load(loadName(o.width), this.graph.get(host)), o.width, "zero");
  }
  write(operand: Operand, value: Value): void {
    const o = operand as JitOperand;
    const { graph } = this;
    if (o.isMemory) {
      const host = this.#modifyHost;
      if (host === undefined) {
        this.storeAt(this.#aligned(o), value, this.#class());
        return;
      }
      this.#modifyHost = undefined;
      graph.store(storeName(value), graph.get(host), value.node);
      this.#flushIfBounced(host);
      this.#hosts.push(host);
    } else if (o.spec.class === "gpr") {
      const offset = o.address - GPR;
      this.#setGpr(offset >> 3, (offset & 7) === 1, value);
    } else if (o.spec.class === "xmm") {
      const n = (o.address - VECTOR) / VECTOR_STRIDE;
      if (value.width === 128) this.setVectorRegister(n, value);
      else this.setVectorRegister(n, this.#replaceLow(this.vectorRegister(n), value));
    } else graph.store(storeName(value), graph.i32(0), value.node, o.address);
  }
  loadZeroExtended(dst: Operand, src: Operand): void {
    const host = this.#hostForRead(this.linearAddress(src), this.#class(), src.width / 8);
    this.writeZeroExtended(dst, this.ofNode(this.graph.load(src.width === 64 ? "v128.load64_zero" : "v128.load32_zero", host), 128));
  }
  override areSame(x: Operand, y: Operand): boolean {
    return !x.isMemory && !y.isMemory && (x as JitOperand).address === (y as JitOperand).address;
  }
  writeZeroExtended(operand: Operand, value: Value): void {
    const n = ((operand as JitOperand).address - VECTOR) / VECTOR_STRIDE;
    this.setVectorRegister(n, value.width === 128 ? value : this.#replaceLow(this.vectorConstant(0n, 0n), value));
  }
  #replaceLow(whole: Value, value: Value): Value {
    const { type } = value.node;
    const name = type === I32 ? "i32x4.replace_lane" : type === I64 ? "i64x2.replace_lane" : type === F64 ? "f64x2.replace_lane" : "f32x4.replace_lane";
    return this.ofNode(this.graph.lane(name, [0], whole.node, type === I32 ? this.zeroNode(value) : value.node), 128);
  }
  #immediate(width: number): Value {
    const d = this.#d;
    const bits = (BigInt(d.immHigh >>> 0) << 32n) | BigInt(d.immLow >>> 0);
    return this.constant(width, bits);
  }
  secondImmediate(): Value {
    return this.constant(8, this.#d.imm2);
  }
  effectiveAddress(operand: Operand): Value {
    void operand;
    const d = this.#d;
    const { graph } = this;
    let sum: Node | undefined;
    const displacement = (BigInt(d.dispHigh >>> 0) << 32n) | BigInt(d.dispLow >>> 0);
    if (d.base !== ZERO) sum = graph.get(this.#gprVariable((d.base - GPR) >> 3));
    if (d.index !== ZERO) {
      const index = graph.get(this.#gprVariable((d.index - GPR) >> 3));
      const scaled = d.scale === 0 ? index : graph.op("i64.shl", index, graph.i64(d.scale));
      sum = sum === undefined ? scaled : graph.op("i64.add", sum, scaled);
    }
    if (sum === undefined) sum = graph.i64(displacement);
    else if (displacement !== 0n) sum = graph.op("i64.add", sum, graph.i64(displacement));
    if (d.address32) sum = graph.op("i64.and", sum, graph.i64(0xffff_ffffn));
    return this.ofNode(sum, 64);
  }
  linearAddress(operand: Operand): Value {
    const effective = this.effectiveAddress(operand);
    if (this.#d.segment === ZERO) return effective;
    return this.add(effective, super.getState(this.#d.segment));
  }
  isAddress32(): Value {
    return this.truth(this.graph.i32(this.#d.address32 ? 1 : 0));
  }
  nextRip(): Value {
    return this.constant(64, BigInt(this.#d.nextRip));
  }
  thisRip(): Value {
    return this.constant(64, BigInt(this.#d.rip));
  }
  registerNumber(operand: Operand): Value {
    return this.constant(32, (operand as JitOperand).address);
  }
  registerAddress(operand: Operand): Value {
    const { address, spec } = operand as JitOperand;
    if (spec.class === "gpr" || spec.class === "xmm") throw new ColdOnly("address of a register that is a local");
    return this.constant(32, address);
  }

  // ---- memory ------------------------------------------------------------------------------------------------------------------------

  loadAt(address: Value, width: number, rangeClass = this.#implicitClass()): Value {
    const host = this.#hostForRead(address, rangeClass, width / 8);
    return this.ofNode(this.graph.load(loadName(width), host), width, "zero");
  }
  storeAt(address: Value, value: Value, rangeClass = this.#implicitClass()): void {
    const { graph } = this;
    const range = this.#range(RANGE_CLASSES + rangeClass);
    const name = storeName(value);
    graph.ifUnlikely(
      this.#outside(address, range),
      () => {
        const host = this.#takeHost();
        this.#miss(host, address, range, value.width / 8, this.#imports.rangeWrite);
        graph.store(name, graph.get(host), value.node);
        this.#flushIfBounced(host);
        this.#hosts.push(host);
      },
      () => graph.store(name, graph.op("i32.add", graph.op("i32.wrap_i64", address.node), graph.get(range.delta)), value.node),
    );
  }
  /** What a range covers may be written, up to 16 bytes on. */
  checkWritable(address: Value, bytes: number): void {
    const { graph } = this;
    const ask = (): void => this.#leaveIfDenied(graph.call(this.#imports.checkWrite, I32, graph.op("i32.wrap_i64", address.node), this.#high(address.node), graph.i32(bytes)));
    if (bytes > 16) ask();
    else graph.ifUnlikely(this.#outside(address, this.#range(RANGE_CLASSES + this.#implicitClass())), ask);
  }
  #class(): number {
    const { base, index } = this.#d;
    return base !== ZERO ? (base - GPR) >> 3 : index !== ZERO ? (index - GPR) >> 3 : CLASS_NONE;
  }
  #implicitClass(): number {
    const name = this.#d.encoding.mnemonic;
    // Operands of x87 instructions that are read or written in pieces.
    if (name.startsWith("f") && this.#d.isMemory) return this.#class();
    return /^(push|pop|call|ret|leave|enter)/.test(name) ? CLASS_STACK : CLASS_NONE;
  }
  #range(slot: number): RangeLocals {
    let range = this.#ranges.get(slot);
    if (range === undefined) {
      const { graph } = this;
      range = { slot, base: graph.variable(I64), limit: graph.variable(I64), delta: graph.variable(I32) };
      this.#ranges.set(slot, range);
    }
    return range;
  }
  #reload(range: RangeLocals): void {
    const { graph } = this;
    const zero = graph.i32(0);
    const at = RANGE_BASE + range.slot * RANGE_SLOT_BYTES;
    graph.set(range.base, graph.load("i64.load", zero, at));
    graph.set(range.limit, graph.load("i64.load", zero, at + RANGE_LIMIT));
    graph.set(range.delta, graph.load("i32.load", zero, at + RANGE_DELTA));
  }
  /** For a load that is recorded at once: the variable may be used again afterwards. */
  #hostForRead(address: Value, rangeClass: number, size: number): Node {
    const host = this.#host(address, this.#readRange(rangeClass), size, this.#imports.rangeRead);
    this.#hosts.push(host);
    return this.graph.get(host);
  }
  /** Stack pages that are read have been written: one slot serves both. */
  #readRange(rangeClass: number): RangeLocals {
    return this.#range(rangeClass === CLASS_STACK ? RANGE_CLASSES + CLASS_STACK : rangeClass);
  }
  #takeHost(): Variable {
    return this.#hosts.pop() ?? this.graph.variable(I32);
  }
  #hostForWrite(address: Value, rangeClass: number, size: number): Variable {
    return this.#host(address, this.#range(RANGE_CLASSES + rangeClass), size, this.#imports.rangeWrite);
  }
  #host(address: Value, range: RangeLocals, size: number, miss: number): Variable {
    const { graph } = this;
    const host = this.#takeHost();
    graph.set(host, graph.op("i32.add", graph.op("i32.wrap_i64", address.node), graph.get(range.delta)));
    graph.ifUnlikely(this.#outside(address, range), () => this.#miss(host, address, range, size, miss));
    return host;
  }
  #outside(address: Value, range: RangeLocals): Node {
    const { graph } = this;
    return graph.op("i64.ge_u", graph.op("i64.sub", address.node, graph.get(range.base)), graph.get(range.limit));
  }
  /** Asks for the host address; leaves when it is denied. The range in the locals stays as it is: a value that never changes inside the
   *  region needs no merging; a range that misses too often makes the callee leave, and the next entry loads what it filled. */
  #miss(host: Variable, address: Value, range: RangeLocals, size: number, miss: number): void {
    const { graph } = this;
    graph.set(host, graph.call(miss, I32, address.node, graph.i32(RANGE_BASE + range.slot * RANGE_SLOT_BYTES), graph.i32(this.#request(size))));
    this.#leaveIfDenied(graph.get(host));
  }
  /** Only the first access of an instruction finds the state of before it, so only that may have the instruction begun again. */
  #request(size: number): number {
    return this.#accesses++ === 0 ? size | RANGE_MAY_LEAVE : size;
  }
  /** Linear address, after the alignment check of a 16-byte SSE operand. */
  #aligned(o: JitOperand): Value {
    const address = this.linearAddress(o);
    if (o.spec.aligned) this.ifUnlikely(this.ofNode(this.graph.op("i32.and", this.graph.op("i32.wrap_i64", address.node), this.graph.i32(15)), 32), () => this.exception(13));
    return address;
  }
  #high(address: Node): Node {
    return this.graph.op("i32.wrap_i64", this.graph.op("i64.shr_u", address, this.graph.i64(32)));
  }
  #flushIfBounced(host: Variable): void {
    const { graph } = this;
    graph.ifUnlikely(graph.op("i32.eq", graph.get(host), graph.i32(BOUNCE_WRITE)), () => {
      graph.callVoid(this.#imports.flushWrite);
    });
  }

  // ---- control inside one instruction ------------------------------------------------------------------------------------------------

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.#keepingFlags(then, (inside) => super.if(condition, inside, otherwise));
  }
  override ifUnlikely(condition: Value, then: () => void): void {
    this.#keepingFlags(then, (inside) => super.ifUnlikely(condition, inside));
  }
  override ifAnyUnlikely(conditions: readonly Value[], then: () => void): void {
    this.#keepingFlags(then, (inside) => super.ifAnyUnlikely(conditions, inside));
  }
  /** What is known of the flags after two ways come together. */
  #keepingFlags(then: () => void, record: (inside: () => void) => void): void {
    const flags = this.jitFlags;
    const before = flags.snapshot();
    let afterThen = before;
    record(() => {
      then();
      afterThen = flags.snapshot();
      flags.restore(before);
    });
    flags.merge(before, afterThen);
  }

  // ---- leaving ---------------------------------------------------------------------------------------------------------------------------

  exception(vector: number): void {
    this.#leaveBefore(EXIT_EXCEPTION, this.graph.i32(vector));
  }
  trap(vector: number): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), graph.i32(vector | TRAP_FLAG), EXIT_DETAIL);
    this.#leave(graph.i32(EXIT_EXCEPTION), this.#d.nextRip);
  }
  syscall(): void {
    this.#leave(this.graph.i32(EXIT_SYSCALL), this.#d.nextRip);
  }
  interrupt(vector: Operand): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), this.zeroNode(this.read(vector)), EXIT_DETAIL);
    this.#leave(graph.i32(EXIT_INTERRUPT), this.#d.nextRip);
  }
  jump(_target: Operand): void {
    this.onJump(this.#d.target);
  }
  branch(condition: Value, _target: Operand): void {
    const target = this.#d.target;
    this.graph.if(condition.node, () => this.onJump(target));
  }
  jumpIndirect(address: Value): void {
    this.onIndirect(address, false);
  }
  call(_target: Operand): void {
    this.onJump(this.#d.target);
  }
  callIndirect(address: Value): void {
    this.onIndirect(address, false);
  }
  ret(address: Value): void {
    this.onIndirect(address, true);
  }
  #leave(kind: Node, address: number): void {
    const { graph } = this;
    graph.set(this.#exitRip, graph.i64(BigInt(address)));
    graph.set(this.#exitKind, kind);
    graph.br(this.#exit);
  }
  /** Leaves with the state before this instruction. */
  #leaveBefore(kind: number, detail: Node): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), detail, EXIT_DETAIL);
    this.#giveBack();
    this.#leave(graph.i32(kind), this.#d.rip);
  }
  #leaveIfDenied(address: Node): void {
    const { graph } = this;
    graph.ifUnlikely(graph.op("i32.eqz", address), () => this.#leaveDenied());
  }
  #leaveDenied(): void {
    const { graph } = this;
    graph.set(this.#exitRip, graph.i64(BigInt(this.#d.rip)));
    graph.set(this.#exitKind, graph.i32(this.#unretired));
    graph.br(this.#denied);
  }
  /** This instruction and the rest of its block have not retired. */
  #giveBack(): void {
    const { graph } = this;
    graph.set(this.#budget, graph.op("i32.add", graph.get(this.#budget), graph.i32(this.#unretired)));
  }

  // ---- calls out -----------------------------------------------------------------------------------------------------------------------------

  helper(name: string, ...args: Value[]): Value {
    const { result } = helperSignatures[name as HelperName];
    const type = result === "i64" ? I64 : I32;
    return this.ofNode(this.graph.call(this.#imports.helper(name), type, ...args.map((a) => this.zeroNode(a))), widthOf(type));
  }
  helperVoid(name: string, ...args: Value[]): void {
    const nodes = args.map((a) => this.zeroNode(a));
    if (helperSignatures[name as HelperName].result === undefined) this.graph.callVoid(this.#imports.helper(name), ...nodes);
    else this.graph.callDrop(this.#imports.helper(name), ...nodes);
    if (name === "mxcsr_write") this.#float.reload();
  }
  /** Services see the register file in RAM and may change mappings and code: such instructions stay with the cold engine, but for
   *  copies and fills that lie inside the ranges. */
  service(name: string, argument: number): void {
    if ((name === "rep_movs" || name === "rep_stos") && !this.#d.address32 && this.#d.segment === ZERO) this.#repeat(name === "rep_movs", argument & 15);
    else throw new ColdOnly(name);
  }
  /** rep movs in both directions and rep stos upwards, over at most MAX_REPEATED bytes that their ranges cover; the cold engine does
   *  all others. */
  #repeat(copies: boolean, size: number): void {
    const { graph } = this;
    const count = this.reg(RCX, 64), to = this.reg(RDI, 64), from = this.reg(RSI, 64);
    const bytes = this.shl(count, Math.log2(size));
    this.if(this.isNonZero(count), () => {
      const down = this.flags.isDirection();
      const tooMuch = graph.op("i64.gt_u", count.node, graph.i64(MAX_REPEATED / size));
      graph.ifUnlikely(copies ? tooMuch : graph.op("i32.or", tooMuch, down.node), () => this.#coldStep());
      const back = this.sub(bytes, this.constant(64, size));
      const lowest = (address: Value): Value => (copies ? this.select(down, this.sub(address, back), address) : address);
      const source = copies ? this.#span(lowest(from), bytes, from, size, this.#readRange(RSI), this.#imports.rangeRead) : undefined;
      const target = this.#span(lowest(to), bytes, to, size, this.#range(RANGE_CLASSES + RDI), this.#imports.rangeWrite);
      const length = graph.op("i32.wrap_i64", bytes.node);
      if (source !== undefined) {
        // Where the target begins inside the source, elements are copied that were written before; downwards, the other way round.
        const ahead = graph.op("i32.sub", target, source);
        const distance = graph.select(down.node, graph.op("i32.sub", graph.i32(0), ahead), ahead);
        graph.ifUnlikely(graph.op("i32.lt_u", distance, length), () => this.#coldStep());
      }
      const load = size === 8 ? "i64.load" : size === 4 ? "i32.load" : size === 2 ? "i32.load16_u" : "i32.load8_u";
      const store = size === 8 ? "i64.store" : size === 4 ? "i32.store" : size === 2 ? "i32.store16" : "i32.store8";
      const filling = size === 8 ? this.reg(RAX, 64).node : graph.op("i32.wrap_i64", this.reg(RAX, 64).node);
      const byElement = (): void => {
        const at = graph.variable(I32), left = graph.variable(I32);
        const step = copies ? graph.select(down.node, graph.i32(-size), graph.i32(size)) : graph.i32(size);
        graph.set(at, copies ? graph.select(down.node, graph.op("i32.sub", length, graph.i32(size)), graph.i32(0)) : graph.i32(0));
        graph.set(left, length);
        graph.loop((again) => {
          const offset = graph.get(at);
          graph.store(store, graph.op("i32.add", target, offset), source === undefined ? filling : graph.load(load, graph.op("i32.add", source, offset)));
          graph.set(at, graph.op("i32.add", offset, step));
          const rest = graph.op("i32.sub", graph.get(left), graph.i32(size));
          graph.set(left, rest);
          graph.br(again, rest);
        });
      };
      // The engine's own copy and fill cost a call.
      if (!copies && size > 1) byElement();
      else {
        graph.if(graph.op("i32.le_u", length, graph.i32(12 * size)), byElement, () => {
          if (source !== undefined) graph.copyMemory(target, source, length);
          else graph.fillMemory(target, filling, length);
        });
      }
      const moved = (address: Value): Value => this.add(address, copies ? this.select(down, this.neg(bytes), bytes) : bytes);
      if (copies) this.setReg(RSI, moved(from));
      this.setReg(RDI, moved(to));
      this.setReg(RCX, this.constant(64, 0));
    });
  }
  /** Host address of [address, address + bytes), all of it inside the range; else the range is asked for, with the access of the first
   *  element, and the cold engine goes on. */
  #span(address: Value, bytes: Value, first: Value, size: number, range: RangeLocals, miss: number): Node {
    const { graph } = this;
    const offset = graph.op("i64.sub", address.node, graph.get(range.base));
    const outside = graph.op("i64.ge_u", offset, graph.get(range.limit));
    graph.ifUnlikely(graph.op("i32.or", outside, graph.op("i64.gt_u", graph.op("i64.add", offset, bytes.node), graph.get(range.limit))), () => {
      graph.if(outside, () => {
        const host = this.#takeHost();
        this.#miss(host, first, range, size, miss);
        this.#hosts.push(host);
      });
      this.#coldStep();
    });
    return graph.op("i32.add", graph.op("i32.wrap_i64", address.node), graph.get(range.delta));
  }
  /** Leaves so that the cold engine runs this instruction. */
  #coldStep(): void {
    this.#giveBack();
    this.#leave(this.graph.i32(EXIT_COLD_STEP), this.#d.rip);
  }
  floatGuard(): void {
    const { graph } = this;
    this.#isGuarded = true;
    graph.ifUnlikely(this.#float.mustLeave(), () => {
      graph.store("i32.store", graph.i32(0), graph.i32(FLOAT), EXIT_KIND);
      this.#leaveDenied();
    });
    this.#float.reload();
  }
  override isTame(operand: Operand, width: 32 | 64): boolean {
    return this.#float.isTame(operand as JitOperand, width);
  }
  override areTame(operand: Operand, width: 32 | 64): boolean {
    return this.#float.areTame(operand as JitOperand, width);
  }
  override fastMask(): Value {
    return this.ofNode(this.#float.mask(), 32);
  }
  override fastLanes(count: number): Value {
    return this.ofNode(this.#float.fastLanes(count), 32);
  }
  /** Of a float that was just loaded, from memory again: no way through vector registers. */
  override topWord(float: Value): Value {
    const host = this.#loaded.get(float.node);
    return host === undefined ? super.topWord(float) : this.ofNode(this.graph.load("i32.load", host, float.width / 8 - 4), 32);
  }
  beginFloats(facts: Facts | undefined): void {
    this.#float.beginBlock(facts);
  }
  /** Leaves before the first block when a register is not as it takes it to be. */
  requireTame(facts: Facts, start: number): void {
    const doubts = this.#float.notTame(this, facts);
    if (doubts.length === 0) return;
    const { graph } = this;
    graph.ifUnlikely(doubts.map((d) => d.node).reduce((x, y) => graph.op("i32.or", x, y)), () => {
      graph.store("i32.store", graph.i32(0), graph.i32(NOTICE_DENORMAL), FP_NOTICE);
      this.#leave(graph.i32(EXIT_COLD_STEP), start);
    });
  }
}
