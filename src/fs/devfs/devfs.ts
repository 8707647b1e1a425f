/** /dev: a tmpfs filled with the nodes that programs expect, served by drivers from the device table.
 *
 *    null zero full random urandom      memory devices
 *    tty                                the caller's controlling terminal (tty(4)), ENXIO without one
 *    console                            the machine's terminal, when it has one
 *    fd stdin stdout stderr             links into /proc/self/fd
 *    pts/0                              the machine's terminal under the name a terminal window gives it
 *    shm                                mount point for a tmpfs */
import { ENXIO } from "../../abi/linux/errno.ts";
import { O_NOCTTY } from "../../abi/linux/fcntl.ts";
import { makeDevice, S_IFCHR, S_IFDIR } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import type { Terminal } from "../tty/terminal.ts";
import { TerminalFile } from "../tty/terminal-file.ts";
import { Tmpfs } from "../tmpfs/tmpfs.ts";
import type { Owner } from "../vfs/credentials.ts";
import type { DeviceDriver } from "./device-table.ts";
import { FULL_DEVICE, NULL_DEVICE, RANDOM_DEVICE, registerMemoryDevices, URANDOM_DEVICE, ZERO_DEVICE } from "./memory-devices.ts";

export const TTY_DEVICE = makeDevice(5, 0);
export const CONSOLE_DEVICE = makeDevice(5, 1);
/** The terminal is /dev/pts/0, as it is for a program in a terminal window: ttyname(3) finds it there. */
export const TERMINAL_DEVICE = makeDevice(136, 0);

const ROOT: Owner = { uid: 0, gid: 0 };

/** Registers the drivers and makes the filesystem. @param terminal the machine's terminal, null when it has none; `owner` owns it */
export function makeDevfs(context: FsContext, terminal: Terminal | null, owner: Owner = ROOT): Tmpfs {
  registerMemoryDevices(context, context.devices);
  registerTerminals(context, terminal);
  const filesystem = new Tmpfs(context, { typeName: "devtmpfs", source: "devtmpfs", mode: 0o755 });
  const root = filesystem.root;
  const node = (name: string, device: number, mode: number): void => {
    root.mknod(name, S_IFCHR | mode, device, ROOT);
  };
  node("null", NULL_DEVICE, 0o666);
  node("zero", ZERO_DEVICE, 0o666);
  node("full", FULL_DEVICE, 0o666);
  node("random", RANDOM_DEVICE, 0o666);
  node("urandom", URANDOM_DEVICE, 0o666);
  node("tty", TTY_DEVICE, 0o666);
  if (terminal !== null) node("console", CONSOLE_DEVICE, 0o620);
  root.symlink("fd", "/proc/self/fd", ROOT);
  root.symlink("stdin", "/proc/self/fd/0", ROOT);
  root.symlink("stdout", "/proc/self/fd/1", ROOT);
  root.symlink("stderr", "/proc/self/fd/2", ROOT);
  root.mkdir("shm", S_IFDIR | 0o1777, ROOT);
  const pts = root.mkdir("pts", S_IFDIR | 0o755, ROOT);
  if (terminal !== null && typeof pts !== "number") pts.mknod("0", S_IFCHR | 0o620, TERMINAL_DEVICE, owner);
  return filesystem;
}

function registerTerminals(context: FsContext, terminal: Terminal | null): void {
  if (terminal === null) return;
  context.devices.register(TTY_DEVICE, (inode, location, flags, caller) =>
    terminal.isControllingOf(caller) ? new TerminalFile(terminal, inode, location, flags) : -ENXIO,
  );
  const open: DeviceDriver = (inode, location, flags, caller) => {
    // A session leader without a terminal gets this one, unless it says O_NOCTTY (open(2)).
    if ((flags & O_NOCTTY) === 0 && terminal.session === 0) terminal.takeSession(caller, false);
    return new TerminalFile(terminal, inode, location, flags & ~O_NOCTTY);
  };
  context.devices.register(TERMINAL_DEVICE, open);
  context.devices.register(CONSOLE_DEVICE, open);
}
