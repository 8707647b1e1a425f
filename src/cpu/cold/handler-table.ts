/** Every handler of the cold engine: which there are, and their numbers.
 *
 *  One handler serves all encodings with the same meaning, widths and operand forms. Numbers follow from the order of definition; the
 *  module built from them carries them along (cold/tables.ts). */
import { allEncodings, type Encoding } from "../instructions/define.ts";
import type { Form } from "./cold-builder.ts";
import { FIRST_INSTRUCTION_HANDLER } from "./record.ts";

/** What the rm operand is. */
export const FORM_REGISTER = 0;
export const FORM_BASE = 1;
export const FORM_FULL = 2;
const RM_FORMS: readonly Form[] = ["r", "b", "x"];

/** Handler numbers of one encoding by rm form, or -1. */
export type HandlerNumbers = readonly [number, number, number];

export interface Handler { readonly encoding: Encoding; readonly forms: readonly Form[]; readonly key: string }

export class HandlerTable {
  readonly handlers: Handler[] = [];
  readonly encodings: readonly Encoding[];
  readonly #numbers = new Map<Encoding, HandlerNumbers>();

  constructor(encodings: readonly Encoding[] = allEncodings()) {
    this.encodings = encodings;
    const byKey = new Map<string, number>();
    const semanticsIds = new Map<unknown, number>();
    for (const encoding of encodings) {
      let id = semanticsIds.get(encoding.semantics);
      if (id === undefined) {
        id = semanticsIds.size;
        semanticsIds.set(encoding.semantics, id);
      }
      const numbers: [number, number, number] = [-1, -1, -1];
      for (const form of rmForms(encoding)) {
        const forms = operandForms(encoding, RM_FORMS[form]);
        const key = `${id}:${encoding.operands.map((o, i) => `${o.class}${o.width}${forms[i]}${o.aligned && forms[i] !== "r" ? "a" : ""}${forms[i] === "i" && o.source === "fixed" ? "f" : ""}`).join()}`;
        let number = byKey.get(key);
        if (number === undefined) {
          number = FIRST_INSTRUCTION_HANDLER + this.handlers.length;
          byKey.set(key, number);
          this.handlers.push({ encoding, forms, key: `${encoding.mnemonic} ${key}` });
        }
        numbers[form] = number;
      }
      this.#numbers.set(encoding, numbers);
    }
  }
  numbers(encoding: Encoding): HandlerNumbers {
    return this.#numbers.get(encoding) as HandlerNumbers;
  }
  get count(): number {
    return FIRST_INSTRUCTION_HANDLER + this.handlers.length;
  }
}

function rmForms(encoding: Encoding): number[] {
  // Where there are two (maskmov), the one that can be memory decides.
  const rm = encoding.operands.find((o) => o.allowsMemory) ?? encoding.operands.find((o) => o.source === "rm");
  if (rm === undefined) return [FORM_REGISTER];
  return [...(rm.allowsRegister ? [FORM_REGISTER] : []), ...(rm.allowsMemory ? [FORM_BASE, FORM_FULL] : [])];
}

function operandForms(encoding: Encoding, rmForm: Form): Form[] {
  return encoding.operands.map((o) => {
    if (o.allowsMemory) return rmForm;
    if (o.class === "imm") return "i";
    if (o.class === "rel") return "rel";
    return "r";
  });
}

/** A number that changes when the set or order of handlers does (FNV-1a over the keys). */
export function handlerFingerprint(table: HandlerTable): number {
  let hash = 0x811c9dc5;
  for (const { key } of table.handlers) {
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
