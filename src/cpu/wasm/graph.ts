/** Expressions and statements of one Wasm function body, recorded first and emitted afterwards.
 *
 *  A pure node used once is emitted where it is used; one used more often is computed into a local where it was created;
 *  one never used vanishes, so semantics may compute flags nobody reads. Anchored nodes (loads, calls) are always evaluated where they
 *  were created, which keeps program order. A read of a variable is evaluated where it is used, unless an assignment comes between:
 *  a rehearsal of the emission finds out. Locals are used again once their value has been read for the last time.
 *  Rule for authors: a node made inside a nested block may not be used outside it.
 *
 *  Much of this runs a few hundred times and no more, so V8 interprets it; loops over lists count, for an interpreted `for…of` makes an
 *  object at each step. */
import type { Bytes } from "./emitter.ts";
import { F32, F64, I32, I64, LOADS, operator, STORES, V128, type ValueType } from "./opcodes.ts";

/** Evaluated where used (Pure), or where created (Anchored), or where created even if unused (Effect). */
const PURE = 0;
const ANCHORED = 1;
const EFFECT = 2;

export interface Node {
  readonly type: ValueType;
  readonly args: readonly Node[];
  readonly emit: (out: Bytes) => void;
  /** Constant value if this is a constant. */
  readonly constant: number | bigint | undefined;
  kind: number;
  leaf: boolean;
  uses: number;
  local: number;
  /** Pass that has come by: 1 rehearsed, 2 emitted. */
  pass: number;
  /** Loops around the place of creation, while its value is in a local. */
  loops: number;
  /** Variable that this node reads, or −1. */
  readonly reads: number;
  /** What else is known of the value; the graph only carries it. */
  note: object | undefined;
}
/** Bytes added to an address; a function when known only when the recording is complete. */
export type Offset = number | (() => number);
export interface Variable { readonly index: number; readonly type: ValueType }
export interface Label { depth: number }
/** A label; a function when it is chosen only when the recording is complete. */
export type LateLabel = Label | (() => Label);

type Statement =
  | { readonly t: "let"; readonly node: Node }
  | { readonly t: "set"; readonly variable: number; readonly value: Node }
  | { readonly t: "do"; readonly args: readonly Node[]; readonly emit: (out: Bytes) => void }
  | { readonly t: "if"; readonly cond: Node; readonly then: Statement[]; readonly else: Statement[]; readonly hint: Hint }
  | { readonly t: "block"; readonly loop: boolean; readonly label: Label; readonly body: Statement[] }
  | { readonly t: "br"; readonly label: LateLabel; readonly cond: Node | undefined; readonly hint: Hint }
  | { readonly t: "table"; readonly labels: readonly Label[]; readonly index: Node }
  | { readonly t: "mark"; readonly tag: number }
  | { readonly t: "sequence"; readonly body: Statement[] };

/** Whether a branch is taken, as the branch hinting proposal writes it. */
type Hint = 0 | 1 | undefined;
export interface BranchHint { readonly offset: number; readonly value: 0 | 1 }

const BLOCK_VOID = 0x40;

export class Graph {
  readonly #locals: ValueType[];
  readonly #parameterCount: number;
  #current: Statement[] = [];
  readonly #root = this.#current;
  #depth = 0;
  #loops = 0;
  /** What is known of branches in the emitted code. */
  readonly hints: BranchHint[] = [];
  /** What {@link mark} asked for; complete after {@link emitTo}. */
  readonly marks: { readonly offset: number; readonly tag: number }[] = [];
  /** Locals whose value is not needed any more, by type. */
  readonly #free = new Map<ValueType, number[]>();

  /** @param parameters types of the function's parameters: locals 0…n−1. */
  constructor(parameters: readonly ValueType[]) {
    this.#locals = [...parameters];
    this.#parameterCount = parameters.length;
  }

  /** Types of the locals beyond the parameters; complete after {@link emitTo}. */
  get locals(): readonly ValueType[] {
    return this.#locals.slice(this.#parameterCount);
  }

  /** A constant that is known only when the recording is complete. */
  lateI32(value: () => number): Node {
    return leaf(I32, undefined, (out) => out.byte(0x41).s32(value() | 0));
  }
  /** `node`, an i64, plus a distance that is known only when the recording is complete. */
  displaced(node: Node, distance: () => number): Node {
    return this.#node(I64, [node], PURE, (out) => {
      const value = distance();
      if (value !== 0) out.byte(0x42).s64(BigInt(value)).byte(0x7c);
    });
  }
  /** A load from a constant address, done where its value is used. */
  lateLoad(type: typeof I32 | typeof I64, address: Offset): Node {
    const { code, align } = type === I32 ? LOADS["i32.load"] : LOADS["i64.load"];
    const emit = memoryEmitter(0, code, align, address);
    return leaf(type, undefined, (out) => emit(out.byte(0x41).s32(0)));
  }
  i32(value: number): Node {
    return leaf(I32, value | 0, (out) => out.byte(0x41).s32(value));
  }
  i64(value: bigint | number): Node {
    const wide = BigInt.asIntN(64, BigInt(value));
    return leaf(I64, wide, (out) => out.byte(0x42).s64(wide));
  }
  f64Bits(bits: bigint): Node {
    return leaf(F64, undefined, (out) => {
      out.byte(0x44);
      for (let i = 0n; i < 64n; i += 8n) out.byte(Number((bits >> i) & 0xffn));
    });
  }
  f32Bits(bits: number): Node {
    return leaf(F32, undefined, (out) => {
      out.byte(0x43);
      for (let i = 0; i < 32; i += 8) out.byte((bits >>> i) & 0xff);
    });
  }
  /** A v128 constant from two 64-bit halves. */
  v128(low: bigint, high: bigint): Node {
    return leaf(V128, undefined, (out) => {
      out.byte(0xfd).u32(0x0c);
      for (const half of [low, high]) for (let i = 0n; i < 64n; i += 8n) out.byte(Number((half >> i) & 0xffn));
    });
  }

  /** Applies a pure operator by its text-format name, e.g. `op("i64.add", x, y)`. */
  op(name: string, ...args: Node[]): Node {
    const { code, prefix, arity, result, lanes } = operator(name);
    if (lanes !== 0) throw new Error(`${name} takes lane immediates: use lane()`);
    if (args.length !== arity) throw new Error(`${name} takes ${arity} operands`);
    const folded = fold(name, args);
    if (folded !== undefined) return result === I64 ? this.i64(folded) : this.i32(Number(folded));
    return this.#node(result, args, PURE, opcodeEmitter(prefix, code));
  }
  /** Applies an operator with lane immediates, e.g. `lane("i32x4.extract_lane", [2], x)`. */
  lane(name: string, lanes: readonly number[], ...args: Node[]): Node {
    const { code, prefix, result } = operator(name);
    return this.#node(result, args, PURE, (out) => {
      out.byte(prefix).u32(code);
      for (const l of lanes) out.byte(l);
    });
  }
  select(condition: Node, whenTrue: Node, whenFalse: Node): Node {
    const type = whenTrue.type;
    return this.#node(type, [whenTrue, whenFalse, condition], PURE, type === V128 ? (out) => out.byte(0x1c).u32(1).byte(V128) : (out) => out.byte(0x1b));
  }
  load(name: string, address: Node, offset: Offset = 0): Node {
    const { code, prefix, align, type } = LOADS[name];
    return this.#node(type, [address], ANCHORED, memoryEmitter(prefix, code, prefix === 0 ? align : 0, offset));
  }
  /** A load whose memory nobody writes inside this function: it may move to its use. */
  loadConstant(name: string, address: Node, offset = 0): Node {
    const { code, prefix, align, type } = LOADS[name];
    return this.#node(type, [address], PURE, memoryEmitter(prefix, code, prefix === 0 ? align : 0, offset));
  }
  store(name: string, address: Node, value: Node, offset: Offset = 0): void {
    const { code, prefix, align } = STORES[name];
    this.#do([address, value], memoryEmitter(prefix, code, prefix === 0 ? align : 0, offset));
  }
  /** Calls a function for its result. */
  call(index: number | (() => number), result: ValueType, ...args: Node[]): Node {
    return this.#node(result, args, EFFECT, (out) => out.byte(0x10).u32(typeof index === "number" ? index : index()));
  }
  callVoid(index: number, ...args: Node[]): void {
    this.#do(args, (out) => out.byte(0x10).u32(index));
  }
  /** Calls for the effect and drops the result. */
  callDrop(index: number, ...args: Node[]): void {
    this.#do(args, (out) => out.byte(0x10).u32(index).byte(0x1a));
  }
  /** Tail call of a function of this module or an import. */
  returnCall(index: number, ...args: Node[]): void {
    this.#do(args, (out) => out.byte(0x12).u32(index));
  }
  /** Tail call through entry `target` of table number `table`. */
  returnCallIndirect(table: number, type: number, target: Node, ...args: Node[]): void {
    this.#do([...args, target], (out) => out.byte(0x13).u32(type).u32(table));
  }
  callIndirect(table: number, type: number, result: ValueType, target: Node, ...args: Node[]): Node {
    return this.#node(result, [...args, target], EFFECT, (out) => out.byte(0x11).u32(type).u32(table));
  }
  /** memory.copy of `length` bytes. */
  copyMemory(to: Node, from: Node, length: Node): void {
    this.#do([to, from, length], (out) => out.byte(0xfc).u32(10).byte(0).byte(0));
  }
  /** memory.fill of `length` bytes. */
  fillMemory(to: Node, byte: Node, length: Node): void {
    this.#do([to, byte, length], (out) => out.byte(0xfc).u32(11).byte(0));
  }
  return(value: Node): void {
    this.#do([value], (out) => out.byte(0x0f));
  }
  unreachable(): void {
    this.#do([], (out) => out.byte(0x00));
  }

  variable(type: ValueType): Variable {
    return { index: this.#locals.push(type) - 1, type };
  }
  parameter(index: number): Variable {
    return { index, type: this.#locals[index] };
  }
  get(variable: Variable): Node {
    const node = leaf(variable.type, undefined, (out) => out.byte(0x20).u32(variable.index), variable.index);
    this.#current.push({ t: "let", node });
    return node;
  }
  set(variable: Variable, value: Node): void {
    this.#current.push({ t: "set", variable: variable.index, value });
  }

  if(cond: Node, then: () => void, otherwise?: () => void): void {
    this.#if(cond, then, otherwise, undefined);
  }
  /** The same with a hint that the condition is nearly always true. */
  ifLikely(cond: Node, then: () => void, otherwise: () => void): void {
    this.#if(cond, then, otherwise, 1);
  }
  /** The same with a hint that the condition is seldom true, so that nothing is spilled for that case's sake. */
  ifUnlikely(cond: Node, then: () => void, otherwise?: () => void): void {
    this.#if(cond, then, otherwise, 0);
  }
  #if(cond: Node, then: () => void, otherwise: (() => void) | undefined, hint: Hint): void {
    const thenBody = this.#nested(then);
    const elseBody = otherwise === undefined ? [] : this.#nested(otherwise);
    this.#current.push({ t: "if", cond, then: thenBody, else: elseBody, hint });
  }
  /** Does `then` when one of the conditions holds, each of which seldom does. */
  ifAnyUnlikely(conditions: readonly Node[], then: () => void): void {
    const last = conditions[conditions.length - 1];
    if (conditions.length === 1) return this.ifUnlikely(last, then);
    this.block((done) => {
      this.block((rare) => {
        for (const condition of conditions.slice(0, -1)) this.#current.push({ t: "br", label: rare, cond: condition, hint: 0 });
        this.#current.push({ t: "br", label: done, cond: this.op("i32.eqz", last), hint: 1 });
      });
      then();
    });
  }
  /** A block; a branch to the label leaves it. */
  block(body: (label: Label) => void): void {
    const label: Label = { depth: 0 };
    this.#current.push({ t: "block", loop: false, label, body: this.#nested(() => body(label)) });
  }
  /** A loop; a branch to the label starts it again, falling off the end leaves it. */
  loop(body: (label: Label) => void): void {
    const label: Label = { depth: 0 };
    this.#current.push({ t: "block", loop: true, label, body: this.#nested(() => body(label)) });
  }
  br(label: LateLabel, cond?: Node): void {
    this.#current.push({ t: "br", label, cond, hint: undefined });
  }

  /** Branches to `labels[index]`; the last label takes every index beyond. */
  brTable(labels: readonly Label[], index: Node): void {
    this.#current.push({ t: "table", labels, index });
  }
  /** Notes in {@link marks} where in the emitted bytes the next statement begins. */
  mark(tag: number): void {
    this.#current.push({ t: "mark", tag });
  }
  /** A place whose statements are recorded later, when it is known what they must be. Returns the function that records them. */
  placeholder(): (record: () => void) => void {
    const body: Statement[] = [];
    this.#current.push({ t: "sequence", body });
    return (record) => {
      const outer = this.#current;
      this.#current = body;
      record();
      this.#current = outer;
    };
  }

  /** Records statements for a place that is found later. Returns the function that puts them there; call it once. */
  aside(record: () => void): () => void {
    const body = this.#nested(record);
    return () => {
      this.#current.push({ t: "sequence", body });
    };
  }

  /** Emits the recorded statements. Call once. */
  emitTo(out: Bytes): void {
    countUses(this.#root);
    new Rehearsal(this.#locals.length).run(this.#root);
    this.#emitAll(this.#root, out);
  }

  #nested(record: () => void): Statement[] {
    const outer = this.#current;
    const body: Statement[] = [];
    this.#current = body;
    record();
    this.#current = outer;
    return body;
  }
  #node(type: ValueType, args: readonly Node[], kind: number, emit: (out: Bytes) => void): Node {
    const node: Node = { type, args, emit, constant: undefined, kind, leaf: false, uses: 0, local: -1, pass: 0, loops: 0, reads: -1, note: undefined };
    this.#current.push({ t: "let", node });
    return node;
  }
  #do(args: readonly Node[], emit: (out: Bytes) => void): void {
    this.#current.push({ t: "do", args, emit });
  }
  #takeLocal(type: ValueType): number {
    return this.#free.get(type)?.pop() ?? this.#locals.push(type) - 1;
  }
  #freeLocal(node: Node): void {
    const list = this.#free.get(node.type);
    if (list === undefined) this.#free.set(node.type, [node.local]);
    else list.push(node.local);
  }

  #emitAll(statements: readonly Statement[], out: Bytes): void {
    for (let i = 0; i < statements.length; i++) {
      const s = statements[i];
      switch (s.t) {
        case "let":
          this.#emitLet(s.node, out);
          break;
        case "set":
          this.#push(s.value, out);
          out.byte(0x21).u32(s.variable);
          break;
        case "do":
          for (let i = 0; i < s.args.length; i++) this.#push(s.args[i], out);
          s.emit(out);
          break;
        case "if":
          this.#push(s.cond, out);
          if (s.hint !== undefined) this.hints.push({ offset: out.length, value: s.hint });
          out.byte(0x04).byte(BLOCK_VOID);
          this.#depth++;
          this.#emitAll(s.then, out);
          if (s.else.length > 0) {
            out.byte(0x05);
            this.#emitAll(s.else, out);
          }
          this.#depth--;
          out.byte(0x0b);
          break;
        case "block":
          out.byte(s.loop ? 0x03 : 0x02).byte(BLOCK_VOID);
          s.label.depth = ++this.#depth;
          if (s.loop) this.#loops++;
          this.#emitAll(s.body, out);
          if (s.loop) this.#loops--;
          this.#depth--;
          out.byte(0x0b);
          break;
        case "br":
          if (s.cond !== undefined) this.#push(s.cond, out);
          if (s.hint !== undefined) this.hints.push({ offset: out.length, value: s.hint });
          out.byte(s.cond === undefined ? 0x0c : 0x0d).u32(this.#depth - (typeof s.label === "function" ? s.label() : s.label).depth);
          break;
        case "table": {
          this.#push(s.index, out);
          out.byte(0x0e).u32(s.labels.length - 1);
          for (const label of s.labels) out.u32(this.#depth - label.depth);
          break;
        }
        case "mark":
          this.marks.push({ offset: out.length, tag: s.tag });
          break;
        case "sequence":
          this.#emitAll(s.body, out);
          break;
      }
    }
  }
  #emitLet(node: Node, out: Bytes): void {
    if (node.leaf) return;
    if (node.kind === PURE && node.uses < 2) return;
    if (node.uses === 0) {
      if (node.kind !== EFFECT) return;
      this.#emitTree(node, out);
      out.byte(0x1a);
      return;
    }
    this.#emitTree(node, out);
    node.local = this.#takeLocal(node.type);
    node.loops = this.#loops;
    out.byte(0x21).u32(node.local);
  }
  #push(node: Node, out: Bytes): void {
    if (node.local < 0) {
      this.#emitTree(node, out);
      return;
    }
    out.byte(0x20).u32(node.local);
    // A value from outside a loop is needed again in its next turn.
    if (--node.uses === 0 && node.loops === this.#loops) this.#freeLocal(node);
  }
  #emitTree(node: Node, out: Bytes): void {
    if (!node.leaf && node.pass === 2) throw new Error("a node was used outside the block that made it");
    node.pass = 2;
    const { args } = node;
    for (let i = 0; i < args.length; i++) this.#push(args[i], out);
    node.emit(out);
  }
}

/** Goes through the statements in the order of their emission and anchors the reads that an assignment would overtake. */
class Rehearsal {
  #now = 0;
  /** By variable: when it was assigned last. */
  readonly #assigned: Int32Array;
  readonly #created = new Map<Node, { readonly at: number; readonly loops: number }>();
  readonly #loops: { readonly begin: number; readonly uses: Node[] }[] = [];

  constructor(variables: number) {
    this.#assigned = new Int32Array(variables);
  }
  run(statements: readonly Statement[]): void {
    for (let i = 0; i < statements.length; i++) {
      const s = statements[i];
      this.#now++;
      switch (s.t) {
        case "let":
          this.#let(s.node);
          break;
        case "set":
          this.#push(s.value);
          this.#assigned[s.variable] = ++this.#now;
          break;
        case "do":
          for (let i = 0; i < s.args.length; i++) this.#push(s.args[i]);
          break;
        case "if":
          this.#push(s.cond);
          this.run(s.then);
          this.run(s.else);
          break;
        case "block":
          if (s.loop) this.#loop(s.body);
          else this.run(s.body);
          break;
        case "br":
          if (s.cond !== undefined) this.#push(s.cond);
          break;
        case "table":
          this.#push(s.index);
          break;
        case "sequence":
          this.run(s.body);
          break;
      }
    }
  }
  #loop(body: readonly Statement[]): void {
    const loop = { begin: this.#now, uses: [] as Node[] };
    this.#loops.push(loop);
    this.run(body);
    this.#loops.pop();
    // The next turn would read what this one assigned, wherever in the body that is.
    for (const node of loop.uses) if (this.#assigned[node.reads] > loop.begin) anchor(node);
  }
  #let(node: Node): void {
    if (node.reads >= 0) this.#created.set(node, { at: this.#now, loops: this.#loops.length });
    if (node.leaf || (node.kind === PURE && node.uses < 2)) return;
    if (node.uses > 0 || node.kind === EFFECT) this.#tree(node);
  }
  #push(node: Node): void {
    if (node.pass === 0) this.#tree(node);
  }
  #tree(node: Node): void {
    if (node.reads >= 0) {
      const { at, loops } = this.#created.get(node) as { at: number; loops: number };
      if (this.#assigned[node.reads] > at) anchor(node);
      else for (let i = loops; i < this.#loops.length; i++) this.#loops[i].uses.push(node);
      return;
    }
    if (!node.leaf) node.pass = 1;
    const { args } = node;
    for (let i = 0; i < args.length; i++) this.#push(args[i]);
  }
}
function anchor(read: Node): void {
  read.kind = ANCHORED;
  read.leaf = false;
}

const NOTHING: readonly Node[] = [];
function leaf(type: ValueType, constant: number | bigint | undefined, emit: (out: Bytes) => void, reads = -1): Node {
  return { type, args: NOTHING, emit, constant, kind: PURE, leaf: true, uses: 0, local: -1, pass: 0, loops: 0, reads, note: undefined };
}

/** Value of an integer operator on constants; undefined when it is not one of these, or not constant. */
function fold(name: string, args: readonly Node[]): bigint | undefined {
  const a = args[0], b = args.length > 1 ? args[1] : undefined;
  if (a.constant === undefined || (b !== undefined && b.constant === undefined)) return undefined;
  const x = BigInt(a.constant), y = b === undefined ? 0n : BigInt(b.constant as number | bigint);
  const bits = a.type === I64 ? 64 : 32;
  const unsigned = (v: bigint): bigint => BigInt.asUintN(bits, v);
  const count = y & BigInt(bits - 1);
  switch (name.slice(4)) {
    case "add": return BigInt.asIntN(bits, x + y);
    case "sub": return BigInt.asIntN(bits, x - y);
    case "mul": return BigInt.asIntN(bits, x * y);
    case "and": return x & y;
    case "or": return x | y;
    case "xor": return x ^ y;
    case "shl": return BigInt.asIntN(bits, x << count);
    case "shr_u": return BigInt.asIntN(bits, unsigned(x) >> count);
    case "shr_s": return x >> count;
    case "eqz": return x === 0n ? 1n : 0n;
    case "eq": return x === y ? 1n : 0n;
    case "ne": return x !== y ? 1n : 0n;
    case "lt_u": return unsigned(x) < unsigned(y) ? 1n : 0n;
    case "wrap_i64": return BigInt.asIntN(32, x);
    case "extend_i32_u": return BigInt.asUintN(32, x);
    case "extend_i32_s": return x;
    default: return undefined;
  }
}

const emitters = new Map<number, (out: Bytes) => void>();
function opcodeEmitter(prefix: number, code: number): (out: Bytes) => void {
  const key = (prefix << 16) | code;
  let emit = emitters.get(key);
  if (emit === undefined) {
    emit = prefix === 0 ? (out) => out.byte(code) : (out) => out.byte(prefix).u32(code);
    emitters.set(key, emit);
  }
  return emit;
}
function memoryEmitter(prefix: number, code: number, align: number, offset: Offset): (out: Bytes) => void {
  return (out) => {
    if (prefix === 0) out.byte(code);
    else out.byte(prefix).u32(code);
    out.u32(align).u32(typeof offset === "number" ? offset : offset());
  };
}

/** Counts how often each node that matters is used, last statement first: uses come after what they use. */
function countUses(statements: readonly Statement[]): void {
  for (let i = statements.length - 1; i >= 0; i--) {
    const s = statements[i];
    switch (s.t) {
      case "let":
        if (s.node.kind === EFFECT && s.node.uses === 0) useAll(s.node.args);
        break;
      case "set":
        use(s.value);
        break;
      case "do":
        useAll(s.args);
        break;
      case "if":
        countUses(s.else);
        countUses(s.then);
        use(s.cond);
        break;
      case "block":
        countUses(s.body);
        break;
      case "br":
        if (s.cond !== undefined) use(s.cond);
        break;
      case "table":
        use(s.index);
        break;
      case "sequence":
        countUses(s.body);
        break;
    }
  }
}
function use(node: Node): void {
  if (node.uses++ === 0) useAll(node.args);
}
function useAll(nodes: readonly Node[]): void {
  for (let i = 0; i < nodes.length; i++) use(nodes[i]);
}
