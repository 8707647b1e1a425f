/** epoll_create(2), epoll_ctl(2), epoll_wait(2) over kernel/epoll.ts. */
import { EBADF, EFAULT, EINVAL, EPERM } from "../../abi/linux/errno.ts";
import { O_CLOEXEC } from "../../abi/linux/fcntl.ts";
import { copyOut } from "../../vm/user-memory.ts";
import type { Call } from "../call.ts";
import { EpollFile } from "../epoll.ts";
import { fd, flags, full, int, size, sys, timespecIn, type Row } from "./define.ts";
import { descriptorRoom, fileOf, installFile, isUserRange } from "./file-arguments.ts";
import { signalSetIn } from "./kinds.ts";
import { pollQueue, readTimeout, temporaryMask } from "./poll.ts";
import { epollEventIn, epollEventsOut, epollOperation } from "./poll-text.ts";

/** struct epoll_event is packed on x86-64: u32 events, u64 data. */
const EVENT_BYTES = 12;
const EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3;
/** Largest maxevents (EP_MAX_EVENTS: INT_MAX over the size of an event, which the kernel counts unpacked as here). */
const MAX_EVENTS = Math.floor(0x7fff_ffff / EVENT_BYTES);

const epollCreate = (call: Call, size: number): number => (size <= 0 ? -EINVAL : epollCreate1(call, 0));
function epollCreate1(call: Call, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  const room = descriptorRoom(call);
  return room < 0 ? room : installFile(call, new EpollFile(call.kernel), (flags & O_CLOEXEC) !== 0);
}

function epollCtl(call: Call, epfd: number, operation: number, fd: number, eventAddress: number): number {
  let event = { events: 0, dataLow: 0, dataHigh: 0 };
  if (operation !== EPOLL_CTL_DEL) {
    const failed = call.fetch(eventAddress, EVENT_BYTES);
    if (failed < 0) return failed;
    const { scratch } = call;
    event = { events: scratch.getUint32(0, true), dataLow: scratch.getUint32(4, true), dataHigh: scratch.getUint32(8, true) };
  }
  const epoll = fileOf(call, epfd);
  const file = fileOf(call, fd);
  if (epoll === undefined || file === undefined) return -EBADF;
  if (!file.pollable) return -EPERM;
  if (!(epoll instanceof EpollFile) || file === epoll) return -EINVAL;
  switch (operation) {
    case EPOLL_CTL_ADD: return epoll.add(fd, file, event, pollQueue(call, file));
    case EPOLL_CTL_DEL: return epoll.delete(fd, file);
    case EPOLL_CTL_MOD: return epoll.modify(fd, file, event);
    default: return -EINVAL;
  }
}

function epollWait(call: Call, epfd: number, events: number, count: number, milliseconds: number): number {
  call.deadline ??= milliseconds < 0 ? Infinity : call.now() + milliseconds * 1_000_000;
  return waitUntil(call, epfd, events, count, call.deadline);
}
function waitUntil(call: Call, epfd: number, events: number, count: number, deadline: number): number {
  if (count <= 0 || count > MAX_EVENTS) return -EINVAL;
  if (!isUserRange(events, count * EVENT_BYTES)) return -EFAULT;
  const epoll = fileOf(call, epfd);
  if (epoll === undefined) return -EBADF;
  if (!(epoll instanceof EpollFile)) return -EINVAL;
  const { scratch, kernel, task } = call;
  let at = events;
  let faulted = false;
  const reported = epoll.collect(count, (event) => {
    scratch.setUint32(0, event.events, true);
    scratch.setUint32(4, event.dataLow, true);
    scratch.setUint32(8, event.dataHigh, true);
    faulted = copyOut(task.image.space, at, kernel.scratch.subarray(0, EVENT_BYTES)) !== EVENT_BYTES;
    if (!faulted) at += EVENT_BYTES;
    return !faulted;
  });
  if (reported > 0) return reported;
  // Storing again says whether the page is missing or on its way.
  if (faulted) return call.store(events, EVENT_BYTES);
  if (call.timedOut || call.now() >= deadline) return 0;
  return call.park(epoll.waiters, "EINTR", deadline);
}

function epollPwait(call: Call, epfd: number, events: number, count: number, milliseconds: number, mask: number, maskBytes: number): number {
  const masked = temporaryMask(call, mask, maskBytes);
  return masked < 0 ? masked : epollWait(call, epfd, events, count, milliseconds);
}
function epollPwait2(call: Call, epfd: number, events: number, count: number, timeout: number, mask: number, maskBytes: number): number {
  const deadline = readTimeout(call, timeout, 1);
  if (deadline < 0) return deadline;
  const masked = temporaryMask(call, mask, maskBytes);
  return masked < 0 ? masked : waitUntil(call, epfd, events, count, deadline);
}

const EPOLL_CLOEXEC = O_CLOEXEC;
export const epollCalls: readonly Row[] = [
  sys("epoll_create", { size: int }, epollCreate, full),
  sys("epoll_create1", { flags: flags({ EPOLL_CLOEXEC }) }, epollCreate1, full),
  sys("epoll_ctl", { epfd: fd, operation: epollOperation, fd, event: epollEventIn }, epollCtl, full),
  sys("epoll_wait", { epfd: fd, events: epollEventsOut, count: int, timeout: int }, epollWait, full),
  sys("epoll_pwait", { epfd: fd, events: epollEventsOut, count: int, timeout: int, mask: signalSetIn, maskBytes: size }, epollPwait, full),
  sys("epoll_pwait2", { epfd: fd, events: epollEventsOut, count: int, timeout: timespecIn, mask: signalSetIn, maskBytes: size }, epollPwait2, full),
];
