/** The builder whose operands come from a decoded record: one Wasm function per instruction, operand form and width.
 *
 *  A handler has the type (record: i32, budget: i32) → exit kind and ends with a tail call of the next record's handler. */
import { tlbEntry } from "../translation.ts";
import { Builder, loadName, type Operand, type Value, storeName, widthOf } from "../builder.ts";
import { EXIT_CONTINUE, EXIT_EXCEPTION, EXIT_INTERRUPT, EXIT_SYSCALL, VECTOR_XM } from "../exit.ts";
import { helperSignatures, type HelperName } from "../helpers.ts";
import { TLB_READ_BASE, TLB_WRITE_BASE } from "../../memory/physical-map.ts";
import { BOUNCE_WRITE, EXIT_BUDGET, EXIT_DETAIL, EXIT_KIND, EXIT_RECORD, FP_NOTICE, NOTICE_EXCEPTION, RIP } from "../state.ts";
import type { Graph, Node, Variable } from "../wasm/graph.ts";
import { I32, I64 } from "../wasm/opcodes.ts";
import { addressIn, jumpCacheEntry, recordIn } from "./jump-cache.ts";
import {
  FROM_CALL, FROM_ELSEWHERE, FROM_JUMP, HANDLER_TABLE, R_BASE, R_COUNT, R_DISPLACEMENT, R_IMMEDIATE, R_INDEX, R_LENGTH, R_OPERAND0, R_RELATIVE, R_SCALE, R_SEGMENT, R_TARGET, RECORD_BYTES,
} from "./record.ts";

/** How an operand of a handler is found: register, memory by base and displacement, memory in full, immediate, branch target. */
export type Form = "r" | "b" | "x" | "i" | "rel";

export interface ColdOperand extends Operand {
  readonly form: Form;
}

/** Indices of the functions a handler can call. */
export interface ColdFunctions {
  readonly handlerType: number;
  readonly missRead: number;
  readonly missWrite: number;
  readonly flushWrite: number;
  readonly checkWrite: number;
  readonly lookup: number;
  readonly service: number;
  readonly helpers: ReadonlyMap<string, number>;
  readonly services: ReadonlyMap<string, number>;
}

/** Result of a handler that found the budget shorter than the block at EXIT_RECORD. */
export const OUT_OF_BUDGET = 0;
/** Set in EXIT_DETAIL beside the vector when RIP must be the next instruction. */
export const TRAP_FLAG = 0x100;

export class ColdBuilder extends Builder {
  readonly #f: ColdFunctions;
  readonly #record: Variable;
  readonly #budget: Variable;
  readonly #hasMemory: boolean;
  readonly #hasImmediate: boolean;
  readonly #isRelative: boolean;
  #modifyHost: Variable | undefined;
  #terminated = false;

  /** @param budget number of the parameter that holds the budget; the record is parameter 0 */
  constructor(graph: Graph, functions: ColdFunctions, operands: readonly ColdOperand[], budget = 1) {
    super(graph);
    this.#f = functions;
    this.#record = graph.parameter(0);
    this.#budget = graph.parameter(budget);
    this.#hasMemory = operands.some((o) => o.isMemory);
    this.#hasImmediate = operands.some((o) => o.form === "i");
    this.#isRelative = operands.some((o) => o.form === "rel");
  }

  /** Ends the handler: the next record, unless the semantics left already. */
  finish(startsBlock: boolean): void {
    if (this.#terminated) return;
    if (startsBlock) this.#goto(this.#next());
    else {
      const next = this.#next();
      this.graph.returnCallIndirect(HANDLER_TABLE, this.#f.handlerType, this.graph.loadConstant("i32.load16_u", this.#get(this.#record), RECORD_BYTES), next, this.#get(this.#budget));
    }
  }

  // ---- operands --------------------------------------------------------------------------------------------------------------

  read(operand: Operand): Value {
    const o = operand as ColdOperand;
    if (o.form === "i") return this.#immediate(o.width);
    if (o.isMemory) return this.loadAt(this.#aligned(o), o.width);
    const node = this.graph.load(loadName(o.width), this.registerAddress(o).node);
    return this.ofNode(node, o.width, "zero");
  }
  readFloat(operand: Operand): Value {
    const o = operand as ColdOperand;
    const name = o.width === 32 ? "f32.load" : "f64.load";
    const address = o.isMemory ? this.#hostForRead(this.linearAddress(o), o.width / 8) : this.registerAddress(o).node;
    return this.ofNode(this.graph.load(name, address), o.width);
  }
  readModify(operand: Operand): Value {
    const o = operand as ColdOperand;
    if (!o.isMemory) return this.read(o);
    const host = this.#hostForWrite(this.#aligned(o), o.width / 8);
    this.#modifyHost = host;
    return this.ofNode(this.graph.load(loadName(o.width), this.graph.get(host)), o.width, "zero");
  }
  write(operand: Operand, value: Value): void {
    const o = operand as ColdOperand;
    if (o.isMemory) {
      if (value.width !== o.width) throw new Error(`writing ${value.width} bits to a memory operand of ${o.width}`);
      const host = this.#modifyHost;
      if (host === undefined) {
        this.storeAt(this.#aligned(o), value);
        return;
      }
      this.#modifyHost = undefined;
      this.graph.store(storeName(value), this.graph.get(host), value.node);
      this.#flushIfBounced(host);
      return;
    }
    const address = this.registerAddress(o).node;
    if (o.spec.class === "gpr" && value.width === 32) this.graph.store("i64.store", address, this.zext(value, 64).node);
    else this.graph.store(storeName(value), address, value.node);
  }
  loadZeroExtended(dst: Operand, src: Operand): void {
    this.writeZeroExtended(dst, this.read(src));
  }
  writeZeroExtended(operand: Operand, value: Value): void {
    const address = this.registerAddress(operand).node;
    if (value.width === 128) {
      this.graph.store("v128.store", address, value.node);
      return;
    }
    const wide = value.node.type === I32 || value.node.type === I64 ? this.zext(value, 64) : undefined;
    if (wide !== undefined) this.graph.store("i64.store", address, wide.node);
    else {
      if (value.width === 32) this.graph.store("i64.store", address, this.graph.i64(0));
      this.graph.store(storeName(value), address, value.node);
    }
    this.graph.store("i64.store", address, this.graph.i64(0), 8);
  }
  effectiveAddress(operand: Operand): Value {
    return this.ofNode(this.#effective(operand as ColdOperand), 64);
  }
  linearAddress(operand: Operand): Value {
    const o = operand as ColdOperand;
    const effective = this.#effective(o);
    if (o.form === "b") return this.ofNode(effective, 64);
    return this.ofNode(this.graph.op("i64.add", effective, this.graph.load("i64.load", this.#field16(R_SEGMENT))), 64);
  }
  isAddress32(): Value {
    const { graph } = this;
    const flag = graph.op("i32.shr_u", graph.loadConstant("i32.load8_u", this.#get(this.#record), R_LENGTH), graph.i32(7));
    return this.truth(flag);
  }
  registerNumber(operand: Operand): Value {
    return this.ofNode(this.#field16(R_OPERAND0 + 2 * operand.position), 32);
  }
  registerAddress(operand: Operand): Value {
    return this.ofNode(this.#field16(R_OPERAND0 + 2 * operand.position), 32);
  }
  nextRip(): Value {
    const { graph } = this;
    const record = this.#get(this.#record);
    if (this.#isRelative) {
      const relative = graph.op("i64.extend_i32_s", graph.loadConstant("i32.load", record, R_RELATIVE));
      return this.ofNode(graph.op("i64.sub", graph.loadConstant("i64.load", record, R_DISPLACEMENT), relative), 64);
    }
    if (!this.#hasMemory) return this.ofNode(graph.loadConstant("i64.load", record, R_DISPLACEMENT), 64);
    if (this.#hasImmediate) throw new Error("no room for the next address beside displacement and immediate");
    return this.ofNode(graph.loadConstant("i64.load", record, R_IMMEDIATE), 64);
  }
  thisRip(): Value {
    const { graph } = this;
    const length = graph.op("i32.and", graph.loadConstant("i32.load8_u", this.#get(this.#record), R_LENGTH), graph.i32(15));
    return this.sub(this.nextRip(), this.ofNode(graph.op("i64.extend_i32_u", length), 64));
  }

  // ---- memory --------------------------------------------------------------------------------------------------------------------

  loadAt(address: Value, width: number): Value {
    const host = this.#hostForRead(address, width / 8);
    return this.ofNode(this.graph.load(loadName(width), host), width, "zero");
  }
  storeAt(address: Value, value: Value): void {
    const { graph } = this;
    const size = value.width / 8;
    const name = storeName(value);
    const low = graph.op("i32.wrap_i64", address.node);
    const entry = this.#tlbEntry(low);
    graph.ifLikely(
      this.#tlbHit(address.node, entry, TLB_WRITE_BASE, size),
      () => graph.store(name, graph.op("i32.add", low, graph.load("i32.load", entry, TLB_WRITE_BASE + 8)), value.node),
      () => {
        const host = graph.variable(I32);
        graph.set(host, graph.call(this.#f.missWrite, I32, low, this.#high(address.node), graph.i32(size)));
        this.#leaveIfDenied(graph.get(host));
        graph.store(name, graph.get(host), value.node);
        this.#flushIfBounced(host);
      },
    );
  }
  checkWritable(address: Value, bytes: number): void {
    const { graph } = this;
    this.#leaveIfDenied(graph.call(this.#f.checkWrite, I32, graph.op("i32.wrap_i64", address.node), this.#high(address.node), graph.i32(bytes)));
  }

  // ---- leaving ----------------------------------------------------------------------------------------------------------------------

  exception(vector: number): void {
    this.#leave(EXIT_EXCEPTION, this.graph.i32(vector));
  }
  trap(vector: number): void {
    this.#leave(EXIT_EXCEPTION, this.graph.i32(vector | TRAP_FLAG));
    this.#terminated = true;
  }
  syscall(): void {
    this.#leave(EXIT_SYSCALL, this.graph.i32(0));
    this.#terminated = true;
  }
  interrupt(vector: Operand): void {
    this.#leave(EXIT_INTERRUPT, this.zeroNode(this.read(vector)));
    this.#terminated = true;
  }
  jump(_target: Operand): void {
    this.#takeBranch();
    this.#terminated = true;
  }
  branch(condition: Value, _target: Operand): void {
    this.graph.if(condition.node, () => this.#takeBranch());
  }
  jumpIndirect(address: Value, require?: () => void): void {
    require?.();
    this.#jumpIndirect(address, FROM_JUMP);
  }
  #jumpIndirect(address: Value, from: number): void {
    this.gotoAddress(address.node, this.graph.i32(from));
    this.#terminated = true;
  }
  call(target: Operand): void {
    this.jump(target);
  }
  callIndirect(address: Value): void {
    this.#jumpIndirect(address, FROM_CALL);
  }
  ret(address: Value): void {
    this.#jumpIndirect(address, FROM_ELSEWHERE);
  }

  // ---- calls out --------------------------------------------------------------------------------------------------------------------

  helper(name: string, ...args: Value[]): Value {
    const { result } = helperSignatures[name as HelperName];
    const type = result === "i64" ? I64 : I32;
    return this.ofNode(this.graph.call(this.#helper(name), type, ...args.map((a) => this.zeroNode(a))), widthOf(type));
  }
  helperVoid(name: string, ...args: Value[]): void {
    const nodes = args.map((a) => this.zeroNode(a));
    if (helperSignatures[name as HelperName].result === undefined) this.graph.callVoid(this.#helper(name), ...nodes);
    else this.graph.callDrop(this.#helper(name), ...nodes);
  }
  service(name: string, argument: number): void {
    const { graph } = this;
    const index = this.#f.services.get(name);
    if (index === undefined) throw new Error(`no service ${name}`);
    this.#storeMailbox(graph.i32(0));
    this.#leaveIfDenied(graph.call(this.#f.service, I32, graph.i32(index), graph.i32(argument)));
  }
  floatGuard(): void {
    const { graph } = this;
    const pending = graph.op("i32.and", graph.load("i32.load", graph.i32(0), FP_NOTICE), graph.i32(NOTICE_EXCEPTION));
    graph.ifUnlikely(pending, () => {
      graph.store("i32.store", graph.i32(0), graph.i32(0), FP_NOTICE);
      this.#leave(EXIT_EXCEPTION, graph.i32(VECTOR_XM));
    });
  }

  // ---- private ------------------------------------------------------------------------------------------------------------------------

  #get(variable: Variable): Node {
    return this.graph.get(variable);
  }
  #next(): Node {
    return this.graph.op("i32.add", this.#get(this.#record), this.graph.i32(RECORD_BYTES));
  }
  #field16(offset: number): Node {
    return this.graph.loadConstant("i32.load16_u", this.#get(this.#record), offset);
  }
  secondImmediate(): Value {
    return this.ofNode(this.graph.loadConstant("i32.load8_u", this.#get(this.#record), R_IMMEDIATE + 4), 8, "zero");
  }
  #immediate(width: number): Value {
    const load = width === 8 ? "i32.load8_u" : width === 16 ? "i32.load16_u" : width === 64 ? "i64.load" : "i32.load";
    return this.ofNode(this.graph.loadConstant(load, this.#get(this.#record), R_IMMEDIATE), width, "zero");
  }
  #effective(o: ColdOperand): Node {
    const { graph } = this;
    const record = this.#get(this.#record);
    const sum = graph.op("i64.add", graph.load("i64.load", this.#field16(R_BASE)), graph.loadConstant("i64.load", record, R_DISPLACEMENT));
    if (o.form === "b") return sum;
    const index = graph.op("i64.shl", graph.load("i64.load", this.#field16(R_INDEX)), graph.op("i64.extend_i32_u", graph.loadConstant("i32.load8_u", record, R_SCALE)));
    const full = graph.op("i64.add", sum, index);
    // Address size 32 drops the upper half: shift the mask right by 32 when bit 7 of the length byte is set.
    const shift = graph.op("i32.shr_u", graph.op("i32.and", graph.loadConstant("i32.load8_u", record, R_LENGTH), graph.i32(0x80)), graph.i32(2));
    return graph.op("i64.and", full, graph.op("i64.shr_u", graph.i64(-1), graph.op("i64.extend_i32_u", shift)));
  }
  /** Linear address, after the alignment check of a 16-byte SSE operand. */
  #aligned(o: ColdOperand): Value {
    const address = this.linearAddress(o);
    if (o.spec.aligned) {
      const low = this.graph.op("i32.and", this.graph.op("i32.wrap_i64", address.node), this.graph.i32(15));
      this.graph.ifUnlikely(low, () => this.exception(13));
    }
    return address;
  }
  #high(address: Node): Node {
    return this.graph.op("i32.wrap_i64", this.graph.op("i64.shr_u", address, this.graph.i64(32)));
  }
  /** Byte offset of the TLB entry of a page within its array. */
  #tlbEntry(low: Node): Node {
    return tlbEntry(this.graph, low);
  }
  #tlbHit(address: Node, entry: Node, array: number, size: number): Node {
    const { graph } = this;
    const last = size === 1 ? address : graph.op("i64.add", address, graph.i64(size - 1));
    return graph.op("i64.eq", graph.load("i64.load", entry, array), graph.op("i64.shr_u", last, graph.i64(12)));
  }
  #hostForRead(address: Value, size: number): Node {
    const { graph } = this;
    const low = graph.op("i32.wrap_i64", address.node);
    const entry = this.#tlbEntry(low);
    const host = graph.variable(I32);
    graph.ifLikely(
      this.#tlbHit(address.node, entry, TLB_READ_BASE, size),
      () => graph.set(host, graph.op("i32.add", low, graph.load("i32.load", entry, TLB_READ_BASE + 8))),
      () => {
        graph.set(host, graph.call(this.#f.missRead, I32, low, this.#high(address.node), graph.i32(size)));
        this.#leaveIfDenied(graph.get(host));
      },
    );
    return graph.get(host);
  }
  #hostForWrite(address: Value, size: number): Variable {
    const { graph } = this;
    const low = graph.op("i32.wrap_i64", address.node);
    const entry = this.#tlbEntry(low);
    const host = graph.variable(I32);
    graph.ifLikely(
      this.#tlbHit(address.node, entry, TLB_WRITE_BASE, size),
      () => graph.set(host, graph.op("i32.add", low, graph.load("i32.load", entry, TLB_WRITE_BASE + 8))),
      () => {
        graph.set(host, graph.call(this.#f.missWrite, I32, low, this.#high(address.node), graph.i32(size)));
        this.#leaveIfDenied(graph.get(host));
      },
    );
    return host;
  }
  #flushIfBounced(host: Variable): void {
    const { graph } = this;
    graph.ifUnlikely(graph.op("i32.eq", graph.get(host), graph.i32(BOUNCE_WRITE)), () => graph.callVoid(this.#f.flushWrite));
  }
  #storeMailbox(detail: Node): void {
    const { graph } = this;
    const zero = graph.i32(0);
    graph.store("i32.store", zero, this.#get(this.#record), EXIT_RECORD);
    graph.store("i32.store", zero, this.#get(this.#budget), EXIT_BUDGET);
    graph.store("i32.store", zero, detail, EXIT_DETAIL);
  }
  #leave(kind: number, detail: Node): void {
    this.#storeMailbox(detail);
    this.graph.return(this.graph.i32(kind));
  }
  /** Leaves with the kind that the callee left in EXIT_KIND when `address` is 0. */
  #leaveIfDenied(address: Node): void {
    const { graph } = this;
    graph.ifUnlikely(graph.op("i32.eqz", address), () => {
      const zero = graph.i32(0);
      graph.store("i32.store", zero, this.#get(this.#record), EXIT_RECORD);
      graph.store("i32.store", zero, this.#get(this.#budget), EXIT_BUDGET);
      graph.return(graph.load("i32.load", zero, EXIT_KIND));
    });
  }
  /** Charges the block at `record` and runs it, or leaves when the budget is too short for it. */
  #goto(record: Node): void {
    const { graph } = this;
    const left = graph.op("i32.sub", this.#get(this.#budget), graph.load("i32.load16_u", record, R_COUNT));
    graph.ifUnlikely(graph.op("i32.lt_s", left, graph.i32(0)), () => {
      const zero = graph.i32(0);
      graph.store("i32.store", zero, record, EXIT_RECORD);
      graph.store("i32.store", zero, this.#get(this.#budget), EXIT_BUDGET);
      graph.return(graph.i32(OUT_OF_BUDGET));
    });
    graph.returnCallIndirect(HANDLER_TABLE, this.#f.handlerType, graph.load("i32.load16_u", record, 0), record, left);
  }
  #takeBranch(): void {
    const { graph } = this;
    const record = this.#get(this.#record);
    const target = graph.load("i32.load", record, R_TARGET);
    graph.if(target, () => this.#goto(target));
    this.gotoAddress(graph.loadConstant("i64.load", record, R_DISPLACEMENT), record);
  }
  /** Jumps to a virtual address through the jump cache. `from` is the record to be linked, or FROM_*. */
  gotoAddress(address: Node, from: Node): void {
    const { graph } = this;
    const low = graph.op("i32.wrap_i64", address);
    const entry = jumpCacheEntry(graph, address);
    const record = graph.variable(I32);
    graph.ifLikely(
      graph.op("i64.eq", addressIn(graph, entry), address),
      () => graph.set(record, recordIn(graph, entry)),
      () => {
        const zero = graph.i32(0);
        graph.set(record, graph.call(this.#f.lookup, I32, low, this.#high(address), from));
        graph.if(graph.op("i32.eqz", graph.get(record)), () => {
          graph.store("i64.store", zero, address, RIP);
          graph.store("i32.store", zero, zero, EXIT_RECORD);
          graph.store("i32.store", zero, this.#get(this.#budget), EXIT_BUDGET);
          graph.return(graph.i32(EXIT_CONTINUE));
        });
      },
    );
    this.#goto(graph.get(record));
  }
  #helper(name: string): number {
    const index = this.#f.helpers.get(name);
    if (index === undefined) throw new Error(`helper ${name} is not imported`);
    return index;
  }
}
