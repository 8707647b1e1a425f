/** Other people's malloc: jemalloc and mimalloc on Linux's gate, mimalloc on the meniOS libc through `int 0x80`. */
import { expect, test } from "vitest";
import { buildAllocators } from "../../scripts/build-user.mjs";
import { expectSame, runGuest, runNative } from "./harness.ts";

const programs = await buildAllocators();
const args = ["6000"];
const expected = runNative({ program: programs.find((program) => program.name === "stress-glibc")!.path, args });

for (const { name, path, menios } of programs) {
  test(`${name} gives every byte back as it was written`, async () => {
    if (!menios) {
      await expectSame({ program: path, args });
      return;
    }
    const { stdout, stderr, status, leaks } = await runGuest({ program: path, args });
    expect({ stdout, stderr, status }).toEqual(expected);
    expect(leaks).toEqual([]);
  });
}

test("mimalloc's sources could be had", (context) => {
  if (!programs.some((program) => program.name === "stress-mimalloc-menios")) context.skip("Debian's source archive is not reachable");
});
