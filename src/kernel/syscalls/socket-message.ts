/** Sending and receiving through sockets: send(2), recv(2), sendmsg(2), recvmsg(2) with SCM_RIGHTS and SCM_CREDENTIALS.
 *
 *  A receive happens in two steps, because the answer has several parts: first the bytes are taken, then name, control data
 *  and flags are stored. What was taken is the call's state, so a page on its way in the second step loses nothing. */
import { EBADF, EFAULT, EINVAL, EISCONN, EMSGSIZE, EOPNOTSUPP, EPERM, EPIPE, ETOOMANYREFS } from "../../abi/linux/errno.ts";
import { O_NONBLOCK } from "../../abi/linux/fcntl.ts";
import { RLIMIT_NOFILE } from "../../abi/linux/resource.ts";
import { SIGPIPE } from "../../abi/linux/signal.ts";
import {
  CMSGHDR_BYTES, MMSGHDR_BYTES, MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_TRUNC, MSG_WAITFORONE, MSGHDR_BYTES,
  SCM_CREDENTIALS, SCM_MAX_FD, SCM_RIGHTS, SOL_SOCKET, UCRED_BYTES,
} from "../../abi/linux/socket.ts";
import { takeBlocker, WOULD_BLOCK } from "../../fs/wait.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import { type Call, PARKED } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { objectsOf } from "../objects.ts";
import type { PeerCredentials } from "../socket/packet.ts";
import type { Received, UnixSocket } from "../socket/unix-socket.ts";
import { sendToTask, userInfo } from "../signal/send.ts";
import { UserSink, UserSource, type UserSpan } from "../transfer.ts";
import { bufferIn, bufferOut, fd, full, partial, ptr, size, sys, timespecIn, uint, type Row } from "./define.ts";
import { anyFileOf, isUserRange, MAX_RW_COUNT, put64, readIovec, unsigned64 } from "./file-arguments.ts";
import { parkSocket } from "./socket.ts";
import { addressBytes, credentialsOfTask, findSocket, readAddress, socketOf } from "./socket-address.ts";
import { readTimespec } from "./timespec.ts";
import { addressIn, addressOut, lengthInOut, messageFlags, messageIn, messageOut } from "./socket-text.ts";

/** Where a message in progress is kept: the call itself, or its place in a batch. */
interface Slot {
  state: unknown;
  cleanup: ((call: Call) => void) | undefined;
  done: number;
}

/** Largest control buffer a sender may pass (net.core.optmem_max). */
const CONTROL_MAX = 131_072;

/** Open files in all queues of a machine together. */
const MAX_IN_TRANSIT = 16_384;

// Sending ---------------------------------------------------------------------------------------------------------------

interface Message {
  readonly spans: readonly UserSpan[];
  /** Address and length of the destination; 0 and 0 for none. */
  readonly name: number;
  readonly nameLength: number;
  readonly control: number;
  readonly controlLength: number;
}

interface Sending {
  readonly socket: UnixSocket;
  readonly source: UserSource;
  readonly target: UnixSocket | undefined;
  readonly files: readonly OpenFile[];
  readonly credentials: PeerCredentials;
  /** The files have gone into the receiver's queue. */
  delivered: boolean;
}

function sendMessage(call: Call, slot: Slot, fd: number, message: Message, flags: number): number {
  let sending = slot.state as Sending | undefined;
  if (sending === undefined) {
    const prepared = prepareSend(call, fd, message, flags);
    if (typeof prepared === "number") return prepared;
    sending = prepared;
  }
  const { socket, source, files, credentials, target } = sending;
  const before = source.transferred;
  const result = withoutWaiting(socket, flags, () => socket.send(source.begin(), { files: sending.delivered ? [] : files, credentials }, target));
  // From the first byte of a stream on the files belong to the packet. A datagram may have no bytes at all.
  if (socket.isStream ? source.transferred > before : result !== WOULD_BLOCK && result >= 0) sending.delivered = true;
  if (result === WOULD_BLOCK) {
    const held = sending;
    if (slot.state === undefined) {
      socket.retain();
      slot.state = held;
      slot.cleanup = () => {
        if (!held.delivered) for (const file of held.files) file.release();
        socket.release();
      };
    }
    if (source.stopped === WOULD_BLOCK) return call.park(takeBlocker(), "UNINTERRUPTIBLE");
    slot.done = socket.isStream ? source.transferred : 0;
    return timedOutOr(call, source.transferred, () => parkSocket(call, socket.sendTimeout));
  }
  if (slot.state === undefined && !sending.delivered) for (const file of files) file.release();
  if (result === -EPIPE && socket.isStream && (flags & MSG_NOSIGNAL) === 0) sendToTask(call.kernel, call.task, userInfo(call.task, SIGPIPE));
  return result;
}

function prepareSend(call: Call, fd: number, message: Message, flags: number): Sending | number {
  const socket = socketOf(call, fd);
  if (typeof socket === "number") return socket;
  // There is no out-of-band data here (unix(7): MSG_OOB needs CONFIG_AF_UNIX_OOB).
  if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
  let target: UnixSocket | undefined;
  if (message.nameLength > 0 && message.name !== 0) {
    if (socket.isStream) return socket.state === "connected" ? -EISCONN : -EOPNOTSUPP;
    const address = readAddress(call, message.name, message.nameLength);
    if (typeof address === "number") return address;
    if (!socket.isConnectionOriented) {
      const found = findSocket(call, address);
      if (typeof found === "number") return found;
      target = found;
    }
  }
  const control = readControl(call, message.control, message.controlLength);
  if (typeof control === "number") return control;
  return {
    socket, source: new UserSource(call, message.spans), target, files: control.files, credentials: control.credentials ?? credentialsOfTask(call.task),
    delivered: false,
  };
}

/** Control messages to send: files get a reference each. */
function readControl(call: Call, address: number, length: number): { files: OpenFile[]; credentials: PeerCredentials | undefined } | number {
  const files: OpenFile[] = [];
  let credentials: PeerCredentials | undefined;
  if (length === 0 || address === 0) return { files, credentials };
  const bytes = new Uint8Array(length);
  const failed = call.copyIn(address, bytes);
  if (failed < 0) return failed;
  const view = new DataView(bytes.buffer);
  const refuse = (error: number): number => {
    for (const file of files) file.release();
    return error;
  };
  for (let at = 0; at + CMSGHDR_BYTES <= length; ) {
    const messageLength = unsigned64(view, at);
    if (messageLength < CMSGHDR_BYTES || messageLength > length - at) return refuse(-EINVAL);
    if (view.getInt32(at + 8, true) === SOL_SOCKET) {
      const type = view.getInt32(at + 12, true);
      const body = messageLength - CMSGHDR_BYTES;
      if (type === SCM_RIGHTS) {
        if (Math.floor(body / 4) + files.length > SCM_MAX_FD) return refuse(-EINVAL);
        for (let word = at + CMSGHDR_BYTES; word + 4 <= at + messageLength; word += 4) {
          const file = anyFileOf(call, view.getInt32(word, true));
          if (file === undefined) return refuse(-EBADF);
          files.push(file.retain());
        }
      } else if (type === SCM_CREDENTIALS) {
        if (body !== UCRED_BYTES) return refuse(-EINVAL);
        credentials = {
          pid: view.getInt32(at + CMSGHDR_BYTES, true), uid: view.getUint32(at + CMSGHDR_BYTES + 4, true), gid: view.getUint32(at + CMSGHDR_BYTES + 8, true),
        };
        if (!mayClaim(call, credentials)) return refuse(-EPERM);
      } else return refuse(-EINVAL);
    }
    at += Math.ceil(messageLength / 8) * 8;
  }
  // Files that wait in queues count like open ones (unix(7), ETOOMANYREFS); even with privilege there is an end to them.
  const { filesInTransit } = objectsOf(call.kernel).socketNames;
  const allowed = isPrivileged(call.task.credentials) ? MAX_IN_TRANSIT : Math.min(call.task.process.limit(RLIMIT_NOFILE), MAX_IN_TRANSIT);
  if (files.length > 0 && filesInTransit + files.length > allowed) return refuse(-ETOOMANYREFS);
  return { files, credentials };
}
/** A sender may give its own ids, or any with privilege (unix(7), SCM_CREDENTIALS). */
function mayClaim(call: Call, claimed: PeerCredentials): boolean {
  const { credentials, process } = call.task;
  if (isPrivileged(credentials)) return true;
  const { uid, euid, suid, gid, egid, sgid } = credentials;
  return claimed.pid === process.pid && [uid, euid, suid].includes(claimed.uid) && [gid, egid, sgid].includes(claimed.gid);
}

/** MSG_DONTWAIT for one operation. */
function withoutWaiting(socket: UnixSocket, flags: number, operation: () => number): number {
  if ((flags & MSG_DONTWAIT) === 0) return operation();
  const before = socket.flags;
  socket.flags |= O_NONBLOCK;
  const result = operation();
  socket.flags = before;
  return result;
}
/** A timeout that has passed: what was done counts, else the park says EAGAIN. */
function timedOutOr(call: Call, done: number, park: () => number): number {
  if (call.timedOut && done > 0) {
    takeBlocker();
    return done;
  }
  return park();
}

function sendto(call: Call, fd: number, buffer: number, count: number, flags: number, address: number, length: number): number {
  if (!isUserRange(buffer, count)) return -EFAULT;
  const spans = [{ address: buffer, length: Math.min(count, MAX_RW_COUNT) }];
  return sendMessage(call, call, fd, { spans, name: address, nameLength: address === 0 ? 0 : length, control: 0, controlLength: 0 }, flags);
}
const sendmsg = (call: Call, fd: number, header: number, flags: number): number => sendFrom(call, call, fd, header, flags);
function sendFrom(call: Call, slot: Slot, fd: number, header: number, flags: number): number {
  const message = slot.state === undefined ? readHeader(call, header) : NOTHING;
  return typeof message === "number" ? message : sendMessage(call, slot, fd, message, flags);
}
const NOTHING: Message = { spans: [], name: 0, nameLength: 0, control: 0, controlLength: 0 };

function readHeader(call: Call, header: number): Message | number {
  const failed = call.fetch(header, MSGHDR_BYTES);
  if (failed < 0) return failed;
  const { scratch } = call;
  const name = unsigned64(scratch, 0);
  const nameLength = name === 0 ? 0 : scratch.getInt32(8, true);
  const vector = unsigned64(scratch, 16);
  const count = unsigned64(scratch, 24);
  const control = unsigned64(scratch, 32);
  const controlLength = unsigned64(scratch, 40);
  if (nameLength < 0) return -EINVAL;
  if (count > 1024) return -EMSGSIZE;
  const spans = readIovec(call, vector, count);
  if (typeof spans === "number") return spans;
  return { spans, name, nameLength: Math.min(nameLength, 128), control, controlLength: Math.min(controlLength, CONTROL_MAX) };
}

// Receiving -------------------------------------------------------------------------------------------------------------

interface Receiving extends Received {
  readonly socket: UnixSocket;
  /** As it was when the call began: its lengths are overwritten by the answer. */
  readonly message: Message;
  readonly sink: UserSink;
  /** Set when the bytes have been taken. */
  result: number | undefined;
  /** Descriptors made for the files that came along. */
  descriptors: number[] | undefined;
}

/** The first step. Returns the state with `result` set, or what the handler returns now. */
function take(call: Call, slot: Slot, fd: number, message: Message, flags: number): Receiving | number {
  let receiving = slot.state as Receiving | undefined;
  if (receiving?.result !== undefined) return receiving;
  if (receiving === undefined) {
    const socket = socketOf(call, fd);
    if (typeof socket === "number") return socket;
    if ((flags & MSG_OOB) !== 0) return socket.isStream ? -EINVAL : -EOPNOTSUPP;
    receiving = {
      socket, message, sink: new UserSink(call, message.spans), result: undefined, descriptors: undefined, from: "", credentials: undefined, files: [], truncated: false,
      length: 0,
    };
  }
  const { socket, sink } = receiving;
  const state = receiving;
  const result = withoutWaiting(socket, flags, () => socket.receive(sink.begin(), flags, state));
  if (slot.state === undefined && (result === WOULD_BLOCK || result >= 0)) {
    socket.retain();
    slot.state = state;
    slot.cleanup = () => {
      for (const file of state.files) file.release();
      socket.release();
    };
  }
  if (result === WOULD_BLOCK) {
    if (sink.stopped === WOULD_BLOCK) return call.park(takeBlocker(), "UNINTERRUPTIBLE");
    slot.done = sink.transferred;
    return timedOutOr(call, sink.transferred, () => parkSocket(call, socket.receiveTimeout));
  }
  if (result < 0) return result;
  // MSG_TRUNC asks for the whole length of a datagram, however much of it fitted.
  state.result = (flags & MSG_TRUNC) !== 0 && !socket.isStream ? Math.max(state.length, result) : result;
  return state;
}

function recvfrom(call: Call, fd: number, buffer: number, count: number, flags: number, address: number, lengthAddress: number): number {
  if (!isUserRange(buffer, count)) return -EFAULT;
  const spans = [{ address: buffer, length: Math.min(count, MAX_RW_COUNT) }];
  const received = take(call, call, fd, { ...NOTHING, spans }, flags);
  if (typeof received === "number") return received;
  if (address !== 0) {
    const room = call.readU32(lengthAddress);
    if (room < 0) return room;
    if ((room | 0) < 0) return -EINVAL;
    const stored = storeName(call, received, address, room, lengthAddress);
    if (stored < 0) return stored;
  }
  return received.result!;
}
/** Streams do not say whom they come from. */
function storeName(call: Call, received: Receiving, address: number, room: number, lengthAddress: number): number {
  const bytes = received.socket.isConnectionOriented || received.from === "" ? EMPTY : addressBytes(received.from);
  const stored = call.copyOut(address, bytes.subarray(0, Math.min(room, bytes.length)));
  return stored < 0 ? stored : call.writeU32(lengthAddress, bytes.length);
}
const EMPTY = new Uint8Array(0);

const recvmsg = (call: Call, fd: number, header: number, flags: number): number => receiveInto(call, call, fd, header, flags);
function receiveInto(call: Call, slot: Slot, fd: number, header: number, flags: number): number {
  const message = slot.state === undefined ? readHeader(call, header) : (slot.state as Receiving).message;
  if (typeof message === "number") return message;
  const received = take(call, slot, fd, message, flags);
  return typeof received === "number" ? received : storeMessage(call, received, header, message, flags);
}

/** The second step: name, control data, flags and the two lengths. */
function storeMessage(call: Call, received: Receiving, header: number, message: Message, flags: number): number {
  if (message.name !== 0) {
    const stored = storeName(call, received, message.name, message.nameLength, header + 8);
    if (stored < 0) return stored;
  }
  let outFlags = (flags & MSG_CMSG_CLOEXEC) | (received.truncated ? MSG_TRUNC : 0);
  const control = buildControl(call, received, message.controlLength, flags);
  if (control.truncated) outFlags |= MSG_CTRUNC;
  if (control.bytes.length > 0) {
    const stored = call.copyOut(message.control, control.bytes);
    if (stored < 0) return stored;
  }
  const controlStored = call.writeU64(header + 40, control.bytes.length);
  if (controlStored < 0) return controlStored;
  const flagsStored = call.writeU32(header + 48, outFlags >>> 0);
  return flagsStored < 0 ? flagsStored : received.result!;
}

function buildControl(call: Call, received: Receiving, room: number, flags: number): { readonly bytes: Uint8Array; readonly truncated: boolean } {
  const bytes = new Uint8Array(Math.min(room, CONTROL_MAX));
  const view = new DataView(bytes.buffer);
  let used = 0;
  let truncated = false;
  if (received.socket.passCredentials && received.credentials !== undefined) {
    const length = CMSGHDR_BYTES + UCRED_BYTES;
    if (bytes.length < length) truncated = true;
    else {
      writeCmsgHeader(view, 0, length, SCM_CREDENTIALS);
      view.setInt32(CMSGHDR_BYTES, received.credentials.pid, true);
      view.setUint32(CMSGHDR_BYTES + 4, received.credentials.uid, true);
      view.setUint32(CMSGHDR_BYTES + 8, received.credentials.gid, true);
      used = Math.min(Math.ceil(length / 8) * 8, bytes.length);
    }
  }
  if (received.files.length > 0 || received.descriptors !== undefined) {
    const wanted = received.files.length;
    const fitting = Math.max(0, Math.floor((bytes.length - used - CMSGHDR_BYTES) / 4));
    const descriptors = (received.descriptors ??= installFiles(call, received.files.slice(0, fitting), (flags & MSG_CMSG_CLOEXEC) !== 0));
    if (descriptors.length < wanted) truncated = true;
    if (descriptors.length > 0) {
      const length = CMSGHDR_BYTES + descriptors.length * 4;
      writeCmsgHeader(view, used, length, SCM_RIGHTS);
      descriptors.forEach((number, index) => void view.setInt32(used + CMSGHDR_BYTES + index * 4, number, true));
      used = Math.min(used + Math.ceil(length / 8) * 8, bytes.length);
    }
  }
  return { bytes: bytes.subarray(0, used), truncated };
}
function writeCmsgHeader(view: DataView, at: number, length: number, type: number): void {
  put64(view, at, length);
  view.setInt32(at + 8, SOL_SOCKET, true);
  view.setInt32(at + 12, type, true);
}
/** As many descriptors as there are free ones; the call's cleanup lets go of the references that travelled. */
function installFiles(call: Call, files: readonly OpenFile[], closeOnExec: boolean): number[] {
  const descriptors: number[] = [];
  for (const file of files) {
    const number = call.task.files.allocate(file, closeOnExec, call.task.process.limit(RLIMIT_NOFILE));
    if (number < 0) break;
    file.retain();
    descriptors.push(number);
  }
  return descriptors;
}

// Several at once ---------------------------------------------------------------------------------------------------------

/** A batch in progress: how many messages are done, and the one that is being worked on. */
class Batch implements Slot {
  count = 0;
  state: unknown;
  cleanup: ((call: Call) => void) | undefined;
  done = 0;
}

/** Does `one` for each header until one fails or would wait for a peer; what is done by then is the result. Only the first may
 *  wait for a peer, every one for a page. */
function batch(call: Call, vector: number, count: number, flags: number, one: (slot: Slot, header: number, flags: number) => number): number {
  let progress = call.state as Batch | undefined;
  if (progress === undefined) {
    const made = new Batch();
    progress = made;
    call.state = made;
    call.cleanup = () => made.cleanup?.(call);
  }
  const most = Math.min(count, BATCH_MAX);
  while (progress.count < most) {
    const header = vector + progress.count * MMSGHDR_BYTES;
    const result = one(progress, header, progress.count === 0 ? flags : flags | MSG_DONTWAIT);
    if (result === PARKED) {
      call.done = progress.count;
      return PARKED;
    }
    if (result < 0) return progress.count > 0 ? progress.count : result;
    // The header was read, so its page is there.
    const stored = call.writeU32(header + MSGHDR_BYTES, result);
    if (stored === PARKED) return PARKED;
    progress.cleanup?.(call);
    progress.state = undefined;
    progress.cleanup = undefined;
    if (stored < 0) return progress.count > 0 ? progress.count : stored;
    progress.count++;
  }
  return progress.count;
}
const BATCH_MAX = 1024;

const sendmmsg = (call: Call, fd: number, vector: number, count: number, flags: number): number =>
  batch(call, vector, count, flags, (slot, header, wait) => sendFrom(call, slot, fd, header, wait));
function recvmmsg(call: Call, fd: number, vector: number, count: number, flags: number, timeout: number): number {
  if (timeout !== 0) {
    const checked = readTimespec(call, timeout);
    if (checked < 0) return checked;
  }
  return batch(call, vector, count, flags & ~MSG_WAITFORONE, (slot, header, wait) => receiveInto(call, slot, fd, header, wait));
}

const FIRST_WAITS = partial("only the first message is waited for; the rest is what can go or come at once, so a timeout has no say");

export const socketMessageCalls: readonly Row[] = [
  sys("sendto", { fd, buffer: bufferIn(2), count: size, flags: messageFlags, address: addressIn(5), length: uint }, sendto, full),
  sys("recvfrom", { fd, buffer: bufferOut, count: size, flags: messageFlags, address: addressOut(5), length: lengthInOut }, recvfrom, full),
  sys("sendmsg", { fd, message: messageIn, flags: messageFlags }, sendmsg, full),
  sys("recvmsg", { fd, message: messageOut, flags: messageFlags }, recvmsg, full),
  sys("sendmmsg", { fd, messages: ptr, count: uint, flags: messageFlags }, sendmmsg, FIRST_WAITS),
  sys("recvmmsg", { fd, messages: ptr, count: uint, flags: messageFlags, timeout: timespecIn }, recvmmsg, FIRST_WAITS),
];
