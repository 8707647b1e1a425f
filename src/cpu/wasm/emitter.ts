/** A WebAssembly module, byte by byte (WebAssembly Core Specification 2.0 §5, with tail calls). Knows the binary format and nothing of x86. */
import type { BranchHint } from "./graph.ts";
import type { ValueType } from "./opcodes.ts";

/** Growing byte string with the format's integer encodings. */
export class Bytes {
  #data: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  #length = 0;
  get length(): number {
    return this.#length;
  }
  byte(value: number): this {
    if (this.#length === this.#data.length) this.#grow(1);
    this.#data[this.#length++] = value;
    return this;
  }
  append(bytes: Uint8Array): this {
    if (this.#length + bytes.length > this.#data.length) this.#grow(bytes.length);
    this.#data.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }
  /** Unsigned LEB128 of a value below 2^32. */
  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.byte(rest);
  }
  /** Signed LEB128 of a 32-bit value. */
  s32(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }
  /** Signed LEB128 of a 64-bit value. */
  s64(value: bigint): this {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }
  name(text: string): this {
    return this.u32(text.length).text(text);
  }
  /** ASCII characters without a length. */
  text(text: string): this {
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
    return this;
  }
  take(): Uint8Array<ArrayBuffer> {
    return this.#data.slice(0, this.#length);
  }
  clear(): void {
    this.#length = 0;
  }
  #grow(extra: number): void {
    const larger = new Uint8Array(Math.max(this.#data.length * 2, this.#length + extra));
    larger.set(this.#data.subarray(0, this.#length));
    this.#data = larger;
  }
}

export interface FunctionType { readonly params: readonly ValueType[]; readonly results: readonly ValueType[] }
interface ImportedFunction { module: string; name: string; type: number }
interface DefinedFunction { type: number; locals: readonly ValueType[]; code: Uint8Array; exportName: string | undefined; hints: readonly BranchHint[] }

/** One module under construction. Imported functions must all be declared before the first defined one. */
export class ModuleBuilder {
  readonly #types: FunctionType[] = [];
  readonly #typeIndex = new Map<string, number>();
  readonly #imports: ImportedFunction[] = [];
  readonly #functions: DefinedFunction[] = [];
  #memory: { module: string; name: string; pages: number } | undefined;
  #importedTable: { module: string; name: string } | undefined;
  #ownTable: { size: number; exportName: string | undefined } | undefined;
  #elements: number[] = [];

  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    let index = this.#typeIndex.get(key);
    if (index === undefined) {
      index = this.#types.length;
      this.#types.push({ params, results });
      this.#typeIndex.set(key, index);
    }
    return index;
  }
  /** @param pages that it has at least: what lies there at constant addresses is reached without regard to the memory's end */
  importMemory(module: string, name: string, pages = 0): void {
    this.#memory = { module, name, pages };
  }
  importFunction(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    if (this.#functions.length > 0) throw new Error("imports come before functions");
    this.#imports.push({ module, name, type: this.type(params, results) });
    return this.#imports.length - 1;
  }
  /** An imported table of functions is number 0 and the module's own comes after it. */
  importTable(module: string, name: string): void {
    this.#importedTable = { module, name };
  }
  defineTable(size: number, exportName?: string): void {
    this.#ownTable = { size, exportName };
  }
  /** Entries of the module's own table from index 0. */
  setElements(functions: number[]): void {
    this.#elements = functions;
  }
  /** Adds a function whose body `code` ends with 0x0b; returns its index. `hints` have offsets in `code`. */
  addFunction(type: number, locals: readonly ValueType[], code: Uint8Array, exportName?: string, hints: readonly BranchHint[] = []): number {
    this.#functions.push({ type, locals, code, exportName, hints });
    return this.#imports.length + this.#functions.length - 1;
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    section(out, 1, this.#types.length, (b) => {
      for (const { params, results } of this.#types) {
        b.byte(0x60).u32(params.length);
        for (const p of params) b.byte(p);
        b.u32(results.length);
        for (const r of results) b.byte(r);
      }
    });
    const { module: tableModule, name: tableName } = this.#importedTable ?? { module: undefined, name: undefined };
    section(out, 2, this.#imports.length + (this.#memory ? 1 : 0) + (tableModule === undefined ? 0 : 1), (b) => {
      for (const { module, name, type } of this.#imports) b.name(module).name(name).byte(0).u32(type);
      if (this.#memory) b.name(this.#memory.module).name(this.#memory.name).byte(2).byte(0).u32(this.#memory.pages);
      if (tableModule !== undefined) b.name(tableModule).name(tableName).byte(1).byte(0x70).byte(0).u32(0);
    });
    section(out, 3, this.#functions.length, (b) => {
      for (const f of this.#functions) b.u32(f.type);
    });
    const own = this.#ownTable;
    const ownTable = tableModule === undefined ? 0 : 1;
    if (own !== undefined) section(out, 4, 1, (b) => b.byte(0x70).byte(0).u32(own.size));
    const tableExport = own?.exportName;
    const exported = this.#functions.filter((f) => f.exportName !== undefined).length + (tableExport === undefined ? 0 : 1);
    section(out, 7, exported, (b) => {
      this.#functions.forEach((f, i) => {
        if (f.exportName !== undefined) b.name(f.exportName).byte(0).u32(this.#imports.length + i);
      });
      if (tableExport !== undefined) b.name(tableExport).byte(1).u32(ownTable);
    });
    if (this.#elements.length > 0) {
      section(out, 9, 1, (b) => {
        b.byte(2).u32(ownTable).byte(0x41).s32(0).byte(0x0b).byte(0).u32(this.#elements.length);
        for (const f of this.#elements) b.u32(f);
      });
    }
    const bodies = this.#functions.map((f) => bodyOf(f));
    this.#hints(out, bodies);
    section(out, 10, bodies.length, (b) => {
      for (const { bytes } of bodies) b.u32(bytes.length).append(bytes);
    });
    return out.take();
  }

  /** Custom section metadata.code.branch_hint (WebAssembly branch hinting proposal); engines that do not know it pass over it. */
  #hints(out: Bytes, bodies: readonly { readonly codeAt: number }[]): void {
    const hinted = this.#functions.map((f, i) => ({ f, i })).filter(({ f }) => f.hints.length > 0);
    if (hinted.length === 0) return;
    const body = new Bytes();
    body.name("metadata.code.branch_hint").u32(hinted.length);
    for (const { f, i } of hinted) {
      body.u32(this.#imports.length + i).u32(f.hints.length);
      for (const { offset, value } of f.hints) body.u32(bodies[i].codeAt + offset).u32(1).byte(value);
    }
    out.byte(0).u32(body.length).append(body.take());
  }
}

/** Locals and code of a function, and how many bytes the locals take. */
function bodyOf(f: DefinedFunction): { readonly bytes: Uint8Array<ArrayBuffer>; readonly codeAt: number } {
  const body = new Bytes();
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of f.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  body.u32(runs.length);
  for (const { type, count } of runs) body.u32(count).byte(type);
  const codeAt = body.length;
  body.append(f.code);
  return { bytes: body.take(), codeAt };
}

function section(out: Bytes, id: number, count: number, fill: (body: Bytes) => void): void {
  if (count === 0) return;
  const body = new Bytes();
  body.u32(count);
  fill(body);
  out.byte(id).u32(body.length).append(body.take());
}
