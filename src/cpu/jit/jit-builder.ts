/** The builder whose operands are known: registers are Wasm locals, memory goes through range translations.
 *
 *  A memory access compares its address with a range slot in RAM (base, limit, delta); a miss calls out, which fills the slot or, when
 *  the access is denied or a page was moved, leaves the region with the state before the instruction. Accesses near one another share the comparison (addresses.ts).
 *  What is known at a point of the text (flags, addresses, instructions not yet charged) goes on into blocks that are entered from
 *  there only; compile.ts hands it over.
 *  There are two exits: one goes on at another address by way of the jump cache, one leaves the machine code. Both store registers. */
import { Builder, loadName, type MagnitudePlan, type Operand, type Value, storeName, widthOf } from "../builder.ts";
import type { Decoded } from "../decode/decoder.ts";
import { EXIT_COLD_STEP, EXIT_CONTINUE, EXIT_EXCEPTION, EXIT_INTERRUPT, EXIT_SYSCALL, VECTOR_XM } from "../exit.ts";
import { helperSignatures, type HelperName } from "../helpers.ts";
import { PAGE_SHIFT, RANGE_BASE } from "../../memory/physical-map.ts";
import {
  BOUNCE_WRITE, EXIT_BUDGET, EXIT_DETAIL, EXIT_KIND, EXIT_RECORD, FP_NOTICE, GPR, HOST_STACK_LEFT, LEAST_BUDGET, NOTICE_DENORMAL, NOTICE_EXCEPTION, NOTICE_MAGNITUDE, NOTICE_MODE, NOTICE_STACK, RIP, VECTOR, VECTOR_STRIDE, ZERO, gprAddress, vectorAddress,
} from "../state.ts";
import { TRAP_FLAG } from "../cold/cold-builder.ts";
import { addressIn, jumpCacheEntry, numberOf, regionIn, slotOf } from "../cold/jump-cache.ts";
import { REGION_TABLE } from "../cold/record.ts";
import type { Graph, Label, Node, Variable } from "../wasm/graph.ts";
import { F32, F64, I32, I64, V128, WASM_TYPES } from "../wasm/opcodes.ts";
import { Addresses, type AddressState, type Advance, type Group, type Host, MAX_GROUP, meet, type TurnPlan } from "./addresses.ts";
import { LowLanes, type LowState, meetLows } from "./low-lanes.ts";
import { FloatMode, type FloatPlan } from "./float-mode.ts";
import { FLAGS_IN_RAM, type FlagState, JitFlags } from "./flags.ts";
import { recordRepeat } from "./repeat.ts";
import type { RegisterFlow, Registers, RegisterUse } from "./register-flow.ts";
import { isMagnitude } from "./magnitude.ts";
import type { Facts } from "./tame.ts";
import { type StackPlan, type StackState, stackBehind, UNPLANNED } from "./x87-plan.ts";
import { X87Stack } from "./x87-stack.ts";
import { RANGE_BEFORE_SHIFT, RANGE_LENGTH_SHIFT, RANGE_MAY_LEAVE, RANGE_READS } from "../translation.ts";
import { FIRST_CONSTANT_RANGE, FIRST_WRITE_RANGE, RANGE_BANKS, RANGE_CLASSES, RANGE_CONSTANTS, RANGE_DELTA, RANGE_LIMIT, RANGE_SLOT_BYTES, RANGE_TAIL } from "../../memory/ranges.ts";

/** For so many turns questions are answered at once. */
const MOST_TURNS = 2 ** 20;
const CLASS_SEGMENT = 16;
/** No register: the address is a constant, or an implicit operand's. */
const CLASS_NONE = 17;
const CLASS_STACK = 4;
/** EXIT_KIND that means: what the floating-point helpers have left says why. */
const FLOAT = -2;
/** In the local for the kind of exit: on at another address, or what the callee that denied an access says. */
const CHAIN = -3, DENIED = -4;

/** Function indices in the region's module. */
export interface JitImports {
  readonly rangeRead: number;
  readonly rangeWrite: number;
  readonly flushWrite: number;
  readonly checkWrite: number;
  readonly gotoAddress: number;
  readonly callAddress: number;
  readonly endCall: number;
  readonly materialize: number;
  /** Type of the functions that regions are. */
  readonly regionType: number;
  /** Which space of range slots the region uses. */
  readonly space: number;
  readonly helper: (name: string) => number;
}

/** Thrown while recording an instruction that regions do not contain; see compile.ts. */
export class ColdOnly extends Error {}

export interface JitOperand extends Operand {
  readonly address: number;
}

/** RAM address of a range slot; a function when it is chosen only when the recording is complete. */
export type Range = number | (() => number);

/** What holds at a point of the text and may go on into a block that is entered from there only. */
export interface TextState extends Values { readonly flags: FlagState; readonly uncharged: number }
/** What is known of values: of some it may still be known where ways come together. */
export interface Values { readonly addresses: AddressState; readonly lows: LowState }
export function meetValues(a: Values, b: Values): Values {
  return { addresses: meet(a.addresses, b.addresses), lows: meetLows(a.lows, b.lows) };
}

/** An access in a turn without questions: what its address is made of, and the local that its host address is found with. */
interface Advancing { readonly advance: Advance; readonly group: Group; readonly range: () => number; readonly delta: Variable }

export class JitBuilder extends Builder {
  /** For what is recorded to learn something and never emitted. */
  static readonly NO_IMPORTS: JitImports = { rangeRead: 0, rangeWrite: 0, flushWrite: 0, checkWrite: 0, gotoAddress: 0, callAddress: 0, endCall: 0, materialize: 0, regionType: 0, space: 0, helper: () => 0 };
  override readonly leavesAtDenormals: boolean;
  override readonly callsWithFloats = true;
  readonly #imports: JitImports;
  readonly #gpr: (Variable | undefined)[] = new Array(16);
  readonly #vector: (Variable | undefined)[] = new Array(16);
  readonly #budget: Variable;
  /** Number of the entry that is on its way in; −1 when none is. */
  readonly #entry: Variable;
  readonly #exitKind: Variable;
  readonly #exitRip: Variable;
  readonly addresses = new Addresses();
  /** By block, −1 for what comes before the first. */
  readonly #uses = new Map<number, RegisterUse>();
  #use: RegisterUse = { reads: 0, writes: 0, exposed: 0 };
  /** Inside how many inner choices of an instruction recording is. */
  #choices = 0;
  #flow: RegisterFlow | undefined;
  /** Places where registers are stored or loaded; which ones is known in the end. */
  readonly #transfers: (() => void)[] = [];
  /** By what is stored: where it is. */
  readonly #exits = new Map<Registers, Label>();
  #d!: Decoded;
  #block = 0;
  /** Instructions that have retired here but have not been taken from the budget. */
  #uncharged = 0;
  #modifyHost: Host | undefined;
  #turn: TurnPlan | undefined;
  /** Groups begun in the turn. */
  #begun = 0;
  #advancing: Advancing[] = [];
  /** The instruction has stored: it cannot be begun again. */
  #stored = false;
  /** Told of every way out of the region (effects.ts). */
  onLeave: (() => void) | undefined;
  /** How control flow between blocks is made; set by compile.ts. */
  onJump!: (target: number) => void;
  onIndirect!: (address: Value, isReturn: boolean, require?: () => void) => void;

  readonly #float: FloatMode;
  #stack: X87Stack | undefined;
  #stackState: StackState | undefined;
  /** A floating-point helper may have the region left. */
  #isGuarded = false;
  readonly #lows = new LowLanes();

  constructor(graph: Graph, imports: JitImports, plan: FloatPlan) {
    super(graph);
    this.#float = new FloatMode(graph, plan);
    this.leavesAtDenormals = this.#float.leavesAtDenormals;
    this.#imports = imports;
    this.#entry = graph.parameter(0);
    this.#budget = graph.parameter(1);
    this.#exitKind = graph.variable(I32);
    this.#exitRip = graph.variable(I64);
  }
  protected override makeFlags(): JitFlags {
    return new JitFlags(this, this.graph, () => this.#imports.materialize);
  }
  get recording(): Graph {
    return this.graph;
  }
  get jitFlags(): JitFlags {
    return this.flags as JitFlags;
  }

  // ---- frame of the function ---------------------------------------------------------------------------------------------------

  /** What a block does with registers, as far as it has been recorded. */
  useOf(block: number): RegisterUse {
    let use = this.#uses.get(block);
    if (use === undefined) this.#uses.set(block, (use = { reads: 0, writes: 0, exposed: 0 }));
    return use;
  }
  /** Puts the frame around the body: in front of it registers are loaded, behind it those who leave store them.
   *  @param first block that is entered first */
  finish(body: () => void, flow: RegisterFlow, first: number): void {
    const { graph } = this;
    this.#flow = flow;
    for (const record of this.#transfers) record();
    this.#loadRegisters(this.useOf(-1).reads | flow.live(first));
    this.#stack?.prologue();
    // Who stores much goes on to who stores a part of that. Storing nothing comes last, and may have nobody in front of it.
    const masks = [...new Set([...this.#exits.keys(), 0])].sort((a, b) => bitsIn(b) - bitsIn(a));
    const behind = (k: number): void => {
      const mask = masks[k];
      graph.block((label) => {
        this.#exits.set(mask, label);
        if (k === 0) body();
        else behind(k - 1);
      });
      if (mask === 0) return;
      const rest = masks.slice(k + 1).find((other) => (other & ~mask) === 0) as Registers;
      this.#storeRegisters(mask & ~rest);
      graph.br(this.#exits.get(rest) as Label);
    };
    behind(masks.length - 1);
    this.#leaveFunction();
  }
  /** Everything is in RAM. */
  #leaveFunction(): void {
    const { graph } = this;
    const zero = graph.i32(0), kind = graph.get(this.#exitKind);
    this.#stack?.store();
    graph.if(graph.op("i32.eq", kind, graph.i32(CHAIN)), () => graph.returnCall(this.#imports.gotoAddress, graph.get(this.#exitRip), graph.get(this.#budget)));
    graph.if(graph.op("i32.eq", kind, graph.i32(DENIED)), () => this.#findKind());
    graph.store("i64.store", zero, graph.get(this.#exitRip), RIP);
    graph.store("i32.store", zero, zero, EXIT_RECORD);
    graph.store("i32.store", zero, graph.get(this.#budget), EXIT_BUDGET);
    graph.return(graph.get(this.#exitKind));
    graph.unreachable();
  }
  /** The kind of exit that a callee asks for. */
  #findKind(): void {
    const { graph } = this;
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
  #loadRegisters(which: Registers): void {
    const { graph } = this;
    const zero = graph.i32(0);
    for (let n = 0; n < 16; n++) {
      if ((which & (1 << n)) !== 0) graph.set(this.#gprVariable(n), graph.load("i64.load", zero, gprAddress(n)));
      if ((which & (1 << (16 + n))) !== 0) graph.set(this.#vectorVariable(n), graph.load("v128.load", zero, vectorAddress(n)));
    }
    this.#float.load();
  }
  #storeRegisters(which: Registers): void {
    const { graph } = this;
    const zero = graph.i32(0);
    for (let n = 0; n < 16; n++) {
      if ((which & (1 << n)) !== 0) graph.store("i64.store", zero, graph.get(this.#gprVariable(n)), gprAddress(n));
      if ((which & (1 << (16 + n))) !== 0) graph.store("v128.store", zero, graph.get(this.#vectorVariable(n)), vectorAddress(n));
    }
  }
  /** Which registers may differ from RAM here; to be asked when all is recorded. */
  #changedHere(): () => Registers {
    const use = this.#use, block = this.#block, written = use.writes;
    use.exposed |= ~written;
    return () => (this.#flow as RegisterFlow).changed(block) | written;
  }
  /** Stores here what differs from RAM. */
  settleRegisters(): void {
    const changed = this.#changedHere(), record = this.graph.placeholder();
    this.#transfers.push(() => record(() => this.#storeRegisters(changed())));
  }
  /** To the exit, where registers are stored; the kind has been set. */
  #exit(): void {
    const changed = this.#changedHere();
    this.#transfers.push(() => {
      const mask = changed();
      if (!this.#exits.has(mask)) this.#exits.set(mask, { depth: 0 });
    });
    this.graph.br(() => this.#exits.get(changed()) as Label);
  }
  /** Leaves with a kind of exit, or CHAIN, or DENIED. */
  #exitWith(kind: Node, address: Node): void {
    const { graph } = this;
    graph.set(this.#exitRip, address);
    graph.set(this.#exitKind, kind);
    this.#exit();
  }
  /** Leaves before `start` when the budget does not reach for `count` instructions. All retired ones have been charged. */
  requireBudget(count: number, start: number): void {
    const { graph } = this;
    graph.ifUnlikely(graph.op("i32.lt_s", graph.get(this.#budget), graph.i32(count)), () => this.#leave(graph.i32(EXIT_CONTINUE), start, 0));
  }
  /** Truth: the budget does not reach for `count` instructions. */
  isBudgetBelow(count: number): Node {
    const { graph } = this;
    return graph.op("i32.lt_s", graph.get(this.#budget), graph.i32(count));
  }
  setExitAddress(address: number): void {
    this.graph.set(this.#exitRip, this.graph.i64(BigInt(address)));
  }
  /** Leaves for want of budget at the address that was set; flags are in RAM. */
  leaveForBudget(): void {
    const { graph } = this;
    graph.set(this.#exitKind, graph.i32(EXIT_CONTINUE));
    this.#exit();
  }
  /** Takes what has retired from the budget. */
  charge(): void {
    const { graph } = this;
    if (this.#uncharged !== 0) graph.set(this.#budget, graph.op("i32.sub", graph.get(this.#budget), graph.i32(this.#uncharged)));
  }
  /** What holds here. */
  get textState(): TextState {
    return { flags: this.jitFlags.state, uncharged: this.#uncharged, ...this.values };
  }
  get values(): Values {
    return { addresses: this.addresses.state, lows: this.#lows.state };
  }
  /** A block begins: with what held at its only entrance; or where ways come together, all of which know `met`. */
  beginBlock(index: number, state: TextState | undefined, met?: Values): void {
    this.#block = index;
    this.#use = this.useOf(index);
    this.jitFlags.state = state?.flags ?? FLAGS_IN_RAM;
    this.#uncharged = state?.uncharged ?? 0;
    const values = state ?? met;
    this.#lows.begin(values?.lows);
    if (values === undefined) this.addresses.forget();
    else this.addresses.state = values.addresses;
  }
  /** Names the instruction whose meaning is recorded next. */
  beginInstruction(decoded: Decoded): JitOperand[] {
    this.#d = decoded;
    this.#float.beginInstruction(decoded);
    this.#lows.beginInstruction();
    this.#modifyHost = undefined;
    this.#stored = false;
    return decoded.encoding.operands.map((spec, position) => ({
      spec, position, width: spec.width, address: decoded.registers[position],
      isMemory: decoded.isMemory && spec.allowsMemory,
    }));
  }
  /** The instruction retires: what follows is behind it. */
  retire(): void {
    this.#uncharged++;
    if (this.#stackState !== undefined) this.beginStack(stackBehind(this.#stackState, this.#d));
  }
  /** Leaves the region for a known address outside it. */
  chainTo(address: number): void {
    this.#chainTo(this.graph.i64(BigInt(address)));
  }
  /** Leaves the region for a computed address. */
  chainToValue(address: Value): void {
    this.#chainTo(address.node);
  }
  #chainTo(address: Node): void {
    this.onLeave?.();
    this.jitFlags.save();
    this.charge();
    this.#stack?.noteExit();
    this.#exitWith(this.graph.i32(CHAIN), address);
  }

  /** Leaves the region to return to a computed address. */
  returnToValue(address: Value): void {
    // Where there is one entry, nobody has called.
    if (this.#stack !== undefined) {
      this.#chainTo(address.node);
      return;
    }
    const { graph } = this;
    this.onLeave?.();
    this.jitFlags.save();
    this.charge();
    this.settleRegisters();
    graph.store("i64.store", graph.i32(0), address.node, RIP);
    graph.return(graph.op("i32.xor", graph.get(this.#budget), graph.i32(-1)));
  }
  /** Calls the region at `address`, from which control is to come back to `back`; goes on to it where there is none, or no room on the
   *  host's stack. Behind it the budget is known, and registers are in RAM. What is called gives back the complement of the budget when the
   *  guest has returned to `back`; else this region ends too. The call is made here, or by callAddress (cold/handlers.ts), where all such
   *  calls share one indirect branch. @param frame bytes that this function takes on the host's stack */
  callOut(address: Node, back: number, frame: () => number, isDirect: boolean): void {
    const { graph } = this;
    this.onLeave?.();
    this.jitFlags.save();
    this.charge();
    if (isDirect) this.#callDirectly(address, back, frame);
    else {
      this.settleRegisters();
      const result = graph.call(this.#imports.callAddress, I32, address, graph.i64(BigInt(back)), graph.get(this.#budget), graph.lateI32(frame));
      graph.ifUnlikely(graph.op("i32.ge_s", result, graph.i32(0)), () => graph.returnCall(this.#imports.endCall, result));
      graph.set(this.#budget, graph.op("i32.xor", result, graph.i32(-1)));
    }
  }
  #callDirectly(address: Node, back: number, frame: () => number): void {
    const { graph } = this;
    const zero = graph.i32(0);
    const entry = jumpCacheEntry(graph, address);
    const isOther = graph.op("i64.ne", addressIn(graph, entry), address);
    const region = regionIn(graph, entry);
    const left = graph.op("i32.sub", graph.load("i32.load", zero, HOST_STACK_LEFT), graph.lateI32(frame));
    graph.ifAnyUnlikely([isOther, graph.op("i32.eqz", region), graph.op("i32.lt_s", left, zero)], () => this.#exitWith(graph.i32(CHAIN), address));
    this.settleRegisters();
    graph.store("i32.store", zero, left, HOST_STACK_LEFT);
    const result = graph.callIndirect(REGION_TABLE, this.#imports.regionType, I32, slotOf(graph, region), numberOf(graph, region), graph.get(this.#budget));
    graph.ifUnlikely(graph.op("i32.ge_s", result, zero), () => graph.return(result));
    graph.set(this.#budget, graph.op("i32.xor", result, graph.i32(-1)));
    graph.store("i32.store", zero, graph.op("i32.add", graph.load("i32.load", zero, HOST_STACK_LEFT), graph.lateI32(frame)), HOST_STACK_LEFT);
    const returned = graph.load("i64.load", zero, RIP);
    graph.ifUnlikely(graph.op("i64.ne", returned, graph.i64(BigInt(back))), () => graph.returnCall(this.#imports.gotoAddress, returned, graph.get(this.#budget)));
  }
  /** Behind a call, whether it was made here or control has come in there: registers are in RAM. */
  comeBack(): void {
    const block = this.#block, record = this.graph.placeholder();
    this.#transfers.push(() => record(() => this.#loadRegisters((this.#flow as RegisterFlow).live(block))));
  }

  /** Number of the entry that is on its way in. */
  get entry(): Node {
    return this.graph.get(this.#entry);
  }
  /** Behind the way in. */
  entered(): void {
    this.graph.set(this.#entry, this.graph.i32(-1));
  }
  /** On to an entry of this region: what is known here is settled, as for the way out. */
  goToEntry(entry: Node): void {
    this.onLeave?.();
    this.jitFlags.save();
    this.charge();
    this.graph.set(this.#entry, entry);
  }

  // ---- registers -----------------------------------------------------------------------------------------------------------------

  override reg(register: number, width: number): Value {
    const node = this.#readGpr(register);
    node.note = this.addresses.ofRegister(register);
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
  override add(x: Value, y: Value): Value {
    return this.#placed(super.add(x, y), x, y, 1);
  }
  override sub(x: Value, y: Value): Value {
    return this.#placed(super.sub(x, y), x, y, -1);
  }
  /** Notes where x ± constant is. */
  #placed(result: Value, x: Value, y: Value, sign: 1 | -1): Value {
    if (result.width !== 64 || result.node.constant !== undefined) return result;
    const place = this.addresses.of(x.node);
    if (place !== undefined && typeof y.node.constant === "bigint") result.node.note = this.addresses.sum(place, undefined, 0, sign * Number(y.node.constant));
    return result;
  }
  override vectorRegister(register: number): Value {
    this.#noteRead(1 << (16 + register));
    const whole = this.graph.get(this.#vectorVariable(register));
    this.#lows.noteRead(register, whole);
    return this.ofNode(whole, 128);
  }
  override setVectorRegister(register: number, value: Value): void {
    this.#noteWrite(1 << (16 + register));
    this.graph.set(this.#vectorVariable(register), value.node);
    if (this.#choices === 0) this.#lows.assign(register, value.node);
    else this.#lows.know(register, undefined);
  }
  /** The register keeps what it has but for a float in its low lane. */
  #setLow(register: number, value: Value): void {
    const low = this.#lows.of(register), rest = low?.float.type === value.node.type ? low.rest : this.vectorRegister(register).node;
    this.setVectorRegister(register, this.#replaceLow(this.ofNode(rest, 128), value));
    this.#knowLow(register, value.node, rest);
  }
  /** What was made on one of several ways is no more known behind them. */
  #knowLow(register: number, float: Node, rest: Node): void {
    if (this.#choices === 0) this.#lows.know(register, { float, rest });
  }
  override getState(address: number, load = "i64.load"): Value {
    this.#refuseCached(address);
    const passing = this.#isX87 ? this.#stack?.read(address) : undefined;
    if (passing !== undefined) return passing;
    return super.getState(address, load);
  }
  override setState(address: number, value: Value, store = "i64.store"): void {
    this.#refuseCached(address);
    if (this.#isX87 && this.#stack?.write(address, value) === true) return;
    super.setState(address, value, store);
  }
  #refuseCached(address: number): void {
    if ((address >= GPR && address < ZERO) || (address >= VECTOR && address < VECTOR + 16 * VECTOR_STRIDE)) throw new ColdOnly("register file behind the locals");
  }
  #readGpr(n: number): Node {
    this.#noteRead(1 << n);
    return this.graph.get(this.#gprVariable(n));
  }
  #noteRead(register: Registers): void {
    this.#use.reads |= register & ~this.#use.writes;
  }
  #noteWrite(register: Registers): void {
    // What is written on one way only keeps its value on the other.
    if (this.#choices > 0) this.#noteRead(register);
    this.#use.writes |= register;
  }
  #gprVariable(n: number): Variable {
    return (this.#gpr[n] ??= this.graph.variable(I64));
  }
  #vectorVariable(n: number): Variable {
    return (this.#vector[n] ??= this.graph.variable(V128));
  }
  #setGpr(register: number, high: boolean, value: Value): void {
    const variable = this.#gprVariable(register);
    this.addresses.assign(register, value.width === 64 ? this.addresses.of(value.node) : undefined);
    if (value.width < 32) this.#noteRead(1 << register);
    this.#noteWrite(1 << register);
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
      const name = wide ? "f64.load" : "f32.load", address = this.linearAddress(o), bytes = o.width / 8;
      if (this.#stored) return this.ofNode(this.#load(name, address, bytes, this.#class()), o.width);
      const host = this.#access(address, bytes, false, this.#class());
      const loaded = this.ofNode(this.graph.load(name, this.graph.get(host.variable), host.offset), o.width);
      this.#lows.noteLoad(loaded.node, host);
      return loaded;
    }
    const n = (o.address - VECTOR) / VECTOR_STRIDE, known = this.#lows.of(n);
    if (known?.float.type === (wide ? F64 : F32)) return this.ofNode(known.float, wide ? 64 : 32);
    const whole = this.vectorRegister(n), low = this.#lowOf(whole.node, wide);
    if (known === undefined) this.#knowLow(n, low, whole.node);
    return this.ofNode(low, wide ? 64 : 32);
  }
  #lowOf(whole: Node, wide: boolean): Node {
    return this.graph.lane(wide ? "f64x2.extract_lane" : "f32x4.extract_lane", [0], whole);
  }
  readModify(operand: Operand): Value {
    const o = operand as JitOperand;
    if (!o.isMemory) return this.read(o);
    if (this.#stored) throw new ColdOnly("an operand changed behind a store");
    const host = this.#access(this.#aligned(o), o.width / 8, true, this.#class());
    this.#modifyHost = host;
    return this.ofNode(this.graph.load(loadName(o.width), this.graph.get(host.variable), host.offset), o.width, "zero");
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
      this.#noteStore();
      graph.store(storeName(value), graph.get(host.variable), value.node, host.offset);
    } else if (o.spec.class === "gpr") {
      const offset = o.address - GPR;
      this.#setGpr(offset >> 3, (offset & 7) === 1, value);
    } else if (o.spec.class === "xmm") {
      const n = (o.address - VECTOR) / VECTOR_STRIDE;
      if (value.width === 128) this.setVectorRegister(n, value);
      else if (value.node.type === F64 || value.node.type === F32) this.#setLow(n, value);
      else this.setVectorRegister(n, this.#replaceLow(this.vectorRegister(n), value));
    } else graph.store(storeName(value), graph.i32(0), value.node, o.address);
  }
  loadZeroExtended(dst: Operand, src: Operand): void {
    const wide = src.width === 64, host = this.#access(this.linearAddress(src), src.width / 8, false, this.#class());
    const whole = this.graph.load(wide ? "v128.load64_zero" : "v128.load32_zero", this.graph.get(host.variable), host.offset);
    const low = this.#lowOf(whole, wide);
    this.writeZeroExtended(dst, this.ofNode(whole, 128));
    this.#lows.noteLoad(low, host);
    this.#knowLow(((dst as JitOperand).address - VECTOR) / VECTOR_STRIDE, low, whole);
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
    const displacement = BigInt.asIntN(64, (BigInt(d.dispHigh >>> 0) << 32n) | BigInt(d.dispLow >>> 0));
    const place = this.addresses.sum(
      d.base === ZERO ? undefined : this.addresses.ofRegister((d.base - GPR) >> 3), d.index === ZERO ? undefined : this.addresses.ofRegister((d.index - GPR) >> 3),
      d.scale, Number(displacement),
    );
    if (d.base !== ZERO) sum = this.#readGpr((d.base - GPR) >> 3);
    if (d.index !== ZERO) {
      const index = this.#readGpr((d.index - GPR) >> 3);
      const scaled = d.scale === 0 ? index : graph.op("i64.shl", index, graph.i64(d.scale));
      sum = sum === undefined ? scaled : graph.op("i64.add", sum, scaled);
    }
    if (sum === undefined) sum = graph.i64(displacement);
    else if (displacement !== 0n) sum = graph.op("i64.add", sum, graph.i64(displacement));
    if (d.address32) return this.ofNode(graph.op("i64.and", sum, graph.i64(0xffff_ffffn)), 64);
    if (sum.constant === undefined) sum.note = place;
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
    return this.ofNode(this.#load(loadName(width), address, width / 8, rangeClass), width, "zero");
  }
  #load(name: string, address: Value, bytes: number, rangeClass: number): Node {
    const { graph } = this;
    const host = this.#stored ? this.#asked(address, bytes, false) : this.#access(address, bytes, false, rangeClass);
    if (host === undefined) return graph.load(name, this.#hostAfterStore(address, this.readRange(rangeClass, this.bank(rangeClass, address)), bytes, this.#imports.rangeRead));
    return graph.load(name, graph.get(host.variable), host.offset);
  }
  storeAt(address: Value, value: Value, rangeClass = this.#implicitClass()): void {
    const { graph } = this;
    const bytes = value.width / 8;
    const host = this.#stored ? this.#asked(address, bytes, true) : this.#access(address, bytes, true, rangeClass);
    this.#noteStore();
    if (host === undefined) {
      const there = this.#hostAfterStore(address, this.writeRange(rangeClass, this.bank(rangeClass, address)), bytes, this.#imports.rangeWrite);
      graph.store(storeName(value), there, value.node);
      graph.ifUnlikely(graph.op("i32.eq", there, graph.i32(BOUNCE_WRITE)), () => graph.callVoid(this.#imports.flushWrite));
      return;
    }
    graph.store(storeName(value), graph.get(host.variable), value.node, host.offset);
  }
  #noteStore(): void {
    this.#stored = true;
    this.#lows.noteStore();
  }
  /** Asks as the accesses that follow would, which then need not. */
  checkWritable(address: Value, bytes: number): void {
    const { graph } = this;
    if (this.#stored) throw new ColdOnly("a question behind a store");
    if (bytes <= MAX_GROUP) {
      const rangeClass = this.#implicitClass(), piece = Math.min(bytes, 8);
      this.#access(address, piece, true, rangeClass);
      if (bytes > piece) this.#access(this.add(address, this.constant(64, bytes - piece)), piece, true, rangeClass);
      return;
    }
    this.#leaveIfDenied(graph.call(this.#imports.checkWrite, I32, graph.op("i32.wrap_i64", address.node), this.#high(address.node), graph.i32(bytes)));
  }
  #class(): number {
    const { base, index, segment } = this.#d;
    if (segment !== ZERO) return CLASS_SEGMENT;
    return base !== ZERO ? (base - GPR) >> 3 : index !== ZERO ? (index - GPR) >> 3 : CLASS_NONE;
  }
  #implicitClass(): number {
    const name = this.#d.encoding.mnemonic;
    // Operands of x87 instructions that are read or written in pieces.
    if (name.startsWith("f") && this.#d.isMemory) return this.#class();
    return /^(push|pop|call|ret|leave|enter)/.test(name) ? CLASS_STACK : CLASS_NONE;
  }
  /** Stack pages that are read have been written: one slot serves both. */
  readRange(rangeClass: number, bank: number): number {
    return rangeClass === CLASS_STACK ? this.writeRange(rangeClass, bank) : RANGE_BASE + this.#slot(rangeClass, bank) * RANGE_SLOT_BYTES;
  }
  writeRange(rangeClass: number, bank: number): number {
    return RANGE_BASE + (FIRST_WRITE_RANGE + this.#slot(rangeClass, bank)) * RANGE_SLOT_BYTES;
  }
  #slot(rangeClass: number, bank: number): number {
    return rangeClass === CLASS_NONE ? FIRST_CONSTANT_RANGE + bank : rangeClass + RANGE_CLASSES * (bank + RANGE_BANKS * this.#imports.space);
  }
  /** A register that is made to point elsewhere uses another slot: a list's node and its head do not push each other out. */
  bank(rangeClass: number, address: Value): number {
    if (rangeClass === CLASS_NONE) return Number(BigInt(address.node.constant ?? 0) >> BigInt(PAGE_SHIFT)) & (RANGE_CONSTANTS - 1);
    return rangeClass === CLASS_STACK || rangeClass === CLASS_SEGMENT ? 0 : this.addresses.assignments(rangeClass) % RANGE_BANKS;
  }
  /** Host address of an access, which is asked for unless a group has done so. */
  #access(address: Value, bytes: number, write: boolean, rangeClass: number): Host {
    const { graph, addresses } = this;
    const place = addresses.of(address.node) ?? addresses.fresh();
    const known = addresses.find(place, bytes, write, this.#block);
    if (known !== undefined) return { variable: known.host, offset: () => place.offset - known.low };
    const group: Group = { root: place.root, low: place.offset, high: place.offset + bytes, write, host: graph.variable(I32), block: this.#block };
    addresses.add(group);
    const bank = this.bank(rangeClass, address);
    const range = (): number => (group.write ? this.writeRange(rangeClass, bank) : this.readRange(rangeClass, bank));
    const before = (): number => place.offset - group.low;
    const advance = this.#turn?.[this.#begun++];
    if (advance !== undefined) {
      const delta = graph.variable(I32);
      this.#advancing.push({ advance, group, range, delta });
      const here = graph.displaced(address.node, () => -before());
      graph.set(group.host, graph.op("i32.add", graph.op("i32.wrap_i64", here), graph.get(delta)));
      return { variable: group.host, offset: before };
    }
    const first = graph.displaced(address.node, () => -before());
    const offset = graph.op("i64.sub", first, this.#field(I64, range, 0));
    graph.ifUnlikely(graph.op("i64.ge_u", offset, this.#field(I64, range, RANGE_LIMIT)), () => {
      const slot = graph.lateI32(range);
      const request = graph.lateI32(() => bytes | RANGE_MAY_LEAVE | (group.write && !write ? RANGE_READS : 0) | (before() << RANGE_BEFORE_SHIFT) | ((group.high - group.low) << RANGE_LENGTH_SHIFT));
      this.#leaveIfDenied(graph.call(() => (group.write ? this.#imports.rangeWrite : this.#imports.rangeRead), I32, address.node, slot, request));
    });
    // A miss leaves the slot's delta as this address wants it: one address for both ways keeps V8 from widening it anew.
    graph.set(group.host, graph.op("i32.add", graph.op("i32.wrap_i64", first), this.#field(I32, range, RANGE_DELTA)));
    return { variable: group.host, offset: before };
  }
  // ---- turns without questions ------------------------------------------------------------------------------------------------------

  /** What is recorded next is a turn whose accesses advance as `turn` says, for which questions have been answered. */
  beginTurn(turn: TurnPlan): void {
    this.#turn = turn;
    this.#begun = 0;
    this.#advancing = [];
  }
  /** Behind the turn: the function that records, in front of it, for how many turns it may be done: down to which budget (LEAST_BUDGET). It
   *  goes to `unknown` when that cannot be said. @param charge instructions in a turn @param need the least budget for one */
  endTurn(charge: number, need: number): (unknown: Label) => void {
    const advancing = this.#advancing;
    this.#turn = undefined;
    return (unknown) => {
      const { graph } = this;
      let turns = graph.i64(MOST_TURNS);
      for (const { advance: { base, index, scale, stride }, group, range, delta } of advancing) {
        let address = graph.i64(group.low);
        if (index >= 0) address = graph.op("i64.add", address, graph.op("i64.shl", graph.get(this.#gprVariable(index)), graph.i64(scale)));
        if (base >= 0) address = graph.op("i64.add", address, graph.get(this.#gprVariable(base)));
        const offset = graph.op("i64.sub", address, this.#field(I64, range, 0)), limit = this.#field(I64, range, RANGE_LIMIT);
        graph.ifUnlikely(graph.op("i64.ge_u", offset, limit), () => graph.br(unknown));
        graph.set(delta, this.#field(I32, range, RANGE_DELTA));
        if (stride === 0) continue;
        const room = stride < 0 ? offset : graph.op("i64.sub", graph.op("i64.sub", limit, graph.i64(1)), offset);
        const distance = Math.abs(stride), shift = Math.log2(distance);
        const most = Number.isInteger(shift) ? graph.op("i64.shr_u", room, graph.i64(shift)) : graph.op("i64.div_u", room, graph.i64(distance));
        turns = graph.select(graph.op("i64.lt_u", most, turns), most, turns);
      }
      const down = graph.op("i32.sub", graph.get(this.#budget), graph.op("i32.mul", graph.op("i32.wrap_i64", turns), graph.i32(charge)));
      this.#setLeast(down, need);
    };
  }
  /** Lets so many turns be done before anything is asked. */
  setTurns(turns: number, charge: number, need: number): void {
    this.#setLeast(this.graph.op("i32.sub", this.graph.get(this.#budget), this.graph.i32(turns * charge)), need);
  }
  #setLeast(value: Node, need: number): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), graph.select(graph.op("i32.gt_s", value, graph.i32(need)), value, graph.i32(need)), LEAST_BUDGET);
  }
  /** Notes the budget that turns begin with. */
  noteBudget(): Variable {
    const noted = this.graph.variable(I32);
    this.graph.set(noted, this.graph.get(this.#budget));
    return noted;
  }
  /** Truth: the budget is not what was noted. */
  isBudgetOther(noted: Variable): Node {
    return this.graph.op("i32.ne", this.graph.get(this.#budget), this.graph.get(noted));
  }
  /** Truth: another turn may be done before anything is asked. */
  mayTurn(): Node {
    const { graph } = this;
    return graph.op("i32.ge_s", graph.get(this.#budget), graph.load("i32.load", graph.i32(0), LEAST_BUDGET));
  }

  /** The same for an access that a question from before may include, though this instruction has stored. */
  #asked(address: Value, bytes: number, write: boolean): Host | undefined {
    const { addresses } = this, place = addresses.of(address.node);
    const known = place === undefined ? undefined : addresses.find(place, bytes, write, this.#block);
    return known === undefined || place === undefined ? undefined : { variable: known.host, offset: () => place.offset - known.low };
  }
  /** Host address of an access behind a store of the same instruction, which cannot be begun again: what straddles two pages is done
   *  aside (BOUNCE_READ, BOUNCE_WRITE). */
  #hostAfterStore(address: Value, range: number, bytes: number, miss: number): Node {
    const { graph } = this;
    const host = graph.variable(I32);
    graph.set(host, graph.op("i32.add", graph.op("i32.wrap_i64", address.node), this.#field(I32, range, RANGE_DELTA)));
    graph.ifUnlikely(this.outside(address, range), () => this.miss(host, address, range, miss, bytes | (bytes << RANGE_LENGTH_SHIFT)));
    return graph.get(host);
  }
  /** A field of a slot, read where it is used: locals for it would live on the machine's stack, which is no nearer. */
  #field(type: typeof I32 | typeof I64, range: Range, field: number): Node {
    return this.graph.lateLoad(type, typeof range === "number" ? range + field : () => range() + field);
  }
  outside(address: Value, range: number): Node {
    const { graph } = this;
    return graph.op("i64.ge_u", graph.op("i64.sub", address.node, this.#field(I64, range, 0)), this.#field(I64, range, RANGE_LIMIT));
  }
  /** Asks for the host address; leaves when it is denied. */
  miss(host: Variable, address: Value, range: number, miss: number, request: number): void {
    const { graph } = this;
    graph.set(host, graph.call(miss, I32, address.node, graph.i32(range), graph.i32(request)));
    this.#leaveIfDenied(graph.get(host));
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

  // ---- control inside one instruction ------------------------------------------------------------------------------------------------

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    const { constant } = condition.node;
    if (constant !== undefined) {
      if (constant) then();
      else otherwise?.();
      return;
    }
    this.#choose(then, otherwise, (first, second) => this.graph.if(condition.node, first, second));
  }
  override ifUnlikely(condition: Value, then: () => void): void {
    if (condition.node.constant) then();
    else if (condition.node.constant === undefined) this.#choose(then, undefined, (first, second) => this.graph.ifUnlikely(condition.node, first, second));
  }
  override ifAnyUnlikely(conditions: readonly Value[], then: () => void): void {
    if (conditions.length === 0) return;
    const before = this.jitFlags.state;
    this.#choose(
      () => {
        then();
        if (this.jitFlags.state !== before) throw new ColdOnly("flags on one of several ways");
      },
      undefined,
      (first) => this.graph.ifAnyUnlikely(conditions.map((c) => c.node), first),
    );
  }
  /** Records two ways that come together. Both begin with what is known here; behind them only what both know is known. */
  #choose(then: () => void, otherwise: (() => void) | undefined, record: (first: () => void, second: () => void) => void): void {
    const { jitFlags: flags, addresses } = this;
    const before = flags.state, places = addresses.state;
    let afterThen = places;
    let stored = this.#stored;
    let flagsChanged = false;
    this.#choices++;
    record(
      () => {
        then();
        if (flags.state !== before) {
          flagsChanged = true;
          flags.save();
          flags.state = before;
        }
        afterThen = addresses.state;
        addresses.state = places;
        stored ||= this.#stored;
      },
      () => {
        otherwise?.();
        if (flags.state !== before && !flagsChanged) throw new ColdOnly("flags on the second way only");
        if (flagsChanged) flags.save();
      },
    );
    this.#choices--;
    if (flagsChanged) flags.state = FLAGS_IN_RAM;
    addresses.meet(places, afterThen);
    this.#stored ||= stored;
  }

  // ---- leaving ---------------------------------------------------------------------------------------------------------------------------

  exception(vector: number): void {
    this.#leaveBefore(EXIT_EXCEPTION, this.graph.i32(vector));
  }
  trap(vector: number): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), graph.i32(vector | TRAP_FLAG), EXIT_DETAIL);
    this.#leave(graph.i32(EXIT_EXCEPTION), this.#d.nextRip, this.#uncharged + 1);
  }
  syscall(): void {
    this.#leave(this.graph.i32(EXIT_SYSCALL), this.#d.nextRip, this.#uncharged + 1);
  }
  interrupt(vector: Operand): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), this.zeroNode(this.read(vector)), EXIT_DETAIL);
    this.#leave(graph.i32(EXIT_INTERRUPT), this.#d.nextRip, this.#uncharged + 1);
  }
  // A transfer of control ends its block, so what it does is behind it.
  jump(_target: Operand): void {
    this.retire();
    this.onJump(this.#d.target);
  }
  branch(condition: Value, _target: Operand): void {
    const target = this.#d.target;
    this.retire();
    this.graph.if(condition.node, () => this.onJump(target));
  }
  jumpIndirect(address: Value, require?: () => void): void {
    this.retire();
    this.onIndirect(address, false, () => {
      // As before the jump.
      this.#uncharged--;
      require?.();
      this.#uncharged++;
    });
  }
  call(_target: Operand): void {
    this.retire();
    this.onJump(this.#d.target);
  }
  callIndirect(address: Value): void {
    this.retire();
    this.onIndirect(address, false);
  }
  ret(address: Value): void {
    this.retire();
    this.onIndirect(address, true);
  }
  #leave(kind: Node, address: number, retired: number): void {
    const { graph } = this;
    this.onLeave?.();
    this.jitFlags.save();
    this.#charge(retired);
    this.#stack?.noteExit();
    this.#exitWith(kind, graph.i64(BigInt(address)));
  }
  #charge(retired: number): void {
    const { graph } = this;
    if (retired !== 0) graph.set(this.#budget, graph.op("i32.sub", graph.get(this.#budget), graph.i32(retired)));
  }
  /** Leaves with the state before this instruction. */
  #leaveBefore(kind: number, detail: Node): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), detail, EXIT_DETAIL);
    this.#leave(graph.i32(kind), this.#d.rip, this.#uncharged);
  }
  #leaveIfDenied(address: Node): void {
    const { graph } = this;
    graph.ifUnlikely(graph.op("i32.eqz", address), () => this.#leaveDenied());
  }
  #leaveDenied(): void {
    const { graph } = this;
    this.onLeave?.();
    this.jitFlags.save();
    this.#charge(this.#uncharged);
    this.#stack?.noteExit();
    this.#exitWith(graph.i32(DENIED), graph.i64(BigInt(this.#d.rip)));
  }

  // ---- calls out -----------------------------------------------------------------------------------------------------------------------------

  helper(name: string, ...args: Value[]): Value {
    const own = this.#stack?.run(name, args);
    if (own !== undefined && own !== true) return own;
    const { result } = helperSignatures[name as HelperName];
    const type = WASM_TYPES[result ?? "i32"];
    return this.ofNode(this.graph.call(this.#imports.helper(name), type, ...args.map((a) => this.zeroNode(a))), widthOf(type));
  }
  helperVoid(name: string, ...args: Value[]): void {
    if (this.#stack?.run(name, args) !== undefined) return;
    const nodes = args.map((a) => this.zeroNode(a));
    if (helperSignatures[name as HelperName].result === undefined) this.graph.callVoid(this.#imports.helper(name), ...nodes);
    else this.graph.callDrop(this.#imports.helper(name), ...nodes);
  }
  /** Services see the register file in RAM and may change mappings and code: such instructions stay with the cold engine, but for
   *  copies and fills that lie inside the ranges. */
  service(name: string, argument: number): void {
    this.#lows.noteStore();
    if ((name === "rep_movs" || name === "rep_stos") && !this.#d.address32 && this.#d.segment === ZERO) recordRepeat(this, name === "rep_movs", argument & 15);
    else throw new ColdOnly(name);
  }
  /** Host address of [address, address + bytes), all of it inside the range; else the range is asked for, with the access of the first
   *  element, and the cold engine goes on. */
  span(address: Value, bytes: Value, first: Value, size: number, range: number, write: boolean): Node {
    const { graph } = this;
    const limit = this.#field(I64, range, RANGE_LIMIT);
    const offset = graph.op("i64.sub", address.node, this.#field(I64, range, 0));
    const outside = graph.op("i64.ge_u", offset, limit);
    const end = graph.op("i64.add", limit, graph.i64(RANGE_TAIL));
    graph.ifUnlikely(graph.op("i32.or", outside, graph.op("i64.gt_u", graph.op("i64.add", offset, bytes.node), end)), () => {
      graph.if(outside, () => {
        const request = size | RANGE_MAY_LEAVE | (size << RANGE_LENGTH_SHIFT);
        this.miss(graph.variable(I32), first, range, write ? this.#imports.rangeWrite : this.#imports.rangeRead, request);
      });
      this.coldStep();
    });
    return graph.op("i32.add", graph.op("i32.wrap_i64", address.node), this.#field(I32, range, RANGE_DELTA));
  }
  /** Leaves so that the cold engine runs this instruction. */
  coldStep(): void {
    this.#leave(this.graph.i32(EXIT_COLD_STEP), this.#d.rip, this.#uncharged);
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
  override isFinite(operand: Operand, width: 32 | 64): boolean {
    return this.#float.isFinite(operand as JitOperand, width);
  }
  override areFinite(operand: Operand, width: 32 | 64): boolean {
    return this.#float.areFinite(operand as JitOperand, width);
  }
  override get magnitudePlan(): MagnitudePlan | undefined {
    return this.#float.magnitudePlan;
  }
  override isModest(float: Value): boolean {
    return this.#lows.isModest(float.node);
  }
  override noteModest(floats: readonly Value[]): void {
    if (this.#choices === 0) this.#lows.noteModest(floats.map(({ node }) => node));
  }
  override leaveForMagnitude(): void {
    const { graph } = this;
    graph.store("i32.store", graph.i32(0), graph.i32(NOTICE_MAGNITUDE), FP_NOTICE);
    this.coldStep();
  }
  override setMxcsr(value: Value): void {
    super.setMxcsr(value);
    this.#float.reload();
  }
  override fastMask(): Value {
    return this.ofNode(this.#float.mask(), 32);
  }
  override fastLanes(count: number): Value {
    return this.ofNode(this.#float.fastLanes(count), 32);
  }
  /** Of a float that was just loaded, from memory again: no way through vector registers. */
  override topWord(float: Value): Value {
    const host = this.#lows.loadedFrom(float.node);
    if (host === undefined) return super.topWord(float);
    const { offset } = host, top = float.width / 8 - 4;
    return this.ofNode(this.graph.load("i32.load", this.graph.get(host.variable), typeof offset === "number" ? offset + top : () => offset() + top), 32);
  }
  /** Keeps the x87 stack in locals. Leaves before the first block when it is not as planned. */
  planStack(plan: StackPlan, start: number): void {
    const { graph } = this;
    this.#stack = new X87Stack(this, graph, plan, () => this.coldStep());
    this.beginStack(UNPLANNED);
    graph.ifUnlikely(this.#stack.mustLeave(), () => {
      graph.store("i32.store", graph.i32(0), graph.i32(NOTICE_STACK), FP_NOTICE);
      this.#leave(graph.i32(EXIT_COLD_STEP), start, 0);
    });
    this.beginStack(plan.entry);
  }
  /** What is known of the stack where a block begins. */
  beginStack(state: StackState | undefined): void {
    if (this.#stack === undefined || state === undefined) return;
    this.#stack.state = this.#stackState = state;
  }
  override get keepsStack(): boolean {
    return this.#stack !== undefined;
  }
  get #isX87(): boolean {
    return this.#stack !== undefined && this.#d.encoding.mnemonic.startsWith("f");
  }
  beginFloats(facts: Facts | undefined): void {
    this.#float.beginBlock(facts);
  }
  doubtful(facts: Facts): Facts {
    return this.#float.doubtful(facts);
  }
  /** Leaves before a block when a register is not as it takes it to be. @param asksMode the mode is asked too */
  requireFloats(facts: Facts, start: number, asksMode: boolean): void {
    const { graph } = this;
    const ask = (doubts: readonly Node[], notice: number): void => {
      if (doubts.length === 0) return;
      graph.ifUnlikely(doubts.reduce((x, y) => graph.op("i32.or", x, y)), () => {
        graph.store("i32.store", graph.i32(0), graph.i32(notice), FP_NOTICE);
        this.#leave(graph.i32(EXIT_COLD_STEP), start, 0);
      });
    };
    ask(asksMode ? this.#float.otherMode() : [], NOTICE_MODE);
    ask(this.#float.notAs(this, facts).map((d) => d.node), facts.some(isMagnitude) ? NOTICE_MAGNITUDE : NOTICE_DENORMAL);
  }
}

function bitsIn(registers: Registers): number {
  let count = 0;
  for (let rest = registers; rest !== 0; rest &= rest - 1) count++;
  return count;
}
