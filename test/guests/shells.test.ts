/** busybox, bash and zsh from Debian, unmodified: scripts print the same and exit the same as natively. */
import { describe, test } from "vitest";
import { compareScript, shells } from "./shells.ts";

for (const shell of shells) {
  describe(shell.name, () => {
    for (const [name, script] of Object.entries(shell.scripts)) {
      test(name, async () => {
        await compareScript(shell, script, "/tmp/menios.work");
      });
    }
  });
}
