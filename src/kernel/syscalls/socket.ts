/** Making, naming, connecting and adjusting sockets: socket(2), bind(2), connect(2), accept(2), getsockopt(2). The only family is
 *  AF_UNIX: a machine has no network. Sending and receiving is in socket-message.ts. */
import {
  EADDRINUSE, EAFNOSUPPORT, EAGAIN, EDOM, EEXIST, EINVAL, EMFILE, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP, EPERM, EPROTONOSUPPORT, ESOCKTNOSUPPORT,
} from "../../abi/linux/errno.ts";
import { O_NONBLOCK } from "../../abi/linux/fcntl.ts";
import {
  AF_UNIX, AF_UNSPEC, SO_ACCEPTCONN, SO_BROADCAST, SO_DEBUG, SO_DOMAIN, SO_DONTROUTE, SO_ERROR, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE, SO_PASSCRED,
  SO_PEERCRED, SO_PRIORITY, SO_PROTOCOL, SO_RCVBUF, SO_RCVBUFFORCE, SO_RCVLOWAT, SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_SNDBUFFORCE,
  SO_SNDLOWAT, SO_SNDTIMEO, SO_TIMESTAMP, SO_TYPE, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, SOCK_TYPE_MASK,
  SOL_SOCKET, UCRED_BYTES,
} from "../../abi/linux/socket.ts";
import { RLIMIT_NOFILE } from "../../abi/linux/resource.ts";
import { S_IFSOCK } from "../../abi/linux/stat.ts";
import { NANOSECONDS } from "../../abi/linux/time.ts";
import { takeBlocker, WOULD_BLOCK } from "../../fs/wait.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { makeNode, unlink } from "../../fs/vfs/tree.ts";
import type { Call } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { objectsOf } from "../objects.ts";
import { UnixSocket } from "../socket/unix-socket.ts";
import { fd, full, int, intPairOut, oneOf, partial, sys, type Row } from "./define.ts";
import { descriptorRoom, installFile, put64, signed64 } from "./file-arguments.ts";
import { installPair } from "./open.ts";
import { credentialsOfTask, findSocket, makeSocket, readAddress, socketOf, storeAddress } from "./socket-address.ts";
import { addressIn, addressOut, family, lengthInOut, optionLevel, optionName, optionValueIn, optionValueOut, protocol, socketFlags, socketType } from "./socket-text.ts";

// Making ----------------------------------------------------------------------------------------------------------------

/** Checks in Linux's order (net/socket.c, unix_create): the type SOCK_RAW means datagrams, for old programs. */
function checkKind(domain: number, typeAndFlags: number, protocol: number): number {
  const type = typeAndFlags & SOCK_TYPE_MASK;
  if ((typeAndFlags & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) return -EINVAL;
  if (domain < 0 || domain >= 46) return -EAFNOSUPPORT;
  if (type > 10) return -EINVAL;
  if (domain !== AF_UNIX) return -EAFNOSUPPORT;
  if (protocol !== 0 && protocol !== AF_UNIX) return -EPROTONOSUPPORT;
  if (type === SOCK_RAW) return SOCK_DGRAM;
  return type === SOCK_STREAM || type === SOCK_DGRAM || type === SOCK_SEQPACKET ? type : -ESOCKTNOSUPPORT;
}

function socket(call: Call, domain: number, typeAndFlags: number, protocol: number): number {
  const type = checkKind(domain, typeAndFlags, protocol);
  if (type < 0) return type;
  const room = descriptorRoom(call);
  if (room < 0) return room;
  return installFile(call, makeSocket(call.kernel, call.task, type, typeAndFlags & O_NONBLOCK), (typeAndFlags & SOCK_CLOEXEC) !== 0);
}

function socketpair(call: Call, domain: number, typeAndFlags: number, protocol: number, pair: number): number {
  if ((typeAndFlags & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) return -EINVAL;
  // The numbers are reserved and stored before the sockets are made, so they are there even if that fails (net/socket.c).
  const numbers = freeDescriptors(call, 2);
  if (numbers.length < 2) return -EMFILE;
  numbers.forEach((number, index) => void call.scratch.setInt32(index * 4, number, true));
  const stored = call.store(pair, 8);
  if (stored < 0) return stored;
  const type = checkKind(domain, typeAndFlags, protocol);
  if (type < 0) return type;
  const first = makeSocket(call.kernel, call.task, type, typeAndFlags & O_NONBLOCK);
  const second = makeSocket(call.kernel, call.task, type, typeAndFlags & O_NONBLOCK);
  UnixSocket.join(first, second);
  return installPair(call, first, second, pair, (typeAndFlags & SOCK_CLOEXEC) !== 0);
}

/** The lowest `count` descriptors that are free, as far as there are any. */
function freeDescriptors(call: Call, count: number): number[] {
  const limit = call.task.process.limit(RLIMIT_NOFILE);
  const numbers: number[] = [];
  for (let fd = 0; fd < limit && numbers.length < count; fd++) if (call.task.files.get(fd) === undefined) numbers.push(fd);
  return numbers;
}

// Naming and connecting ---------------------------------------------------------------------------------------------------

function bind(call: Call, fd: number, address: number, length: number): number {
  const socket = socketOf(call, fd);
  if (typeof socket === "number") return socket;
  const wanted = readAddress(call, address, length);
  if (typeof wanted === "number") return wanted;
  if (wanted.family !== AF_UNIX) return -EINVAL;
  const { socketNames } = objectsOf(call.kernel);
  const name = wanted.name === "" ? socketNames.automatic() : wanted.name;
  if (name.startsWith("\0")) {
    if (socket.name !== undefined) return -EINVAL;
    if (!socketNames.takeAbstract(name, socket)) return -EADDRINUSE;
    socket.name = name;
    return 0;
  }
  const { kernel, task } = call;
  const walk = kernel.walk(task);
  const made = makeNode(walk, name, S_IFSOCK | (0o777 & ~task.context.umask), 0);
  if (made < 0) return made === -EEXIST ? -EADDRINUSE : call.finish(made, "UNINTERRUPTIBLE");
  if (socket.name !== undefined) {
    // That a socket has a name already is found out after its file was made (unix_bind_bsd).
    unlink(walk, name);
    return -EINVAL;
  }
  const location = resolve(walk, name, { follow: false });
  if (typeof location === "number") return call.finish(location, "UNINTERRUPTIBLE");
  socketNames.takePath(location.dentry.inode, socket);
  socket.name = name;
  return 0;
}

function listen(call: Call, fd: number, backlog: number): number {
  const socket = socketOf(call, fd);
  return typeof socket === "number" ? socket : socket.listen(backlog, credentialsOfTask(call.task));
}

function connect(call: Call, fd: number, address: number, length: number): number {
  const socket = socketOf(call, fd);
  if (typeof socket === "number") return socket;
  const target = readAddress(call, address, length);
  if (typeof target === "number") return target;
  if (!socket.isConnectionOriented && target.family === AF_UNSPEC) return socket.associate(undefined);
  if (target.family !== AF_UNIX) return -EINVAL;
  const other = findSocket(call, target);
  if (typeof other === "number") return other;
  if (!socket.isConnectionOriented) return socket.associate(other);
  const result = socket.connectTo(other, () => makeSocket(call.kernel, call.task, socket.type, 0));
  return result === WOULD_BLOCK ? parkSocket(call, socket.sendTimeout) : result;
}

/** Parks on the queue just named, for at most the socket's timeout: such a sleep ends with EINTR instead of a restart. */
export function parkSocket(call: Call, timeout: number): number {
  const queue = takeBlocker();
  if (call.timedOut) return -EAGAIN;
  if (timeout === Infinity) return call.park(queue, "ERESTARTSYS");
  call.deadline ??= call.now() + timeout;
  return call.park(queue, "ERESTARTNOHAND", call.deadline);
}

const accept = (call: Call, fd: number, address: number, length: number): number => accept4(call, fd, address, length, 0);
function accept4(call: Call, fd: number, address: number, lengthAddress: number, flags: number): number {
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) return -EINVAL;
  let accepted = call.state as UnixSocket | undefined;
  if (accepted === undefined) {
    const listener = socketOf(call, fd);
    if (typeof listener === "number") return listener;
    const room = descriptorRoom(call);
    if (room < 0) return room;
    const next = listener.accept();
    if (next === WOULD_BLOCK) return parkSocket(call, listener.receiveTimeout);
    if (typeof next === "number") return next;
    accepted = next;
    accepted.flags |= flags & O_NONBLOCK;
    // Held until it has a descriptor: the caller's address may have to be waited for.
    call.state = accepted;
    call.cleanup = () => next.release();
  }
  if (address !== 0) {
    const stored = storeAddress(call, accepted.peer?.name, address, lengthAddress);
    if (stored < 0) return stored;
  }
  return installFile(call, accepted.retain(), (flags & SOCK_CLOEXEC) !== 0);
}

function getsockname(call: Call, fd: number, address: number, length: number): number {
  const socket = socketOf(call, fd);
  return typeof socket === "number" ? socket : storeAddress(call, socket.name, address, length);
}
function getpeername(call: Call, fd: number, address: number, length: number): number {
  const socket = socketOf(call, fd);
  if (typeof socket === "number") return socket;
  if (socket.peer === undefined) return -ENOTCONN;
  return storeAddress(call, socket.peer.name, address, length);
}
function shutdown(call: Call, fd: number, how: number): number {
  const socket = socketOf(call, fd);
  return typeof socket === "number" ? socket : socket.shutdown(how);
}

// Options -----------------------------------------------------------------------------------------------------------------

/** Options that change nothing for local sockets; they remember their value, as Linux's do. */
const REMEMBERED: readonly number[] = [SO_DEBUG, SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_PRIORITY, SO_REUSEPORT, SO_TIMESTAMP];
const BUFFER_MIN = 4608, BUFFER_MAX = 425_984;

function getsockopt(call: Call, fd: number, level: number, option: number, value: number, lengthAddress: number): number {
  const socket = socketOf(call, fd);
  if (typeof socket === "number") return socket;
  if (level !== SOL_SOCKET) return -EOPNOTSUPP;
  const room = call.readU32(lengthAddress);
  if (room < 0) return room;
  if ((room | 0) < 0) return -EINVAL;
  const bytes = optionBytes(socket, option);
  if (bytes === undefined) return -ENOPROTOOPT;
  const shown = bytes.subarray(0, Math.min(room, bytes.length));
  const stored = call.copyOut(value, shown);
  if (stored < 0) return stored;
  // The error is told once, and only when it has arrived.
  if (option === SO_ERROR) socket.error = 0;
  return call.writeU32(lengthAddress, shown.length);
}

function optionBytes(socket: UnixSocket, option: number): Uint8Array | undefined {
  switch (option) {
    case SO_TYPE: return word(socket.type);
    case SO_ERROR: return word(socket.error);
    case SO_DOMAIN: return word(AF_UNIX);
    case SO_PROTOCOL: return word(0);
    case SO_ACCEPTCONN: return word(socket.state === "listening" ? 1 : 0);
    case SO_SNDBUF: return word(socket.sendBuffer);
    case SO_RCVBUF: return word(socket.receiveBuffer);
    case SO_RCVLOWAT: case SO_SNDLOWAT: return word(1);
    case SO_PASSCRED: return word(socket.passCredentials ? 1 : 0);
    case SO_RCVTIMEO: return timeoutBytes(socket.receiveTimeout);
    case SO_SNDTIMEO: return timeoutBytes(socket.sendTimeout);
    case SO_LINGER: return new Uint8Array(8);
    case SO_PEERCRED: {
      const bytes = new Uint8Array(UCRED_BYTES);
      const view = new DataView(bytes.buffer);
      const { pid, uid, gid } = socket.state === "listening" ? socket.credentials : socket.peerCredentials;
      view.setInt32(0, pid, true);
      view.setUint32(4, uid, true);
      view.setUint32(8, gid, true);
      return bytes;
    }
    default: return REMEMBERED.includes(option) ? word(socket.remembered.get(option) ?? 0) : undefined;
  }
}
function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
function timeoutBytes(nanoseconds: number): Uint8Array {
  const bytes = new Uint8Array(16);
  if (nanoseconds === Infinity) return bytes;
  const view = new DataView(bytes.buffer);
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  put64(view, 0, seconds);
  put64(view, 8, Math.floor((nanoseconds - seconds * NANOSECONDS) / 1000));
  return bytes;
}

function setsockopt(call: Call, fd: number, level: number, option: number, value: number, length: number): number {
  const socket = socketOf(call, fd);
  if (typeof socket === "number") return socket;
  if (length < 0) return -EINVAL;
  if (level !== SOL_SOCKET) return -EOPNOTSUPP;
  if (length < 4) return -EINVAL;
  const failed = call.fetch(value, Math.min(length, 16));
  if (failed < 0) return failed;
  const number = call.scratch.getInt32(0, true);
  switch (option) {
    case SO_SNDBUF: case SO_SNDBUFFORCE:
      if (option === SO_SNDBUFFORCE && !isPrivileged(call.task.credentials)) return -EPERM;
      // Doubled, for bookkeeping (socket(7), SO_SNDBUF).
      socket.sendBuffer = Math.min(Math.max(number * 2, BUFFER_MIN), BUFFER_MAX);
      socket.waiters.wakeAll();
      return 0;
    case SO_RCVBUF: case SO_RCVBUFFORCE:
      if (option === SO_RCVBUFFORCE && !isPrivileged(call.task.credentials)) return -EPERM;
      socket.receiveBuffer = Math.min(Math.max(number * 2, BUFFER_MIN / 2), BUFFER_MAX);
      return 0;
    case SO_PASSCRED:
      socket.passCredentials = number !== 0;
      return 0;
    case SO_RCVTIMEO: case SO_SNDTIMEO: {
      if (length < 16) return -EINVAL;
      const timeout = readTimeout(call);
      if (timeout < 0) return timeout;
      if (option === SO_RCVTIMEO) socket.receiveTimeout = timeout;
      else socket.sendTimeout = timeout;
      return 0;
    }
    case SO_LINGER: return length < 8 ? -EINVAL : 0;
    case SO_RCVLOWAT: return 0;
    case SO_TYPE: case SO_ERROR: case SO_DOMAIN: case SO_PROTOCOL: case SO_ACCEPTCONN: case SO_PEERCRED: return -ENOPROTOOPT;
    default:
      if (!REMEMBERED.includes(option)) return -ENOPROTOOPT;
      socket.remembered.set(option, option === SO_PRIORITY ? number : number !== 0 ? 1 : 0);
      return 0;
  }
}
/** A timeval in the scratch: no time at all means forever; EDOM is for microseconds out of range (sock_set_timeout). */
function readTimeout(call: Call): number {
  const seconds = signed64(call.scratch, 0);
  const micros = signed64(call.scratch, 8);
  if (micros < 0 || micros >= 1_000_000) return -EDOM;
  if (seconds < 0) return 0;
  return seconds === 0 && micros === 0 ? Infinity : seconds * NANOSECONDS + micros * 1000;
}

const how = oneOf({ SHUT_RD: 0, SHUT_WR: 1, SHUT_RDWR: 2 });
const ONLY_UNIX = partial("AF_UNIX only: a machine has no network, other families are EAFNOSUPPORT");

export const socketCalls: readonly Row[] = [
  sys("socket", { family, type: socketType, protocol }, socket, ONLY_UNIX),
  sys("socketpair", { family, type: socketType, protocol, pair: intPairOut }, socketpair, full),
  sys("bind", { fd, address: addressIn(2), length: int }, bind, full),
  sys("listen", { fd, backlog: int }, listen, full),
  sys("connect", { fd, address: addressIn(2), length: int }, connect, full),
  sys("accept", { fd, address: addressOut(2), length: lengthInOut }, accept, full),
  sys("accept4", { fd, address: addressOut(2), length: lengthInOut, flags: socketFlags }, accept4, full),
  sys("getsockname", { fd, address: addressOut(2), length: lengthInOut }, getsockname, full),
  sys("getpeername", { fd, address: addressOut(2), length: lengthInOut }, getpeername, full),
  sys("shutdown", { fd, how }, shutdown, full),
  sys("getsockopt", { fd, level: optionLevel, option: optionName, value: optionValueOut, length: lengthInOut }, getsockopt,
    partial("SOL_SOCKET; lingering, priorities and timestamps change nothing")),
  sys("setsockopt", { fd, level: optionLevel, option: optionName, value: optionValueIn, length: int }, setsockopt,
    partial("SOL_SOCKET; lingering, priorities and timestamps change nothing")),
];
