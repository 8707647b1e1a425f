/** struct timespec, timeval, itimerspec and itimerval between user memory and nanoseconds. Seconds are cut to what a number
 *  of nanoseconds can tell apart from forever (292 years, KTIME_MAX). */
import { EINVAL } from "../../abi/linux/errno.ts";
import { NANOSECONDS } from "../../abi/linux/time.ts";
import type { Call } from "../call.ts";
import { put64, signed64 } from "./file-arguments.ts";

/** Seconds of KTIME_MAX. */
const SECONDS_MAX = 9_223_372_036;

/** Nanoseconds of a timespec at `offset` of the scratch; -EINVAL when it is none. */
export function nanosecondsAt(view: DataView, offset: number): number {
  const seconds = signed64(view, offset);
  const nanos = signed64(view, offset + 8);
  if (seconds < 0 || nanos < 0 || nanos >= NANOSECONDS) return -EINVAL;
  return Math.min(seconds, SECONDS_MAX) * NANOSECONDS + nanos;
}
/** Nanoseconds of the timespec at `address`; -EINVAL, -EFAULT or PARKED. */
export function readTimespec(call: Call, address: number): number {
  const failed = call.fetch(address, 16);
  return failed < 0 ? failed : nanosecondsAt(call.scratch, 0);
}
export function putTimespec(view: DataView, offset: number, seconds: number, nanos: number): void {
  put64(view, offset, seconds);
  put64(view, offset + 8, nanos);
}
export function putNanoseconds(view: DataView, offset: number, nanoseconds: number): void {
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  putTimespec(view, offset, seconds, Math.floor(nanoseconds - seconds * NANOSECONDS));
}
export function storeNanoseconds(call: Call, address: number, nanoseconds: number): number {
  putNanoseconds(call.scratch, 0, nanoseconds);
  return call.store(address, 16);
}

export interface TimerRequest {
  readonly interval: number;
  readonly value: number;
}
export function readItimerspec(call: Call, address: number): TimerRequest | number {
  const failed = call.fetch(address, 32);
  if (failed < 0) return failed;
  const interval = nanosecondsAt(call.scratch, 0);
  const value = nanosecondsAt(call.scratch, 16);
  return interval < 0 || value < 0 ? -EINVAL : { interval, value };
}
export function storeItimerspec(call: Call, address: number, interval: number, value: number): number {
  putNanoseconds(call.scratch, 0, interval);
  putNanoseconds(call.scratch, 16, value);
  return call.store(address, 32);
}

/** Nanoseconds of a timeval at `offset`; -EINVAL. */
export function timevalAt(view: DataView, offset: number): number {
  const seconds = signed64(view, offset);
  const micros = signed64(view, offset + 8);
  if (seconds < 0 || micros < 0 || micros >= 1_000_000) return -EINVAL;
  return Math.min(seconds, SECONDS_MAX) * NANOSECONDS + micros * 1000;
}
export function putTimeval(view: DataView, offset: number, nanoseconds: number): void {
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  put64(view, offset, seconds);
  put64(view, offset + 8, Math.floor((nanoseconds - seconds * NANOSECONDS) / 1000));
}
