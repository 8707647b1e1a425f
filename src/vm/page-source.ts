/** Where pages come from when that takes time: swap, a snapshot, a page of another machine. Without a source, pages that need no
 *  file are made at once, and a file's own cache says when it must be awaited. */
import type { AddressSpace } from "./address-space.ts";

/** Calls back once when the page can be had; the returned function takes the request back. */
export type PageWait = (wake: () => void) => () => void;

/** Asked each time the program touches a page that has no frame, and each time the kernel reads or writes a page for it, which
 *  may be present: a source may hold a page that it is taking away. */
export interface PageSource {
  /** Undefined when the page at `address` may be used now. It is asked again after the wait, and has to say yes to all pages of
   *  one instruction or system call together in the end. */
  request(space: AddressSpace, address: number): PageWait | undefined;
}

/** False when the page must be awaited; `space.blocked` says how. */
export function hasArrived(source: PageSource, space: AddressSpace, address: number): boolean {
  const wait = source.request(space, address);
  if (wait === undefined) return true;
  space.blocked.wait = wait;
  return false;
}
