/** Unix sockets (unix(7)): streams, datagrams and sequenced packets between processes of this machine.
 *
 *  Bytes go straight into the receiver's queue. What a sender has lying in queues counts against its send buffer.
 *  Invariant: two connected sockets name each other as `peer`; closing one leaves the other with `peerGone`.
 *  Order of a close: name released → peer told → queues dropped (files in them are released). */
import {
  EAGAIN, ECONNREFUSED, ECONNRESET, EINVAL, EISCONN, EMSGSIZE, ENOTCONN, ENOTTY, EOPNOTSUPP, EPERM, EPIPE, EPROTOTYPE,
} from "../../abi/linux/errno.ts";
import { O_RDWR } from "../../abi/linux/fcntl.ts";
import { FIONREAD, TIOCOUTQ } from "../../abi/linux/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM } from "../../abi/linux/poll.ts";
import { MSG_PEEK, MSG_WAITALL, SHUT_RD, SHUT_RDWR, SOCK_DGRAM, SOCK_STREAM, SOMAXCONN } from "../../abi/linux/socket.ts";
import { BufferSource, type ByteSink, type ByteSource } from "../../fs/transfer.ts";
import { blockOn, WaitQueue, WOULD_BLOCK } from "../../fs/wait.ts";
import type { Caller } from "../../fs/vfs/credentials.ts";
import type { Inode } from "../../fs/vfs/inode.ts";
import type { Location } from "../../fs/vfs/location.ts";
import { type IoctlArgument, OpenFile } from "../../fs/vfs/open-file.ts";
import type { FsContext } from "../../fs/context.ts";
import type { SocketNames } from "./names.ts";
import { type Ancillary, Packet, type PeerCredentials } from "./packet.ts";

/** net.core.wmem_default. */
const DEFAULT_BUFFER = 212_992;
/** net.unix.max_dgram_qlen: datagrams that wait at a receiver not connected back. */
const MAX_DATAGRAMS = 10;
/** What one message may leave of the send buffer unused. */
const OVERHEAD = 32;
/** Largest piece of a stream write that is queued at once. */
const STREAM_PIECE = 32_768;

export type SocketState = "closed" | "listening" | "connected";

/** What a receive returns besides its count. */
export interface Received {
  /** Sender's address for datagrams. */
  from: string;
  credentials: PeerCredentials | undefined;
  files: readonly OpenFile[];
  /** The datagram did not fit. */
  truncated: boolean;
  /** Whole length of the datagram. */
  length: number;
}

export interface SocketParts {
  readonly context: FsContext;
  readonly names: SocketNames;
  readonly inode: Inode;
  readonly location: Location;
  /** Who is writing just now. */
  sender(): PeerCredentials;
  /** Looks for sockets that only unreadable messages hold. */
  collect(): void;
}

export class UnixSocket extends OpenFile {
  readonly type: number;
  state: SocketState = "closed";
  /** Address it is bound to; undefined for none. */
  name: string | undefined;
  peer: UnixSocket | undefined;
  /** The other end has been closed. */
  peerGone = false;
  /** Who connected or listened, for SO_PEERCRED of the other end. */
  credentials: PeerCredentials;
  /** SO_PEERCRED; pid 0 and ids -1 before there is a peer. */
  peerCredentials: PeerCredentials = NOBODY;
  passCredentials = false;
  sendBuffer = DEFAULT_BUFFER;
  receiveBuffer = DEFAULT_BUFFER;
  /** Nanoseconds; Infinity for none (SO_RCVTIMEO, SO_SNDTIMEO). */
  receiveTimeout = Infinity;
  sendTimeout = Infinity;
  /** Other options that only remember what they were set to. */
  readonly remembered = new Map<number, number>();
  /** SO_ERROR: reported once. */
  error = 0;

  /** Woken when there is room again: in the backlog for those who connect, in the queue for those who send datagrams. */
  readonly connectors = new WaitQueue();
  readonly #parts: SocketParts;
  readonly #queue: Packet[] = [];
  /** Connections that nobody has accepted yet. */
  readonly #backlog: UnixSocket[] = [];
  #backlogLimit = 0;
  #receiveShut = false;
  #sendShut = false;
  /** What lies unread in other sockets' queues. */
  #used = 0;
  /** Datagram sockets that are connected to this one without being its peer. */
  readonly #admirers = new Set<UnixSocket>();

  constructor(parts: SocketParts, type: number, flags: number, credentials: PeerCredentials) {
    super(parts.inode, parts.location, O_RDWR | flags);
    this.#parts = parts;
    this.type = type;
    this.credentials = credentials;
    parts.names.live.add(this);
  }

  /** Joins two fresh sockets (socketpair(2)). */
  static join(a: UnixSocket, b: UnixSocket): void {
    for (const [socket, other] of [[a, b], [b, a]]) {
      socket.peer = other;
      socket.state = "connected";
      socket.peerCredentials = other.credentials;
    }
  }

  get isStream(): boolean {
    return this.type === SOCK_STREAM;
  }
  /** Streams and sequenced packets: one peer, connections. */
  get isConnectionOriented(): boolean {
    return this.type !== SOCK_DGRAM;
  }
  get sendIsShut(): boolean {
    return this.#sendShut;
  }

  // Connecting --------------------------------------------------------------------------------------------------------

  listen(backlog: number, credentials: PeerCredentials): number {
    if (!this.isConnectionOriented) return -EOPNOTSUPP;
    if (this.name === undefined || this.state === "connected") return -EINVAL;
    this.state = "listening";
    // A negative backlog is a huge one; what is beyond SOMAXCONN is cut (listen(2)).
    this.#backlogLimit = backlog < 0 ? SOMAXCONN : Math.min(backlog, SOMAXCONN);
    this.credentials = credentials;
    this.connectors.wakeAll();
    return 0;
  }

  /** connect(2) of a stream or packet socket. @param makeServer builds the other end, which accept will give out */
  connectTo(listener: UnixSocket, makeServer: () => UnixSocket): number {
    if (this.state === "connected") return -EISCONN;
    if (this.state === "listening") return -EINVAL;
    if (listener.type !== this.type) return -EPROTOTYPE;
    if (listener.state !== "listening" || listener.#receiveShut) return -ECONNREFUSED;
    if (listener.#backlog.length > listener.#backlogLimit) return this.nonBlocking ? -EAGAIN : blockOn(listener.connectors);
    const server = makeServer();
    server.name = listener.name;
    server.credentials = listener.credentials;
    UnixSocket.join(this, server);
    listener.#backlog.push(server);
    listener.waiters.wakeAll();
    this.waiters.wakeAll();
    return 0;
  }
  /** connect(2) of a datagram socket: who gets what is sent without an address; undefined (AF_UNSPEC) for nobody. */
  associate(target: UnixSocket | undefined): number {
    if (target !== undefined) {
      if (target.type !== this.type) return -EPROTOTYPE;
      if (!target.#accepts(this)) return -EPERM;
    }
    if (this.peer !== undefined) this.peer.#admirers.delete(this);
    this.peer = target;
    this.peerGone = false;
    if (target !== undefined) target.#admirers.add(this);
    this.state = target === undefined ? "closed" : "connected";
    this.waiters.wakeAll();
    return 0;
  }
  /** A datagram socket that is connected hears only its peer (unix_may_send). */
  #accepts(sender: UnixSocket): boolean {
    return this.peer === undefined || this.peer === sender;
  }

  /** accept(2): the oldest waiting connection, whose reference passes to the caller; -errno or WOULD_BLOCK. */
  accept(): UnixSocket | number {
    if (!this.isConnectionOriented) return -EOPNOTSUPP;
    if (this.state !== "listening") return -EINVAL;
    const next = this.#backlog.shift();
    if (next !== undefined) {
      this.connectors.wakeAll();
      return next;
    }
    if (this.#receiveShut) return -EINVAL;
    return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
  }

  shutdown(how: number): number {
    if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
    if (how !== 1) this.#receiveShut = true;
    if (how !== 0) this.#sendShut = true;
    const { peer } = this;
    if (peer !== undefined && this.isConnectionOriented) {
      if (how !== 1) peer.#sendShut = true;
      if (how !== 0) peer.#receiveShut = true;
      peer.waiters.wakeAll();
    }
    this.waiters.wakeAll();
    return 0;
  }

  // Sending -------------------------------------------------------------------------------------------------------------

  /** Sends what the source has: a count, -errno or WOULD_BLOCK. @param target of a datagram, instead of the peer */
  send(source: ByteSource, ancillary: Ancillary, target: UnixSocket | undefined): number {
    if (ancillary.files.some((file) => file instanceof UnixSocket)) this.#parts.names.socketsPassed = true;
    return this.isStream ? this.#sendStream(source, ancillary) : this.#sendMessage(source, ancillary, target);
  }

  #sendStream(source: ByteSource, ancillary: Ancillary): number {
    const sent = (result: number): number => (source.transferred > 0 ? source.transferred : result);
    if (this.state !== "connected") return this.#sendShut ? -EPIPE : -ENOTCONN;
    for (;;) {
      const { peer } = this;
      if (this.#sendShut || peer === undefined || this.peerGone) return sent(-EPIPE);
      if (this.#takeError() !== 0) return sent(-this.#lastError);
      if (source.remaining === 0) return source.transferred;
      if (this.#used >= this.sendBuffer) {
        return this.nonBlocking ? sent(-EAGAIN) : blockOn(this.waiters);
      }
      const carries = ancillary.files.length > 0 && source.transferred === 0;
      const result = this.#sendPiece(peer, source, carries ? ancillary : { ...ancillary, files: [] }, carries);
      if (result !== 0) return result === WOULD_BLOCK ? WOULD_BLOCK : sent(result);
    }
  }
  /** Queues one piece at the peer, joined to the last packet where that costs no frame. */
  #sendPiece(peer: UnixSocket, source: ByteSource, ancillary: Ancillary, isFirst: boolean): number {
    const last = peer.#queue[peer.#queue.length - 1];
    const before = source.transferred;
    let result: number;
    if (!isFirst && last !== undefined && last.sender === this && last.files.length === 0 && last.room > 0 && sameSender(last.credentials, ancillary.credentials)) {
      result = last.fill(source, Math.min(source.remaining, last.room));
    } else {
      const packet = new Packet(this.#parts.context, this.#parts.names, this, this.name ?? "", ancillary.credentials);
      result = packet.fill(source, Math.min(source.remaining, STREAM_PIECE));
      if (packet.length === 0) {
        packet.drop();
        return result;
      }
      packet.carry(ancillary.files);
      this.#used += packet.charge;
      peer.#queue.push(packet);
    }
    if (source.transferred > before) peer.waiters.wakeAll();
    return result;
  }

  #sendMessage(source: ByteSource, ancillary: Ancillary, target: UnixSocket | undefined): number {
    if (this.isConnectionOriented && this.state !== "connected") return -ENOTCONN;
    if (this.#sendShut || (this.isConnectionOriented && this.peerGone)) return -EPIPE;
    if (this.#takeError() !== 0) return -this.#lastError;
    const receiver = target ?? this.peer;
    if (receiver === undefined) {
      if (!this.peerGone) return -ENOTCONN;
      // Told once; from then on the socket is not connected.
      this.peerGone = false;
      return -ECONNREFUSED;
    }
    if (receiver.references <= 0) return -ECONNREFUSED;
    if (!this.isConnectionOriented && !receiver.#accepts(this)) return -EPERM;
    if (receiver.#receiveShut) return -EPIPE;
    const length = source.remaining + source.transferred;
    if (length > this.sendBuffer - OVERHEAD) return -EMSGSIZE;
    const full = receiver.peer !== this && receiver !== this && receiver.#queue.length > MAX_DATAGRAMS;
    if (full || this.#used >= this.sendBuffer) return this.nonBlocking ? -EAGAIN : blockOn(full ? receiver.connectors : this.waiters);
    const message = this.#gather(source, length);
    if (typeof message === "number") return message;
    const packet = new Packet(this.#parts.context, this.#parts.names, this, this.name ?? "", ancillary.credentials);
    const result = packet.fill(new BufferSource(message), length);
    if (result !== 0) {
      packet.drop();
      return result;
    }
    packet.carry(ancillary.files);
    this.#gathered.delete(source);
    this.#used += packet.charge;
    receiver.#queue.push(packet);
    receiver.waiters.wakeAll();
    return length;
  }

  /** The whole message out of the source, which may take several runs of the call when pages are on their way. */
  #gather(source: ByteSource, length: number): Uint8Array | number {
    let bytes = this.#gathered.get(source);
    if (bytes === undefined) this.#gathered.set(source, (bytes = new Uint8Array(length)));
    const missing = length - source.transferred;
    return source.take(bytes, source.transferred, missing) < missing ? source.stopped : bytes;
  }
  readonly #gathered = new WeakMap<ByteSource, Uint8Array>();

  // Receiving -----------------------------------------------------------------------------------------------------------

  receive(sink: ByteSink, flags: number, received: Received): number {
    return this.isStream ? this.#receiveStream(sink, flags, received) : this.#receiveMessage(sink, flags, received);
  }

  #receiveStream(sink: ByteSink, flags: number, received: Received): number {
    if (this.state !== "connected") return -EINVAL;
    const peeks = (flags & MSG_PEEK) !== 0;
    const wantsAll = (flags & MSG_WAITALL) !== 0;
    let index = 0;
    // A peek that waited for a page goes on behind what it has shown.
    let skip = peeks ? sink.transferred : 0;
    while (sink.remaining > 0 || (sink.transferred === 0 && received.credentials === undefined)) {
      const packet = this.#queue[index];
      if (packet === undefined) {
        if (sink.transferred > 0 && !(wantsAll && !peeks)) break;
        if (this.error !== 0 || this.#receiveShut || this.peerGone) return this.#endOfStream(sink);
        return this.nonBlocking ? (sink.transferred > 0 ? sink.transferred : -EAGAIN) : blockOn(this.waiters);
      }
      // Messages of different senders are not joined when the reader wants to know who they are.
      if (this.passCredentials && received.credentials !== undefined && !sameSender(received.credentials, packet.credentials)) break;
      if (skip >= packet.length && skip > 0) {
        skip -= packet.length;
        index++;
        continue;
      }
      received.credentials = packet.credentials;
      received.from = packet.from;
      const before = sink.transferred;
      const result = packet.peek(sink, skip);
      skip = 0;
      const moved = sink.transferred - before;
      const { files } = packet;
      if (files.length > 0) received.files = peeks ? files.map((file) => file.retain()) : packet.takeFiles();
      if (!peeks) {
        packet.consume(moved);
        if (packet.length === 0) this.#drop(packet);
      } else {
        index++;
      }
      if (result !== 0) return result === WOULD_BLOCK ? WOULD_BLOCK : sink.transferred > 0 ? sink.transferred : result;
      if (files.length > 0) break;
    }
    return sink.transferred;
  }
  #endOfStream(sink: ByteSink): number {
    if (sink.transferred > 0) return sink.transferred;
    return this.#takeError() !== 0 ? -this.#lastError : 0;
  }

  #receiveMessage(sink: ByteSink, flags: number, received: Received): number {
    if (this.isConnectionOriented && this.state !== "connected") return -ENOTCONN;
    const packet = this.#queue[0];
    if (packet === undefined) {
      if (this.#takeError() !== 0) return -this.#lastError;
      if (this.#receiveShut || (this.isConnectionOriented && this.peerGone)) return 0;
      return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
    }
    const peeks = (flags & MSG_PEEK) !== 0;
    const result = packet.peek(sink, sink.transferred);
    if (result === WOULD_BLOCK) return WOULD_BLOCK;
    received.from = packet.from;
    received.credentials = packet.credentials;
    received.length = packet.length;
    received.truncated = sink.transferred < packet.length;
    if (peeks) received.files = packet.files.map((file) => file.retain());
    else {
      received.files = packet.takeFiles();
      this.#drop(packet);
    }
    return result < 0 ? result : sink.transferred;
  }

  /** Takes a packet out of the queue; its sender has room again. */
  #drop(packet: Packet): void {
    this.#queue.splice(this.#queue.indexOf(packet), 1);
    packet.sender.#used -= packet.charge;
    packet.drop();
    packet.sender.waiters.wakeAll();
    this.connectors.wakeAll();
    for (const admirer of this.#admirers) admirer.waiters.wakeAll();
  }

  // As an open file -------------------------------------------------------------------------------------------------------

  protected override readStream(sink: ByteSink): number {
    // read(2) of nothing does not look at the queue; recv(2) does.
    if (sink.remaining === 0) return sink.transferred;
    const received: Received = { from: "", credentials: undefined, files: [], truncated: false, length: 0 };
    const result = this.receive(sink, 0, received);
    // Whoever reads without a control buffer lets the files go (unix(7)).
    for (const file of received.files) file.release();
    return result;
  }
  protected override writeStream(source: ByteSource): number {
    return this.send(source, { files: [], credentials: this.#parts.sender() }, undefined);
  }

  override readiness(): number {
    let state = 0;
    if (this.error !== 0) state |= POLLERR;
    const ended = this.#receiveShut || (this.isConnectionOriented && this.peerGone);
    if (ended) state |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.#queue.length > 0 || this.#backlog.length > 0) state |= POLLIN | POLLRDNORM;
    if (this.#receiveShut && this.#sendShut) state |= POLLHUP;
    if (this.isConnectionOriented && (this.state === "closed" || this.peerGone)) state |= POLLHUP;
    if (this.state !== "listening" && this.#mayWrite()) state |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return state;
  }
  /** A quarter of the buffer in use still counts as writable (unix_writable). */
  #mayWrite(): boolean {
    const { peer } = this;
    if (!this.isConnectionOriented && peer !== undefined && peer.peer !== this && peer.#queue.length > MAX_DATAGRAMS) return false;
    return this.#used * 4 <= this.sendBuffer;
  }
  override get pollable(): boolean {
    return true;
  }

  override ioctl(request: number, argument: IoctlArgument, _caller: Caller): number {
    if (request !== FIONREAD && request !== TIOCOUTQ) return -ENOTTY;
    if (request === FIONREAD && this.state === "listening") return -EINVAL;
    let value = this.#used;
    if (request === FIONREAD) {
      value = this.isConnectionOriented ? this.#queue.reduce((sum, packet) => sum + packet.length, 0) : (this.#queue[0]?.length ?? 0);
    }
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return argument.copyOut(bytes);
  }

  /** Open files that travel through this socket's queue, and connections that wait in it: what only it keeps alive. */
  *inTransit(): Iterable<OpenFile> {
    for (const packet of this.#queue) yield* packet.files;
    for (const waiting of this.#backlog) yield* waiting.inTransit();
  }
  /** Drops everything unread. */
  discardQueue(): void {
    for (const packet of [...this.#queue]) this.#drop(packet);
  }

  protected override closed(): void {
    if (this.name !== undefined) this.#parts.names.release(this.name, this);
    const { peer } = this;
    const unread = this.#queue.length > 0;
    this.peer = undefined;
    if (peer !== undefined && peer.peer === this) {
      peer.peerGone = true;
      // Data that was never read is worth an error (unix_release_sock).
      if (this.isConnectionOriented && (unread || this.#isUnaccepted)) peer.error = ECONNRESET;
      if (!this.isConnectionOriented) {
        peer.peer = undefined;
        peer.state = "closed";
      }
      peer.waiters.wakeAll();
    }
    if (peer !== undefined) peer.#admirers.delete(this);
    for (const admirer of this.#admirers) {
      if (admirer.peer !== this) continue;
      admirer.peer = undefined;
      admirer.peerGone = true;
      admirer.waiters.wakeAll();
    }
    for (const waiting of this.#backlog.splice(0)) {
      waiting.#isUnaccepted = true;
      waiting.release();
    }
    this.discardQueue();
    this.state = "closed";
    this.connectors.wakeAll();
    const { names } = this.#parts;
    names.live.delete(this);
    if (names.socketsPassed) this.#parts.collect();
  }
  #isUnaccepted = false;

  #lastError = 0;
  #takeError(): number {
    this.#lastError = this.error;
    this.error = 0;
    return this.#lastError;
  }
}

const NOBODY: PeerCredentials = { pid: 0, uid: 0xffff_ffff, gid: 0xffff_ffff };
const sameSender = (a: PeerCredentials, b: PeerCredentials): boolean => a.pid === b.pid && a.uid === b.uid && a.gid === b.gid;
