/** From rows and numbers to the table that dispatch indexes. */
import { KernelPanic } from "../../base/assert.ts";
import type { CallTable } from "../dispatch.ts";
import type { Row } from "../syscalls/define.ts";

/** Rows in the places their names have in `numbers`. A row without a number is our mistake. */
export function buildTable(numbers: Readonly<Record<string, number>>, rows: readonly Row[], nameOf: (number: number) => string): CallTable {
  const table: (Row | undefined)[] = [];
  for (const row of rows) {
    const number = numbers[row.name];
    if (number === undefined) throw new KernelPanic(`system call ${row.name} has no number`);
    if (table[number] !== undefined) throw new KernelPanic(`system call ${row.name} is defined twice`);
    table[number] = row;
  }
  return { rows: table, nameOf };
}
