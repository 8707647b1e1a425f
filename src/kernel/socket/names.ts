/** All sockets of a machine and their addresses (unix(7)): a path in the file tree, an abstract name, or none.
 *
 *  A byte string as the guest passes it: "" for an unnamed socket, a path without its NUL, or an abstract name, which begins
 *  with a NUL and may hold anything. */
import type { Inode } from "../../fs/vfs/inode.ts";
import type { UnixSocket } from "./unix-socket.ts";

export class SocketNames {
  /** Sockets that are not closed. */
  readonly live = new Set<UnixSocket>();
  /** A socket has travelled in a message: from then on there may be garbage. */
  socketsPassed = false;
  /** Open files in messages that have not been received. */
  filesInTransit = 0;
  readonly #abstract = new Map<string, UnixSocket>();
  readonly #paths = new WeakMap<Inode, UnixSocket>();
  #automatic = 0;

  findAbstract(name: string): UnixSocket | undefined {
    return this.#abstract.get(name);
  }
  findPath(inode: Inode): UnixSocket | undefined {
    return this.#paths.get(inode);
  }
  /** False when the name is taken. */
  takeAbstract(name: string, socket: UnixSocket): boolean {
    if (this.#abstract.has(name)) return false;
    this.#abstract.set(name, socket);
    return true;
  }
  takePath(inode: Inode, socket: UnixSocket): void {
    this.#paths.set(inode, socket);
  }
  /** A free abstract name of five hexadecimal digits, as bind gives when it gets only the family (unix(7), "Autobind"). */
  automatic(): string {
    for (;;) {
      const name = `\0${(this.#automatic++ & 0xf_ffff).toString(16).padStart(5, "0")}`;
      if (!this.#abstract.has(name)) return name;
    }
  }
  /** The socket is closed. The file of a path stays (unix(7), NOTES). */
  release(name: string, socket: UnixSocket): void {
    if (this.#abstract.get(name) === socket) this.#abstract.delete(name);
  }
  get abstractCount(): number {
    return this.#abstract.size;
  }
}
