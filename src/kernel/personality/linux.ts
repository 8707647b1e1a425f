/** What `syscall` speaks: Linux's numbers for x86-64. Calls without a row are named and answered with ENOSYS. */
import { LINUX_SYSCALLS, linuxSyscallName } from "../../abi/linux/syscall-numbers.ts";
import type { CallTable } from "../dispatch.ts";
import type { Row } from "../syscalls/define.ts";
import { buildTable } from "./table.ts";

export function linuxTable(rows: readonly Row[]): CallTable {
  return buildTable(LINUX_SYSCALLS, rows, linuxSyscallName);
}
