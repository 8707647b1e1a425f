/** What `int 0x80` speaks, and `syscall` under `--abi menios`: meniOS's numbers over the same handlers wherever the meaning is
 *  the same, and the few calls of its own. Registers in, table, errno out. */
import { MENIOS_SYSCALLS } from "../../abi/menios/syscall-numbers.ts";
import type { CallTable } from "../dispatch.ts";
import type { Row } from "../syscalls/define.ts";
import { meniosCalls } from "../syscalls/menios.ts";
import { meniosProcessCalls } from "../syscalls/process.ts";
import { meniosSignalCalls } from "../syscalls/signal.ts";
import { buildTable } from "./table.ts";

/** meniOS name → Linux name, where they differ and the handler is the same. */
const ALIASES: Readonly<Record<string, string>> = { yield: "sched_yield" };

export function meniosTable(linuxRows: readonly Row[]): CallTable {
  const own = [...meniosProcessCalls, ...meniosSignalCalls, ...meniosCalls];
  const taken = new Set(own.map((row) => row.name));
  const byName = new Map(linuxRows.map((row) => [row.name, row]));
  const shared: Row[] = [];
  for (const name of Object.keys(MENIOS_SYSCALLS)) {
    const row = byName.get(ALIASES[name] ?? name);
    if (row !== undefined && !taken.has(name)) shared.push(row.name === name ? row : { ...row, name });
  }
  const names = new Map(Object.entries(MENIOS_SYSCALLS).map(([name, number]) => [number as number, name]));
  return buildTable(MENIOS_SYSCALLS, [...own, ...shared], (number) => names.get(number) ?? `menios_0x${number.toString(16)}`);
}
