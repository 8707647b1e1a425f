/** Every program of user/linux, linked statically with glibc and with musl: the same output natively and under meniOS. */
import { describe, test } from "vitest";
import { buildAllLinux } from "../../scripts/build-user.mjs";
import { expectSame } from "./harness.ts";

const programs = await buildAllLinux("linux");

for (const libc of ["glibc", "musl"]) {
  describe(libc, () => {
    for (const { name, path } of programs.filter((program) => program.libc === libc)) {
      test(`${name} prints the same and ends the same as natively`, async () => {
        await expectSame({ program: path });
      });
    }
  });
}
