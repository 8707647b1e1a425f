/** ioctl(2): requests about the descriptor are answered here, the rest by the open file. */
import { EBADF, EFAULT, ENOTTY } from "../../abi/linux/errno.ts";
import { O_ASYNC, O_NONBLOCK } from "../../abi/linux/fcntl.ts";
import {
  FICLONE, FIGETBSZ, FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, TCFLSH, TCGETS, TCSBRK, TCSBRKP, TCSETS, TCSETSF, TCSETSW, TCXONC, TIOCEXCL,
  TIOCGPGRP, TIOCGPTN, TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCNXCL, TIOCOUTQ, TIOCSCTTY, TIOCSPGRP, TIOCSTI, TIOCSWINSZ,
} from "../../abi/linux/ioctl.ts";
import { WOULD_BLOCK, blockOn, takeBlocker } from "../../fs/wait.ts";
import type { IoctlArgument } from "../../fs/vfs/open-file.ts";
import { copyIn, copyOut, USER_BLOCKED } from "../../vm/user-memory.ts";
import { hexText } from "../../trace/text.ts";
import type { Call } from "../call.ts";
import { custom, fd, partial, sys, type Row } from "./define.ts";
import { fileOf } from "./file-arguments.ts";
import { addressText, pointerKind, viewOf, withOptional } from "./kinds.ts";

/** ioctl's third argument in the caller's memory. */
class UserArgument implements IoctlArgument {
  readonly value: number;
  readonly #call: Call;
  /** A page of the caller's memory is on its way. */
  awaitsPage = false;

  constructor(call: Call, value: number) {
    this.#call = call;
    this.value = value;
  }
  copyIn(bytes: Uint8Array): number {
    return this.#result(copyIn(this.#call.task.image.space, this.value, bytes), bytes.length);
  }
  copyOut(bytes: Uint8Array): number {
    return this.#result(copyOut(this.#call.task.image.space, this.value, bytes), bytes.length);
  }
  #result(moved: number, wanted: number): number {
    if (moved === wanted) return 0;
    if (moved !== USER_BLOCKED) return -EFAULT;
    this.awaitsPage = true;
    return blockOn(this.#call.kernel.blockedPage(this.#call.task.image.space));
  }
}

function ioctl(call: Call, fd: number, request: number, argument: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  switch (request) {
    case FIOCLEX:
      call.task.files.setCloseOnExec(fd, true);
      return 0;
    case FIONCLEX:
      call.task.files.setCloseOnExec(fd, false);
      return 0;
    case FIONBIO:
    case FIOASYNC: {
      const wanted = call.readU32(argument);
      if (wanted < 0) return wanted;
      const bit = request === FIONBIO ? O_NONBLOCK : O_ASYNC;
      // Files that cannot signal refuse to be asynchronous (ioctl(2), FIOASYNC).
      if (request === FIOASYNC && !file.pollable && wanted !== 0) return -ENOTTY;
      return file.setStatusFlags(wanted !== 0 ? file.flags | bit : file.flags & ~bit);
    }
    default: {
      const user = new UserArgument(call, argument);
      const result = file.ioctl(request, user, call.task);
      if (result !== WOULD_BLOCK) return result;
      return call.park(takeBlocker(), user.awaitsPage ? "UNINTERRUPTIBLE" : "ERESTARTSYS");
    }
  }
}

const REQUESTS = new Map<number, string>(Object.entries({
  FICLONE, FIGETBSZ, FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, TCFLSH, TCGETS, TCSBRK, TCSBRKP, TCSETS, TCSETSF, TCSETSW, TCXONC, TIOCEXCL,
  TIOCGPGRP, TIOCGPTN, TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCNXCL, TIOCOUTQ, TIOCSCTTY, TIOCSPGRP, TIOCSTI, TIOCSWINSZ,
}).map(([name, value]) => [value, name]));

const WITHOUT_ARGUMENT: readonly number[] = [FIOCLEX, FIONCLEX, TIOCEXCL, TIOCNXCL, TIOCNOTTY];
const PLAIN_NUMBER: readonly number[] = [TCSBRK, TCSBRKP, TCXONC, TCFLSH, TIOCSCTTY];
const INT_POINTERS: readonly number[] = [FIONBIO, FIOASYNC, FIONREAD, FIGETBSZ, TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCOUTQ, TIOCGPTN];

const ioctlArgument = pointerKind((value, view, all, result) => {
  const request = all[1];
  if (WITHOUT_ARGUMENT.includes(request)) return "";
  if (PLAIN_NUMBER.includes(request)) return String(value);
  if (result < 0) return addressText(value);
  if (INT_POINTERS.includes(request)) {
    const data = viewOf(view, value, 4);
    return data === undefined ? addressText(value) : `[${data.getInt32(0, true)}]`;
  }
  if (request === TIOCGWINSZ || request === TIOCSWINSZ) {
    const data = viewOf(view, value, 8);
    if (data === undefined) return addressText(value);
    const [rows, columns, x, y] = [0, 2, 4, 6].map((at) => data.getUint16(at, true));
    return `{ws_row=${rows}, ws_col=${columns}, ws_xpixel=${x}, ws_ypixel=${y}}`;
  }
  return addressText(value);
}, "exit");

export const ioctlCalls: readonly Row[] = [
  withOptional(sys("ioctl", { fd, request: custom((value) => REQUESTS.get(value) ?? hexText(value)), argument: ioctlArgument }, ioctl,
    partial("terminals, pipes, sockets and descriptors; no block or network devices")), 2),
];
