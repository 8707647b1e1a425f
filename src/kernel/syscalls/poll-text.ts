/** How strace prints the arguments of poll, select and epoll. */
import { flagsText, hexText } from "../../trace/text.ts";
import { int, type ParameterKind } from "./define.ts";
import { unsigned64 } from "./file-arguments.ts";
import { addressText, pointerKind, signalSetText, viewOf } from "./kinds.ts";

const POLL_NAMES: readonly (readonly [string, number])[] = Object.entries({
  POLLIN: 1, POLLPRI: 2, POLLOUT: 4, POLLRDNORM: 0x40, POLLWRNORM: 0x100, POLLRDBAND: 0x80, POLLWRBAND: 0x200, POLLERR: 8, POLLHUP: 0x10, POLLNVAL: 0x20,
  POLLMSG: 0x400, POLLRDHUP: 0x2000,
});

/** `[{fd=4, events=POLLIN}]`. @param countIndex argument that holds their number */
export const pollfds = (countIndex: number): ParameterKind => pointerKind((value, view, all) => {
  const count = all[countIndex];
  const data = viewOf(view, value, Math.min(count, 32) * 8);
  if (data === undefined || value === 0) return addressText(value);
  const items: string[] = [];
  for (let at = 0; at < data.byteLength; at += 8) {
    const fd = data.getInt32(at, true);
    items.push(fd < 0 ? `{fd=${fd}}` : `{fd=${fd}, events=${flagsText(data.getUint16(at + 4, true), POLL_NAMES, "0")}}`);
  }
  return `[${items.join(", ")}${count > 32 ? ", ..." : ""}]`;
});

/** `[4 7]`, the members below the first argument of the call. */
export const fdSet: ParameterKind = pointerKind((value, view, all) => {
  if (value === 0) return "NULL";
  const count = Math.min(Math.max(all[0], 0), 1024);
  const bytes = view.peek(value, Math.ceil(count / 8));
  if (bytes === undefined) return hexText(value);
  const members: number[] = [];
  for (let fd = 0; fd < count; fd++) if (((bytes[fd >> 3] >> (fd & 7)) & 1) !== 0) members.push(fd);
  return `[${members.join(" ")}]`;
});

/** pselect6's pair of pointer and size. */
export const sigmaskArgument: ParameterKind = pointerKind((value, view) => {
  if (value === 0) return "NULL";
  const pair = viewOf(view, value, 16);
  if (pair === undefined) return hexText(value);
  const pointer = unsigned64(pair, 0);
  const set = pointer === 0 ? undefined : viewOf(view, pointer, 8);
  const mask = pointer === 0 ? "NULL" : set === undefined ? hexText(pointer) : signalSetText(set.getUint32(0, true), set.getUint32(4, true));
  return `{sigmask=${mask}, sigsetsize=${unsigned64(pair, 8)}}`;
});

const EPOLL_NAMES: readonly (readonly [string, number])[] = Object.entries({
  EPOLLIN: 1, EPOLLPRI: 2, EPOLLOUT: 4, EPOLLRDNORM: 0x40, EPOLLRDBAND: 0x80, EPOLLWRNORM: 0x100, EPOLLWRBAND: 0x200, EPOLLMSG: 0x400, EPOLLERR: 8,
  EPOLLHUP: 0x10, EPOLLRDHUP: 0x2000, EPOLLEXCLUSIVE: 0x1000_0000, EPOLLWAKEUP: 0x2000_0000, EPOLLONESHOT: 0x4000_0000, EPOLLET: 0x8000_0000,
});
function epollEventText(data: DataView, at: number): string {
  const low = data.getUint32(at + 4, true);
  const whole = data.getBigUint64(at + 4, true);
  return `{events=${flagsText(data.getUint32(at, true), EPOLL_NAMES, "0")}, data={u32=${low}, u64=${whole}}}`;
}
export const epollEventIn: ParameterKind = pointerKind((value, view) => {
  const data = value === 0 ? undefined : viewOf(view, value, 12);
  return data === undefined ? addressText(value) : epollEventText(data, 0);
});
/** As many events as the result says. */
export const epollEventsOut: ParameterKind = pointerKind((value, view, _all, result) => {
  if (result < 0) return addressText(value);
  const data = viewOf(view, value, result * 12);
  if (data === undefined) return addressText(value);
  const items: string[] = [];
  for (let index = 0; index < result; index++) items.push(epollEventText(data, index * 12));
  return `[${items.join(", ")}]`;
}, "exit");
export const epollOperation: ParameterKind = { ...int, format: (value) => ["", "EPOLL_CTL_ADD", "EPOLL_CTL_DEL", "EPOLL_CTL_MOD"][value] || hexText(value >>> 0) };
