/** Runs a script in one of Debian's static shells, natively and under meniOS, in a fresh directory, and compares. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { expectSame, type GuestOutcome } from "./harness.ts";
import type { Pages } from "../machine/late-pages.ts";
import { BASH_SCRIPTS, BUSYBOX_SCRIPTS, ZSH_SCRIPTS } from "./shell-scripts.ts";

export const BUSYBOX = "/bin/busybox";

export interface Shell {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Goes before each script. */
  readonly prologue: string;
  readonly scripts: Readonly<Record<string, string>>;
}

const withMkdir = `mkdir() { ${BUSYBOX} mkdir "$@"; }\n`;
const SHELLS: readonly Shell[] = [
  { name: "busybox", program: BUSYBOX, args: ["sh", "-c"], prologue: "", scripts: BUSYBOX_SCRIPTS },
  { name: "bash", program: "/bin/bash-static", args: ["--norc", "-c"], prologue: withMkdir, scripts: BASH_SCRIPTS },
  { name: "zsh", program: "/bin/zsh-static", args: ["-f", "-c"], prologue: withMkdir, scripts: ZSH_SCRIPTS },
];
export const shells = SHELLS.filter((shell) => existsSync(shell.program));

/** Both sides work in a directory named `work`; the native one is emptied first. Test files that run at once need different ones. */
export function compareScript(shell: Shell, script: string, work: string, pages?: Pages): Promise<GuestOutcome> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  const enter = `cd ${work} 2>/dev/null || { ${BUSYBOX} mkdir ${work} && cd ${work}; }\n`;
  return expectSame({
    program: shell.program, args: [...shell.args, enter + shell.prologue + script], env: { PATH: "/nonexistent", HOME: work, LC_ALL: "C", PWD: work },
    visible: [BUSYBOX], ...(pages === undefined ? {} : { pages }),
  });
}
