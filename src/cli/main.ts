/** The `menios` command: options in, exit status out (DESIGN section 9). Our own failures are one line and status 125; a program that
 *  is not there 127, one that cannot be executed 126, a timeout 124. */
import { readFileSync } from "node:fs";
import { demo } from "./demo.ts";
import { plainRun } from "./options.ts";
import { CliError, run } from "./run.ts";

const packageUrl = new URL("../package.json", import.meta.url);

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  const plain = plainRun(argv);
  if (plain !== undefined) return run(plain);
  const { parse } = await import("./usage.ts");
  let status = 0;
  await parse(argv, version(), {
    run: async (options) => {
      status = await run(options);
    },
    demo: async () => {
      status = await demo();
    },
  });
  return status;
}

function version(): string {
  try {
    return (JSON.parse(readFileSync(packageUrl, "utf8")) as { version: string }).version;
  } catch {
    return "unknown";
  }
}

main().then(
  (status) => {
    process.exitCode = status;
    // Streams may keep the process alive (a terminal, an open pipe); everything is flushed by now.
    process.exit();
  },
  (error: unknown) => {
    const known = error instanceof CliError;
    process.stderr.write(`menios: ${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
    process.exit(known ? error.status : 125);
  },
);
