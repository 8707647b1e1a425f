/** /proc: the machine's state as files (proc(5)). Everything comes from the kernel's {@link SystemView} when it is read. */
import { ENOENT } from "../../abi/linux/errno.ts";
import { direntType, type FileSystemStatus, PROC_MAGIC, S_IFDIR } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import { MAX_PIPE_BYTES } from "../pipe/pipe.ts";
import type { EmitEntry, FileSystem, Inode } from "../vfs/inode.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import { ProcDirectory, ProcLink, ProcText } from "./nodes.ts";
import { emitIds, makeProcessDirectory, parseId } from "./process-directory.ts";
import { cpuinfoText, FILESYSTEMS_TEXT, loadText, meminfoText, statText, uptimeText, versionText } from "./system-text.ts";
import type { ProcessView, SystemView } from "./view.ts";

/** Cookies from here on name processes; below are the fixed files. */
const PROCESS_COOKIES = 256;

export class Procfs implements FileSystem {
  readonly typeName = "proc";
  readonly source = "proc";
  readonly device: number;
  readonly root: ProcRoot;
  readonly volatileNames = true;
  readonly readOnly = false;
  readonly context: FsContext;
  readonly system: SystemView;
  readonly mounts: MountTable;
  private lastInode = 0;

  constructor(context: FsContext, system: SystemView, mounts: MountTable) {
    this.context = context;
    this.system = system;
    this.mounts = mounts;
    this.device = context.nextDevice();
    this.root = new ProcRoot(this);
    this.fill();
  }

  nextInode(): number {
    return ++this.lastInode;
  }

  statfs(): FileSystemStatus {
    const none = { blocks: 0, blocksFree: 0, blocksAvailable: 0, files: 0, filesFree: 0 };
    return { type: PROC_MAGIC, blockSize: 4096, ...none, nameLength: 255, flags: 0 };
  }

  destroy(): void {}

  private fill(): void {
    const { system } = this;
    const text = (parent: ProcDirectory, name: string, generate: () => string): void => {
      parent.add(name, new ProcText(this, generate));
    };
    const directory = (parent: ProcDirectory, name: string): ProcDirectory => {
      const made = new ProcDirectory(this);
      parent.add(name, made);
      return made;
    };
    const root = this.root;
    root.add("self", new ProcLink(this, (caller) => (caller.processId === 0 ? -ENOENT : String(caller.processId))));
    root.add("thread-self", new ProcLink(this, (caller) => (caller.processId === 0 ? -ENOENT : `${caller.processId}/task/${caller.threadId}`)));
    root.add("mounts", new ProcLink(this, () => "self/mounts"));
    text(root, "cpuinfo", () => cpuinfoText(system));
    text(root, "filesystems", () => FILESYSTEMS_TEXT);
    text(root, "loadavg", () => loadText(system));
    text(root, "meminfo", () => meminfoText(system));
    text(root, "stat", () => statText(system));
    text(root, "uptime", () => uptimeText(system));
    text(root, "version", () => versionText(system));
    text(root, "cmdline", () => "\n");

    const sys = directory(root, "sys");
    const kernel = directory(sys, "kernel");
    text(kernel, "osrelease", () => `${system.names.release}\n`);
    text(kernel, "ostype", () => `${system.names.sysname}\n`);
    text(kernel, "version", () => `${system.names.version}\n`);
    text(kernel, "hostname", () => `${system.names.nodename}\n`);
    text(kernel, "domainname", () => `${system.names.domainname}\n`);
    text(kernel, "pid_max", () => `${system.maxProcessId}\n`);
    text(kernel, "threads-max", () => `${system.maxProcessId}\n`);
    text(kernel, "ngroups_max", () => "65536\n");
    text(kernel, "cap_last_cap", () => "40\n");
    text(kernel, "randomize_va_space", () => "0\n");
    const random = directory(kernel, "random");
    const boot = this.uuid();
    text(random, "boot_id", () => `${boot}\n`);
    text(random, "uuid", () => `${this.uuid()}\n`);
    const vm = directory(sys, "vm");
    text(vm, "overcommit_memory", () => `${system.overcommitMode}\n`);
    text(vm, "overcommit_ratio", () => "50\n");
    text(vm, "max_map_count", () => `${system.maxMapCount}\n`);
    text(vm, "mmap_min_addr", () => `${system.mmapMinAddress}\n`);
    const fs = directory(sys, "fs");
    text(fs, "pipe-max-size", () => `${MAX_PIPE_BYTES}\n`);
    text(fs, "file-max", () => `${system.maxOpenFiles}\n`);
    text(fs, "nr_open", () => `${system.maxOpenFiles}\n`);
  }

  /** A random version 4 UUID (RFC 9562 §5.4). */
  private uuid(): string {
    const bytes = new Uint8Array(16);
    this.context.random(bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join("-");
  }
}

/** The top directory: the fixed files and one directory for each process. */
class ProcRoot extends ProcDirectory {
  private readonly processes = new Map<number, { readonly startTicks: number; readonly inode: Inode }>();

  override lookup(name: string): Inode | number {
    const id = parseId(name);
    if (id === null) return super.lookup(name);
    const process = this.filesystem.system.findProcess(id);
    if (process === undefined) {
      this.processes.delete(id);
      return -ENOENT;
    }
    const known = this.processes.get(id);
    if (known !== undefined && known.startTicks === process.startTicks) {
      known.inode.uid = process.userIds.effective;
      known.inode.gid = process.groupIds.effective;
      return known.inode;
    }
    const inode = makeProcessDirectory(this.filesystem, process, () => this.sameProcess(id, process.startTicks));
    this.processes.set(id, { startTicks: process.startTicks, inode });
    this.forgetTheDead();
    return inode;
  }

  override readdir(cookie: number, emit: EmitEntry): number {
    let full = false;
    if (cookie < PROCESS_COOKIES) {
      super.readdir(cookie, (name, ino, type, next) => {
        full = !emit(name, ino, type, next);
        return !full;
      });
      if (full) return 0;
    }
    const ids = [...this.filesystem.system.processes()].map((process) => process.processId);
    const shifted: EmitEntry = (name, ino, type, next) => emit(name, ino, type, next + PROCESS_COOKIES);
    return emitIds(ids, Math.max(0, cookie - PROCESS_COOKIES), shifted, direntType(S_IFDIR), (id) => this.lookup(String(id)));
  }

  private sameProcess(id: number, startTicks: number): ProcessView | undefined {
    const process = this.filesystem.system.findProcess(id);
    return process?.startTicks === startTicks ? process : undefined;
  }

  private forgetTheDead(): void {
    for (const id of this.processes.keys()) if (this.filesystem.system.findProcess(id) === undefined) this.processes.delete(id);
  }
}
