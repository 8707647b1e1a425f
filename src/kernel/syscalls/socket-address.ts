/** struct sockaddr_un between user memory and names (unix(7)), and making sockets. */
import { EAFNOSUPPORT, EBADF, ECONNREFUSED, EINVAL, ENOTSOCK } from "../../abi/linux/errno.ts";
import { AF_UNIX, SOCKADDR_UN_BYTES } from "../../abi/linux/socket.ts";
import { S_IFSOCK } from "../../abi/linux/stat.ts";
import { bytesToString, stringToBytes } from "../../fs/names.ts";
import { AnonymousInode } from "../../fs/vfs/anonymous.ts";
import { checkPermission, MAY_WRITE } from "../../fs/vfs/credentials.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import type { Call } from "../call.ts";
import type { Kernel } from "../kernel.ts";
import { objectsOf } from "../objects.ts";
import type { PeerCredentials } from "../socket/packet.ts";
import { UnixSocket } from "../socket/unix-socket.ts";
import type { Task } from "../task.ts";
import { fileOf } from "./file-arguments.ts";

export interface SocketAddress {
  readonly family: number;
  /** "" when only the family was given; a path, or an abstract name with its leading NUL. */
  readonly name: string;
}

/** The address at `address`: -EINVAL, -EFAULT or PARKED. */
export function readAddress(call: Call, address: number, length: number): SocketAddress | number {
  const bytes = length | 0;
  // struct sockaddr_storage is the largest that the socket layer takes.
  if (bytes < 0 || bytes > 128) return -EINVAL;
  if (bytes === 0) return { family: 0, name: "" };
  const failed = call.fetch(address, bytes);
  if (failed < 0) return failed;
  if (bytes < 2) return -EINVAL;
  const family = call.scratch.getUint16(0, true);
  if (family !== AF_UNIX) return { family, name: "" };
  if (bytes > SOCKADDR_UN_BYTES) return -EINVAL;
  const raw = bytesToString(new Uint8Array(call.scratch.buffer, 0, bytes).slice(2));
  if (raw.startsWith("\0")) return { family, name: raw };
  const end = raw.indexOf("\0");
  return { family, name: end < 0 ? raw : raw.slice(0, end) };
}

/** The bytes of a sockaddr_un for a name; only the family for none. */
export function addressBytes(name: string | undefined): Uint8Array {
  const text = name === undefined || name === "" ? "" : name.startsWith("\0") ? name : `${name}\0`;
  const bytes = new Uint8Array(2 + text.length);
  bytes[0] = AF_UNIX;
  bytes.set(stringToBytes(text), 2);
  return bytes;
}
/** Stores as much of an address as the caller has room for, and its whole length: 0, -EINVAL, -EFAULT or PARKED. */
export function storeAddress(call: Call, name: string | undefined, address: number, lengthAddress: number): number {
  const room = call.readU32(lengthAddress);
  if (room < 0) return room;
  if ((room | 0) < 0) return -EINVAL;
  const bytes = addressBytes(name);
  const stored = call.copyOut(address, bytes.subarray(0, Math.min(room, bytes.length)));
  return stored < 0 ? stored : call.writeU32(lengthAddress, bytes.length);
}

/** The socket that an address names, for the caller to connect or send to: -ECONNREFUSED, -EACCES, PARKED… */
export function findSocket(call: Call, target: SocketAddress): UnixSocket | number {
  if (target.family !== AF_UNIX || target.name === "") return target.family === AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
  const { socketNames } = objectsOf(call.kernel);
  if (target.name.startsWith("\0")) return socketNames.findAbstract(target.name) ?? -ECONNREFUSED;
  const location = resolve(call.kernel.walk(call.task), target.name);
  if (typeof location === "number") return call.finish(location, "UNINTERRUPTIBLE");
  const { inode } = location.dentry;
  const allowed = checkPermission(inode, MAY_WRITE, call.task);
  if (allowed < 0) return allowed;
  if (inode.type !== S_IFSOCK) return -ECONNREFUSED;
  return socketNames.findPath(inode) ?? -ECONNREFUSED;
}

export const credentialsOfTask = (task: Task): PeerCredentials => ({ pid: task.process.pid, uid: task.credentials.euid, gid: task.credentials.egid });

export function makeSocket(kernel: Kernel, task: Task, type: number, flags: number): UnixSocket {
  const objects = objectsOf(kernel);
  const inode = new AnonymousInode(objects.sockets, S_IFSOCK | 0o777, task.uid, task.gid);
  const location = kernel.mounts.placelessLocation(objects.sockets, inode, `socket:[${inode.ino}]`);
  const sender = (): PeerCredentials => credentialsOfTask(kernel.scheduler.current ?? task);
  return new UnixSocket({ context: kernel.fs, names: objects.socketNames, inode, location, sender, collect: () => objects.collectSockets() }, type, flags, credentialsOfTask(task));
}

/** The socket behind a descriptor, -EBADF or -ENOTSOCK. */
export function socketOf(call: Call, fd: number): UnixSocket | number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  return file instanceof UnixSocket ? file : -ENOTSOCK;
}
