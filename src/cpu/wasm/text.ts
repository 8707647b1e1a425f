/** A function of a WebAssembly module as text, for listings and golden tests: what ModuleBuilder and Graph emit, nothing more.
 *
 *  Expressions are folded: one line per store, call, assignment and branch. Beside the text format's folded form, a local is written
 *  `$name`, a constant as its value, an access of fixed memory `[name]`, an offset `+n` behind the address, a branch's target by the
 *  number of its block or loop. */
import { allOperators, F32, F64, I32, I64, LOADS, type Operator, STORES, V128 } from "./opcodes.ts";

/** What locals and places in memory are called; undefined for what has no name. */
export interface TextNames {
  local(index: number): string | undefined;
  address(address: number): string | undefined;
}
export interface TextLine {
  /** Of the first byte of what the line shows, from the first byte behind the declaration of the locals. */
  readonly offset: number;
  /** Blocks around it. */
  readonly depth: number;
  readonly text: string;
}

const TYPES: Readonly<Record<number, string>> = { [I32]: "i32", [I64]: "i64", [F32]: "f32", [F64]: "f64", [V128]: "v128" };
const SECTION_TYPES = 1, SECTION_IMPORTS = 2, SECTION_FUNCTIONS = 3, SECTION_CODE = 10;

interface Signature { readonly params: number; readonly hasResult: boolean }
interface Callee extends Signature { readonly name: string }

/** Lines of defined function number `which`. Throws on an opcode that the tables do not know. */
export function functionText(module: Uint8Array, names: TextNames, which = 0): TextLine[] {
  const reader = new Reader(module);
  reader.at = 8;
  const types: Signature[] = [];
  const callees: Callee[] = [];
  while (reader.at < module.length) {
    const id = reader.byte();
    const end = reader.u32() + reader.at;
    if (id === SECTION_TYPES) for (let n = reader.u32(); n > 0; n--) types.push(reader.signature());
    else if (id === SECTION_IMPORTS) {
      for (let n = reader.u32(); n > 0; n--) {
        reader.name();
        const name = reader.name();
        const kind = reader.byte();
        if (kind === 0) callees.push({ name, ...types[reader.u32()] });
        else reader.importedThing(kind);
      }
    } else if (id === SECTION_FUNCTIONS) for (let n = reader.u32(), i = 0; n > 0; n--, i++) callees.push({ name: `function${i}`, ...types[reader.u32()] });
    else if (id === SECTION_CODE) {
      reader.u32();
      for (let i = 0; i < which; i++) reader.at += reader.u32();
      const stop = reader.u32() + reader.at;
      for (let n = reader.u32(); n > 0; n--) {
        reader.u32();
        reader.byte();
      }
      return new Body(reader, stop, names, types, callees).lines();
    }
    reader.at = end;
  }
  throw new Error("a module without code");
}

class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  byte(): number {
    return this.bytes[this.at++];
  }
  u32(): number {
    return Number(this.leb() & 0xffff_ffffn);
  }
  /** Unsigned. */
  leb(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  }
  signed(): bigint {
    const start = this.at;
    const value = this.leb();
    return BigInt.asIntN((this.at - start) * 7, value);
  }
  hex(count: number): string {
    let text = "";
    for (let i = count - 1; i >= 0; i--) text += this.bytes[this.at + i].toString(16).padStart(2, "0");
    this.at += count;
    return `0x${text.replace(/^0+(?=.)/, "")}`;
  }
  name(): string {
    const length = this.u32();
    const text = String.fromCharCode(...this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }
  signature(): Signature {
    this.byte();
    const params = this.u32();
    this.at += params;
    const results = this.u32();
    this.at += results;
    return { params, hasResult: results > 0 };
  }
  /** Limits of an imported table or memory. */
  importedThing(kind: number): void {
    if (kind === 1) this.byte();
    const limited = this.byte();
    this.u32();
    if ((limited & 1) !== 0) this.u32();
  }
}

const key = (prefix: number, code: number): number => (prefix << 16) | code;
const OPERATORS = new Map<number, Operator>([...allOperators()].map((operator) => [key(operator.prefix, operator.code), operator]));
const MEMORY = new Map<number, { readonly name: string; readonly isStore: boolean }>([
  ...Object.entries(LOADS).map(([name, { prefix, code }]) => [key(prefix, code), { name, isStore: false }] as const),
  ...Object.entries(STORES).map(([name, { prefix, code }]) => [key(prefix, code), { name, isStore: true }] as const),
]);

class Body {
  readonly #in: Reader;
  readonly #stop: number;
  readonly #base: number;
  readonly #names: TextNames;
  readonly #types: readonly Signature[];
  readonly #callees: readonly Callee[];
  readonly #stack: string[] = [];
  readonly #lines: TextLine[] = [];
  /** Open blocks: what a branch to them is called. */
  readonly #open: string[] = [];
  #blocks = 0;
  /** First byte of the statement under way. */
  #from = 0;

  constructor(reader: Reader, stop: number, names: TextNames, types: readonly Signature[], callees: readonly Callee[]) {
    this.#in = reader;
    this.#stop = stop;
    this.#base = reader.at;
    this.#names = names;
    this.#types = types;
    this.#callees = callees;
  }

  lines(): TextLine[] {
    const input = this.#in;
    while (input.at < this.#stop - 1) {
      if (this.#stack.length === 0) this.#from = input.at - this.#base;
      this.#instruction();
    }
    return this.#lines;
  }

  #instruction(): void {
    const input = this.#in;
    const first = input.byte();
    const isPrefix = first === 0xfc || first === 0xfd;
    const code = isPrefix ? input.u32() : first;
    const prefix = isPrefix ? first : 0;
    const access = MEMORY.get(key(prefix, code));
    if (access !== undefined) return this.#access(access.name, access.isStore);
    const operator = OPERATORS.get(key(prefix, code));
    if (operator !== undefined) {
      const lanes = Array.from({ length: operator.lanes }, () => String(input.byte()));
      return this.#push(operator.name, lanes, this.#pop(operator.arity));
    }
    if (prefix !== 0) return this.#prefixed(prefix, code);
    switch (code) {
      case 0x00: return this.#line("unreachable");
      case 0x02: case 0x03: case 0x04: return this.#begin(code);
      case 0x05:
        this.#line("else", -1);
        return;
      case 0x0b:
        this.#open.pop();
        return this.#line("end");
      case 0x0c: return this.#line(`br ${this.#target()}`);
      case 0x0d: {
        const target = this.#target();
        return this.#line(`br_if ${target} ${this.#pop(1)[0]}`);
      }
      case 0x0e: {
        const targets = Array.from({ length: input.u32() + 1 }, () => this.#target());
        return this.#line(`br_table ${targets.join(" ")} ${this.#pop(1)[0]}`);
      }
      case 0x0f: return this.#line(`return ${this.#pop(1)[0]}`);
      case 0x10: case 0x12: return this.#call(this.#callees[input.u32()], code === 0x12);
      case 0x11: case 0x13: return this.#callIndirect(code === 0x13);
      case 0x1a: return this.#line(`drop ${this.#pop(1)[0]}`);
      case 0x1b: return this.#push("select", [], this.#pop(3));
      case 0x1c:
        input.at += input.u32();
        return this.#push("select", [], this.#pop(3));
      case 0x20: return void this.#stack.push(this.#local(input.u32()));
      case 0x21: return this.#line(`${this.#local(input.u32())} = ${this.#pop(1)[0]}`);
      case 0x41: case 0x42: return void this.#stack.push(constant(input.signed()));
      case 0x43: return void this.#stack.push(`f32:${input.hex(4)}`);
      case 0x44: return void this.#stack.push(`f64:${input.hex(8)}`);
      default: throw new Error(`no name for opcode 0x${code.toString(16)}`);
    }
  }
  #prefixed(prefix: number, code: number): void {
    const input = this.#in;
    if (prefix === 0xfd && code === 0x0c) this.#stack.push(`v128:${input.hex(16)}`);
    else if (prefix === 0xfc && code === 10) {
      input.at += 2;
      this.#line(`memory.copy ${this.#pop(3).join(" ")}`);
    } else throw new Error(`no name for opcode 0x${prefix.toString(16)} 0x${code.toString(16)}`);
  }

  #access(name: string, isStore: boolean): void {
    const input = this.#in;
    input.u32();
    const offset = input.u32();
    const value = isStore ? this.#pop(1)[0] : "";
    const address = this.#pop(1)[0];
    let place = address;
    if (/^\d+$/.test(address)) place = `[${this.#names.address(Number(address) + offset) ?? `0x${(Number(address) + offset).toString(16)}`}]`;
    else if (offset !== 0) place += `+${offset}`;
    if (isStore) this.#line(`${name} ${place} ${value}`);
    else this.#push(name, [], [place]);
  }
  #begin(code: number): void {
    const type = this.#in.byte();
    const result = type === 0x40 ? "" : ` ${TYPES[type]}`;
    const number = `@${++this.#blocks}`;
    const text = code === 0x02 ? `block ${number}${result}` : code === 0x03 ? `loop ${number}${result}` : `if${result} ${this.#pop(1)[0]}`;
    this.#line(text);
    this.#open.push(number);
  }
  #call({ name, params, hasResult }: Callee, isTail: boolean): void {
    const args = this.#pop(params);
    if (isTail) this.#line(`return_call ${[name, ...args].join(" ")}`);
    else if (hasResult) this.#push(name, [], args);
    else this.#line(`call ${[name, ...args].join(" ")}`);
  }
  #callIndirect(isTail: boolean): void {
    const { params, hasResult } = this.#types[this.#in.u32()];
    const table = this.#in.u32();
    const target = this.#pop(1)[0];
    const args = this.#pop(params);
    const name = `table${table}[${target}]`;
    if (isTail) this.#line(`return_call ${[name, ...args].join(" ")}`);
    else if (hasResult) this.#push(name, [], args);
    else this.#line(`call ${[name, ...args].join(" ")}`);
  }

  #local(index: number): string {
    return `$${this.#names.local(index) ?? index}`;
  }
  #target(): string {
    const depth = this.#in.u32();
    return this.#open[this.#open.length - 1 - depth] ?? "return";
  }
  #push(name: string, immediates: readonly string[], args: readonly string[]): void {
    this.#stack.push(`(${[name, ...immediates, ...args].join(" ")})`);
  }
  #pop(count: number): string[] {
    if (this.#stack.length < count) throw new Error("an operand is missing");
    return this.#stack.splice(this.#stack.length - count, count);
  }
  #line(text: string, depth = 0): void {
    this.#lines.push({ offset: this.#from, depth: this.#open.length + depth, text });
  }
}

/** Small numbers in decimal, others as signed hexadecimal. */
function constant(value: bigint): string {
  if (value > -4096n && value < 4096n) return value.toString();
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
