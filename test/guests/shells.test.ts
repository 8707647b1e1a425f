/** busybox, bash and zsh from Debian, unmodified: scripts print the same and exit the same as natively. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { describe, test } from "vitest";
import { BASH_SCRIPTS, BUSYBOX_SCRIPTS, ZSH_SCRIPTS } from "./shell-scripts.ts";
import { expectSame } from "./harness.ts";

/** Both sides work in a directory of this name; the native one is emptied before each script. */
const WORK = "/tmp/menios.work";
const env = { PATH: "/nonexistent", HOME: WORK, LC_ALL: "C", PWD: WORK };

function compare(program: string, args: readonly string[], script: string): Promise<unknown> {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK);
  return expectSame({ program, args: [...args, `cd ${WORK} 2>/dev/null || { ${BUSYBOX} mkdir ${WORK} && cd ${WORK}; }\n${script}`], env, visible: [BUSYBOX] });
}

const BUSYBOX = "/bin/busybox";

describe.runIf(existsSync(BUSYBOX))("busybox", () => {
  for (const [name, script] of Object.entries(BUSYBOX_SCRIPTS)) {
    test(name, async () => {
      await compare(BUSYBOX, ["sh", "-c"], script);
    });
  }
});

describe.runIf(existsSync("/bin/bash-static"))("bash", () => {
  for (const [name, script] of Object.entries(BASH_SCRIPTS)) {
    test(name, async () => {
      await compare("/bin/bash-static", ["--norc", "-c"], `mkdir() { ${BUSYBOX} mkdir "$@"; }\n${script}`);
    });
  }
});

describe.runIf(existsSync("/bin/zsh-static"))("zsh", () => {
  for (const [name, script] of Object.entries(ZSH_SCRIPTS)) {
    test(name, async () => {
      await compare("/bin/zsh-static", ["-f", "-c"], `mkdir() { ${BUSYBOX} mkdir "$@"; }\n${script}`);
    });
  }
});
