/** The native side: builds runner.c with the host's gcc and talks to it. A batch is answered while the next one is made. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FS_BASE_VALUE, GS_BASE_VALUE, OUT_BYTES } from "./layout.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** True when this host can run the native side at all. */
export function nativeAvailable(): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  try {
    execFileSync("gcc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export function buildRunner(): string {
  mkdirSync(`${root}.tmp`, { recursive: true });
  const target = `${root}.tmp/cpu-oracle-runner-${process.pid}`;
  execFileSync("gcc", [
    "-O2",
    "-static",
    "-nostdlib",
    "-ffreestanding",
    "-fno-pie",
    "-no-pie",
    "-fno-stack-protector",
    "-mgeneral-regs-only",
    "-mno-red-zone",
    "-fcf-protection=none",
    "-Wl,-Ttext-segment=0x30000000",
    "-o",
    target,
    fileURLToPath(new URL("runner.c", import.meta.url)),
  ]);
  return target;
}

export class Native {
  readonly #child: ChildProcess;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #wanted = 0;
  #resolve: (() => void) | undefined;
  #ended: string | undefined;

  /** @param initial contents of P0, P1, P3, P4. */
  constructor(program: string, initial: Uint8Array) {
    this.#child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes >= this.#wanted) this.#resolve?.();
    });
    this.#child.on("exit", (code, signal) => {
      this.#ended = `native runner ended: ${code ?? signal}`;
      this.#resolve?.();
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stdin?.write(initial);
    const bases = new BigUint64Array([BigInt(FS_BASE_VALUE), BigInt(GS_BASE_VALUE)]);
    this.#child.stdin?.write(new Uint8Array(bases.buffer));
  }

  /** Runs `count` cases of `inputs`: their outputs, and the number of bytes changed outside the windows. */
  async run(inputs: Uint8Array, count: number): Promise<{ outputs: Uint8Array; strays: number }> {
    this.#child.stdin?.write(new Uint8Array(Uint32Array.of(count).buffer));
    this.#child.stdin?.write(inputs);
    this.#wanted = count * OUT_BYTES + 4;
    if (this.#bytes < this.#wanted && this.#ended === undefined) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#resolve = undefined;
    if (this.#bytes < this.#wanted) throw new Error(this.#ended ?? "native runner is short of output");
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks.length = 0;
    this.#bytes = 0;
    return { outputs: all, strays: new DataView(all.buffer).getUint32(count * OUT_BYTES, true) };
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
