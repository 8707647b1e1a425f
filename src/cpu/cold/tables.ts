/** The decode tables and handler numbers, as the cold module carries them in its section "menios.instructions".
 *
 *  The build writes what the rows of cpu/instructions say (docs/decisions/0005-start-up.md), so that running a program takes neither
 *  the rows nor the time to read them. What an instruction means is code, which only the JIT needs: it comes from the rows, once they are
 *  loaded (`import "../instructions/index.ts"`), and must be the code that the module was built from.
 *  Encodings are made when their opcode is first met, and each once: the JIT keeps sets of them. */
import { OpcodeTables } from "../decode/tables.ts";
import { type Encoding, type InstructionOptions, isAnythingDefined, type Semantics, semanticsOf } from "../instructions/define.ts";
import type { OperandSpec } from "../instructions/operands.ts";
import { handlerFingerprint, type HandlerNumbers, HandlerTable } from "./handler-table.ts";

export const TABLES_SECTION = "menios.instructions";

/** Fingerprint of the module that this code was bundled with; not there when it runs from its sources. */
declare const MENIOS_FINGERPRINT: number | undefined;
/** Every host has it, though ECMAScript does not. */
declare const TextDecoder: new () => { decode(bytes: ArrayBuffer): string };

/** One encoding: what {@link InstructionTables} makes an Encoding of. The texts and objects are indices into the lists of {@link Tables}. */
type Row = readonly [
  mnemonic: number, map: number, opcode: number, registerInOpcode: 0 | 1, prefix: Encoding["prefix"], size: number, rexW: number,
  hasModRM: 0 | 1, digit: number, modRM: number, options: number, operands: readonly number[], handlers: HandlerNumbers, definition: number,
];

/** An encoding of these tables. */
interface Numbered extends Encoding { readonly numbers: HandlerNumbers }

/** The section's contents, as JSON. */
interface Tables {
  readonly fingerprint: number;
  readonly mnemonics: readonly string[];
  readonly options: readonly InstructionOptions[];
  readonly operands: readonly OperandSpec[];
  /** In the order of definition. */
  readonly rows: readonly Row[];
  /** Opcode map * 256 + opcode → rows. */
  readonly opcodes: Readonly<Record<number, readonly number[]>>;
}

/** What the build writes into the module's section. */
export function tablesOf(table: HandlerTable): string {
  const mnemonics = new Interned<string>();
  const options = new Interned<InstructionOptions>();
  const operands = new Interned<OperandSpec>();
  const opcodes: Record<number, number[]> = {};
  const rows = table.encodings.map((e, index): Row => {
    for (let i = 0; i < (e.registerInOpcode ? 8 : 1); i++) (opcodes[e.map * 256 + e.opcode + i] ??= []).push(index);
    return [
      mnemonics.indexOf(e.mnemonic), e.map, e.opcode, e.registerInOpcode ? 1 : 0, e.prefix, e.size, e.rexW,
      e.hasModRM ? 1 : 0, e.digit, e.modRM, options.indexOf(e.options), e.operands.map((o) => operands.indexOf(o)), table.numbers(e), e.definition,
    ];
  });
  const tables: Tables = { fingerprint: handlerFingerprint(table), mnemonics: mnemonics.list, options: options.list, operands: operands.list, rows, opcodes };
  return JSON.stringify(tables);
}

/** Equal values once. */
class Interned<T> {
  readonly list: T[] = [];
  readonly #indices = new Map<string, number>();
  indexOf(value: T): number {
    const key = JSON.stringify(value);
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    this.#indices.set(key, this.list.length);
    return this.list.push(value) - 1;
  }
}

export class InstructionTables {
  readonly opcodes: OpcodeTables;
  readonly #tables: Tables;
  readonly #made: (Encoding | undefined)[] = [];
  #meaningsChecked = false;

  /** Of a module that {@link buildColdModule} built. Throws when it has no tables or not those of this code. */
  constructor(module: WebAssembly.Module) {
    this.#tables = read(module);
    if (typeof MENIOS_FINGERPRINT !== "undefined" && MENIOS_FINGERPRINT !== this.#tables.fingerprint) throw otherSources();
    const { opcodes } = this.#tables;
    this.opcodes = new OpcodeTables([], (key) => opcodes[key]?.map((index) => this.#encoding(index)));
  }

  /** Handler numbers of an encoding of these tables. */
  numbers(encoding: Encoding): HandlerNumbers {
    return (encoding as Numbered).numbers;
  }
  /** Mnemonic of a handler's instruction, "" for those that no instruction has. */
  mnemonicOf(handler: number): string {
    const row = this.#tables.rows.find(([, , , , , , , , , , , , handlers]) => handlers.includes(handler));
    return row === undefined ? "" : this.#tables.mnemonics[row[0]];
  }
  /** True when the rows are loaded. */
  get knowMeanings(): boolean {
    return isAnythingDefined();
  }
  /** Throws unless the rows are loaded and are those that the module was built from. */
  requireMeanings(): void {
    if (this.#meaningsChecked) return;
    if (!isAnythingDefined()) throw new Error("translating code needs the instructions: import menios/cpu first");
    // In a bundle the rows are of the same build as the constant that was compared already.
    if (typeof MENIOS_FINGERPRINT === "undefined" && handlerFingerprint(new HandlerTable()) !== this.#tables.fingerprint) throw otherSources();
    this.#meaningsChecked = true;
  }

  #encoding(index: number): Encoding {
    const known = this.#made[index];
    if (known !== undefined) return known;
    // By number: an interpreted [a, b] = row makes an object for each element.
    const {
      0: mnemonic, 1: map, 2: opcode, 3: registerInOpcode, 4: prefix, 5: size, 6: rexW, 7: hasModRM, 8: digit, 9: modRM, 10: options, 11: operands,
      12: handlers, 13: definition,
    } = this.#tables.rows[index];
    const semantics: Semantics = (b, ...given) => semanticsOf(definition)(b, ...given);
    const encoding: Numbered = {
      mnemonic: this.#tables.mnemonics[mnemonic], row: "", definition, map, opcode, registerInOpcode: registerInOpcode === 1, prefix, size, rexW, hasModRM: hasModRM === 1, digit, modRM,
      operands: operands.map((operand) => this.#tables.operands[operand]), options: this.#tables.options[options], semantics, numbers: handlers,
    };
    this.#made[index] = encoding;
    return encoding;
  }
}

let latest: { readonly module: WebAssembly.Module; readonly tables: InstructionTables } | undefined;

/** The tables of `module`; machines that share a module share them. */
export function instructionTables(module: WebAssembly.Module): InstructionTables {
  if (latest?.module !== module) latest = { module, tables: new InstructionTables(module) };
  return latest.tables;
}

/** What bundles are built to accept (MENIOS_FINGERPRINT). */
export function fingerprintOf(module: WebAssembly.Module): number {
  return read(module).fingerprint;
}

function read(module: WebAssembly.Module): Tables {
  const sections = WebAssembly.Module.customSections(module, TABLES_SECTION);
  if (sections.length !== 1) throw otherSources();
  return JSON.parse(new TextDecoder().decode(sections[0])) as Tables;
}
function otherSources(): Error {
  return new Error("cold.wasm was built from other sources than this code: build the package again");
}
