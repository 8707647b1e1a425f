/** What happens in address spaces, for whoever listens. Nothing is built or called when nobody does.
 *
 *  A listener only watches: it must not call back into the space. Addresses and lengths are in bytes. */
import type { AddressSpace } from "./address-space.ts";
import type { FaultKind } from "./fault-kind.ts";

export interface VmEvents {
  /** A fault was handled. `frame` is the frame that now backs the page, 0 when none does. */
  faulted(space: AddressSpace, kind: FaultKind, address: number, errorCode: number, frame: number): void;
  mapped(space: AddressSpace, start: number, length: number, prot: number, flags: number): void;
  unmapped(space: AddressSpace, start: number, length: number): void;
  protected(space: AddressSpace, start: number, length: number, prot: number): void;
  moved(space: AddressSpace, from: number, to: number, length: number): void;
  cloned(parent: AddressSpace, child: AddressSpace): void;
  destroyed(space: AddressSpace): void;
}
