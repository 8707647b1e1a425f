/** A whole machine in a test: real memory, vm, files and kernel; a CPU of the test's choice; a tmpfs root; time by instructions. */
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from "../abi/linux/fcntl.ts";
import type { Cpu } from "../cpu/cpu.ts";
import { DeviceTable } from "../fs/devfs/device-table.ts";
import { type FsContext, READ_AHEAD_PAGES } from "../fs/context.ts";
import { MemoryBudget } from "../fs/memory-budget.ts";
import { bytesToString, byteStringOf } from "../fs/names.ts";
import { openInputStream, openOutputStream } from "../fs/stream/host-streams.ts";
import { Tmpfs } from "../fs/tmpfs/tmpfs.ts";
import { BufferSource } from "../fs/transfer.ts";
import { AnonymousFileSystem } from "../fs/vfs/anonymous.ts";
import { KERNEL_CALLER } from "../fs/vfs/credentials.ts";
import { MountTable } from "../fs/vfs/mount-table.ts";
import { open } from "../fs/vfs/open.ts";
import { PageCaches } from "../fs/vfs/page-caches.ts";
import { FIXED_CLOCK, SeededRandom } from "../host/host.ts";
import type { Mmu } from "../memory/mmu.ts";
import { Ram } from "../memory/ram.ts";
import type { Sink, TraceEvent } from "../trace/event.ts";
import { VmContext } from "../vm/context.ts";
import { startFirstProcess } from "./boot.ts";
import { Kernel, type KernelParts } from "./kernel.ts";
import { linuxTable } from "./personality/linux.ts";
import { meniosTable } from "./personality/menios.ts";
import type { Process } from "./process.ts";
import { linuxRows } from "./syscalls/index.ts";
import type { Row } from "./syscalls/define.ts";

export interface TestWorldOptions {
  readonly ramBytes?: number;
  readonly abi?: "linux" | "menios";
  /** Rows instead of or besides the real ones. */
  readonly rows?: readonly Row[];
  readonly parts?: Partial<KernelParts>;
  readonly uid?: number;
  /** What descriptor 0 gives before its end. */
  readonly input?: string;
}

export class TestWorld {
  readonly kernel: Kernel;
  readonly events: TraceEvent[] = [];
  readonly #uid: number;
  readonly #input: string;
  readonly #anonymous: AnonymousFileSystem;
  #output = "";
  #errors = "";

  constructor(makeCpu: (ram: Ram, mmu: Mmu) => Cpu, options: TestWorldOptions = {}) {
    const ram = new Ram(options.ramBytes ?? 64 << 20);
    const vm = new VmContext(ram);
    this.#uid = options.uid ?? 0;
    this.#input = options.input ?? "";
    const rows = options.rows ?? linuxRows;
    let host = 0;
    this.kernel = new Kernel({
      ram, vm, cpu: makeCpu(ram, vm.mmu), host: { clock: FIXED_CLOCK, random: new SeededRandom(1) }, deterministic: true, abi: options.abi ?? "linux",
      linux: linuxTable(rows), menios: meniosTable(rows), pacing: () => (host += 1000), ...options.parts,
    });
    const { kernel } = this;
    let device = 0;
    const context: FsContext = {
      ram, frames: vm.frames, clock: kernel.clock, random: (into) => kernel.host.random.fill(into), budget: MemoryBudget.ofRam(vm.frames.total),
      caches: new PageCaches(), devices: new DeviceTable(), nextDevice: () => ++device, readAhead: READ_AHEAD_PAGES,
      bytesWritten: (frame, offset, length) => vm.codeGuard.written(frame, offset, length),
    };
    const mounts = new MountTable();
    mounts.mount(new Tmpfs(context, { mode: 0o755 }), null);
    kernel.attachFiles(context, mounts);
    vm.outOfFrames = () => kernel.outOfFrames();
    this.#anonymous = new AnonymousFileSystem(context, "pipefs", 0x5049_5045);
  }

  trace(): this {
    const sink: Sink = { event: (event) => void this.events.push(event) };
    this.kernel.tracer.listen(sink);
    return this;
  }

  /** Puts a file at an absolute path whose directories exist. */
  write(path: string, bytes: Uint8Array, mode = 0o755): void {
    const { kernel } = this;
    const { root } = kernel.mounts;
    const file = open({ context: kernel.fs, root, base: root, caller: KERNEL_CALLER }, byteStringOf(path), O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (typeof file === "number") throw new Error(`cannot write ${path}: ${file}`);
    const written = file.write(new BufferSource(bytes));
    if (written !== bytes.length) throw new Error(`cannot write ${path}: ${written}`);
    file.release();
  }

  /** Starts the first process; -errno when it cannot be. */
  start(path: string, argv: readonly string[] = [path], env: readonly string[] = []): Process | number {
    const { kernel } = this;
    const owner = { uid: 0, gid: 0 };
    const input = this.#input;
    let given = false;
    const stdin = openInputStream({
      pull: (deliver) => {
        const bytes = Uint8Array.from(input, (character) => character.charCodeAt(0));
        deliver(given || bytes.length === 0 ? null : bytes);
        given = true;
      },
    }, this.#anonymous, kernel.mounts, owner, O_RDONLY);
    const output = (take: (text: string) => void) => openOutputStream({
      write: (bytes) => {
        take(bytesToString(bytes));
        return true;
      },
      drained: (resume) => resume(),
    }, this.#anonymous, kernel.mounts, owner, O_WRONLY);
    const files = [stdin, output((text) => (this.#output += text)), output((text) => (this.#errors += text))];
    const process = startFirstProcess(kernel, { path, argv, env, cwd: "/", files, uid: this.#uid, gid: this.#uid, umask: 0o22 });
    if (typeof process === "number") for (const file of files) file.release();
    return process;
  }

  /** Runs until every process is gone, and gives the first one's wait status. */
  run(slices = 10_000): number {
    for (let slice = 0; slice < slices; slice++) {
      const result = this.kernel.runSlice(10);
      if (result === "finished") return this.kernel.firstStatus!;
      if (result === "idle") throw new Error("everybody sleeps for ever");
      if (result === "limit") throw new Error("instruction limit");
    }
    throw new Error("does not end");
  }

  get output(): string {
    return this.#output;
  }
  get errors(): string {
    return this.#errors;
  }
}
