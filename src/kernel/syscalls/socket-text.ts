/** How strace prints the arguments of socket calls. */
import {
  AF_UNIX, CMSGHDR_BYTES, MSG_CMSG_CLOEXEC, MSG_CONFIRM, MSG_CTRUNC, MSG_DONTROUTE, MSG_DONTWAIT, MSG_EOR, MSG_MORE, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK,
  MSG_TRUNC, MSG_WAITALL, MSG_WAITFORONE, MSGHDR_BYTES, SCM_CREDENTIALS, SCM_RIGHTS, SO_PEERCRED, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET,
} from "../../abi/linux/socket.ts";
import type { UserView } from "../../trace/event.ts";
import { flagsText, hexText, quoteBytes } from "../../trace/text.ts";
import { custom, flags, oneOf, type ParameterKind } from "./define.ts";
import { unsigned64 } from "./file-arguments.ts";
import { addressText, iovecsText, pointerKind, viewOf } from "./kinds.ts";

export const family = oneOf({ AF_UNSPEC: 0, AF_UNIX: 1, AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16, AF_PACKET: 17 });
const TYPES: Record<number, string> = { 1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 4: "SOCK_RDM", 5: "SOCK_SEQPACKET" };
export const socketType = custom((value) => {
  const type = TYPES[value & 0xf] ?? hexText(value & 0xf);
  const rest = value & ~0xf;
  return rest === 0 ? type : `${type}|${flagsText(rest, Object.entries({ SOCK_CLOEXEC, SOCK_NONBLOCK }), "")}`;
});
/** Internet protocols by name; local sockets have none. */
export const protocol = custom((value, all) =>
  (all[0] === 2 || all[0] === 10 ? ({ 0: "IPPROTO_IP", 1: "IPPROTO_ICMP", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP" }[value] ?? hexText(value)) : String(value | 0)));
export const socketFlags = flags({ SOCK_CLOEXEC, SOCK_NONBLOCK });

const MESSAGE_FLAGS = {
  MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_CTRUNC, MSG_TRUNC, MSG_DONTWAIT, MSG_EOR, MSG_WAITALL, MSG_CONFIRM, MSG_NOSIGNAL, MSG_MORE, MSG_WAITFORONE,
  MSG_CMSG_CLOEXEC,
};
export const messageFlags = flags(MESSAGE_FLAGS);

function sockaddrText(view: UserView, address: number, length: number): string {
  if (address === 0) return "NULL";
  const bytes = length >= 2 ? view.peek(address, Math.min(length, 110)) : undefined;
  if (bytes === undefined) return hexText(address);
  const number = bytes[0] | (bytes[1] << 8);
  if (number !== AF_UNIX) return `{sa_family=${number === 0 ? "AF_UNSPEC" : `0x${number.toString(16)}`}, sa_data=${quoteBytes(bytes.subarray(2, 16))}}`;
  const name = bytes.subarray(2);
  if (name.length === 0) return "{sa_family=AF_UNIX}";
  if (name[0] === 0) return `{sa_family=AF_UNIX, sun_path=@${quoteBytes(name.subarray(1))}}`;
  const end = name.indexOf(0);
  return `{sa_family=AF_UNIX, sun_path=${quoteBytes(end < 0 ? name : name.subarray(0, end))}}`;
}
/** @param lengthIndex argument that holds the length */
export const addressIn = (lengthIndex: number): ParameterKind => pointerKind((value, view, all) => sockaddrText(view, value, all[lengthIndex]));
/** @param lengthIndex argument that points to the length */
export const addressOut = (lengthIndex: number): ParameterKind => pointerKind((value, view, all, result) => {
  const length = result < 0 || all[lengthIndex] === 0 ? undefined : viewOf(view, all[lengthIndex], 4);
  return length === undefined ? addressText(value) : sockaddrText(view, value, length.getUint32(0, true));
}, "exit");
export const lengthInOut: ParameterKind = pointerKind((value, view) => {
  const data = value === 0 ? undefined : viewOf(view, value, 4);
  return data === undefined ? addressText(value) : `[${data.getInt32(0, true)}]`;
}, "exit");

const OPTIONS: Record<number, string> = {
  1: "SO_DEBUG", 2: "SO_REUSEADDR", 3: "SO_TYPE", 4: "SO_ERROR", 5: "SO_DONTROUTE", 6: "SO_BROADCAST", 7: "SO_SNDBUF", 8: "SO_RCVBUF", 9: "SO_KEEPALIVE",
  10: "SO_OOBINLINE", 12: "SO_PRIORITY", 13: "SO_LINGER", 15: "SO_REUSEPORT", 16: "SO_PASSCRED", 17: "SO_PEERCRED", 18: "SO_RCVLOWAT",
  19: "SO_SNDLOWAT", 20: "SO_RCVTIMEO_OLD", 21: "SO_SNDTIMEO_OLD", 29: "SO_TIMESTAMP_OLD", 30: "SO_ACCEPTCONN", 31: "SO_PEERSEC", 32: "SO_SNDBUFFORCE",
  33: "SO_RCVBUFFORCE", 38: "SO_PROTOCOL", 39: "SO_DOMAIN",
};
export const optionLevel = oneOf({ SOL_SOCKET, SOL_IP: 0, SOL_TCP: 6, SOL_UDP: 17, SOL_IPV6: 41 });
export const optionName = custom((value, all) => (all[1] === SOL_SOCKET ? (OPTIONS[value] ?? hexText(value)) : hexText(value)));
const optionText = (value: number, view: UserView, all: readonly number[], length: number): string => {
  const data = viewOf(view, value, Math.min(length, 16));
  if (data === undefined || length < 4) return addressText(value);
  if (all[2] === SO_PEERCRED && length >= 12) return `{pid=${data.getInt32(0, true)}, uid=${data.getUint32(4, true)}, gid=${data.getUint32(8, true)}}`;
  if (length >= 16) return `{tv_sec=${data.getBigInt64(0, true)}, tv_usec=${data.getBigInt64(8, true)}}`;
  return `[${data.getInt32(0, true)}]`;
};
export const optionValueIn: ParameterKind = pointerKind((value, view, all) => optionText(value, view, all, all[4]));
export const optionValueOut: ParameterKind = pointerKind((value, view, all, result) => {
  const length = result < 0 ? undefined : viewOf(view, all[4], 4);
  return length === undefined ? addressText(value) : optionText(value, view, all, length.getInt32(0, true));
}, "exit");

/** struct msghdr with its iovecs and control messages. @param bytes how many of the iovecs' bytes are meant */
function messageText(view: UserView, address: number, bytes: number): string {
  const data = address === 0 ? undefined : viewOf(view, address, MSGHDR_BYTES);
  if (data === undefined) return addressText(address);
  const nameLength = data.getUint32(8, true);
  const count = unsigned64(data, 24);
  const controlLength = unsigned64(data, 40);
  const control = controlLength === 0 ? "" : `msg_control=${controlText(view, unsigned64(data, 32), controlLength)}, `;
  return `{msg_name=${sockaddrText(view, unsigned64(data, 0), nameLength)}, msg_namelen=${nameLength}, ` +
    `msg_iov=${iovecsText(unsigned64(data, 16), count, view, bytes)}, msg_iovlen=${count}, ${control}msg_controllen=${controlLength}, ` +
    `msg_flags=${flagsText(data.getUint32(48, true), Object.entries(MESSAGE_FLAGS), "0")}}`;
}
function controlText(view: UserView, address: number, length: number): string {
  const data = viewOf(view, address, Math.min(length, 1024));
  if (data === undefined) return addressText(address);
  const messages: string[] = [];
  for (let at = 0; at + CMSGHDR_BYTES <= data.byteLength; ) {
    const size = unsigned64(data, at);
    if (size < CMSGHDR_BYTES || at + size > data.byteLength) break;
    const type = data.getInt32(at + 12, true);
    const name = type === SCM_RIGHTS ? "SCM_RIGHTS" : type === SCM_CREDENTIALS ? "SCM_CREDENTIALS" : hexText(type);
    const words: number[] = [];
    for (let word = at + CMSGHDR_BYTES; word + 4 <= at + size; word += 4) words.push(data.getInt32(word, true));
    const body = type === SCM_CREDENTIALS ? `{pid=${words[0]}, uid=${words[1]}, gid=${words[2]}}` : `[${words.join(", ")}]`;
    messages.push(`{cmsg_len=${size}, cmsg_level=SOL_SOCKET, cmsg_type=${name}, cmsg_data=${body}}`);
    at += Math.ceil(size / 8) * 8;
  }
  return `[${messages.join(", ")}]`;
}
export const messageIn: ParameterKind = pointerKind((value, view) => messageText(view, value, Number.POSITIVE_INFINITY));
export const messageOut: ParameterKind = pointerKind((value, view, _all, result) => (result < 0 ? addressText(value) : messageText(view, value, result)), "exit");
