/** Sockets that are only held by messages nobody can read any more: a socket sent through itself, for instance (unix(7), "SCM_RIGHTS";
 *  net/unix/garbage.c). Reference counts alone never free them.
 *
 *  A socket is alive when somebody other than a message holds it, or a message in a living socket does. The queues of the
 *  others are dropped, and with them the last references. */
import { UnixSocket } from "./unix-socket.ts";

/** Drops what cannot be reached among `live`; returns how many sockets that were. */
export function collectGarbage(live: ReadonlySet<UnixSocket>): number {
  const inMessages = new Map<UnixSocket, number>();
  for (const socket of live) for (const file of socket.inTransit()) if (file instanceof UnixSocket) inMessages.set(file, (inMessages.get(file) ?? 0) + 1);
  if (inMessages.size === 0) return 0;
  const reached = new Set<UnixSocket>();
  const pending = [...live].filter((socket) => socket.references > (inMessages.get(socket) ?? 0));
  for (let socket = pending.pop(); socket !== undefined; socket = pending.pop()) {
    if (reached.has(socket)) continue;
    reached.add(socket);
    for (const file of socket.inTransit()) if (file instanceof UnixSocket) pending.push(file);
  }
  const garbage = [...inMessages.keys()].filter((socket) => !reached.has(socket));
  for (const socket of garbage) socket.discardQueue();
  return garbage.length;
}
