/** What is said between the thread that wants a program run and the thread that runs it. Plain data only; WebAssembly
 *  modules travel too, so a worker neither fetches nor compiles anything.
 *
 *    client                        server
 *    start  ────────────────────▶  builds the machine, runs it
 *           ◀─────────────  pull   the guest wants input
 *    input  ────────────────────▶
 *           ◀───────────  output   at most WINDOW bytes of a stream before they are…
 *    taken  ────────────────────▶  …taken: the guest waits meanwhile, in the machine, not in memory
 *           ◀───  ended | failed   the last message */
import type { EndReason, MachineResult } from "../machine.ts";
import type { GuestStats } from "../trace/stats.ts";
import type { GuestOptions } from "./options.ts";

/** Bytes of one output stream that may be on their way. */
export const WINDOW = 256 << 10;

export type StreamName = "stdout" | "stderr";

export type ToServer =
  | { readonly kind: "start"; readonly options: GuestOptions; readonly input: boolean }
  | { readonly kind: "input"; readonly bytes: Uint8Array | null }
  | { readonly kind: "taken"; readonly stream: StreamName; readonly count: number }
  /** Nobody reads the stream any more. */
  | { readonly kind: "broken"; readonly stream: StreamName }
  | { readonly kind: "signal"; readonly number: number }
  | { readonly kind: "kill"; readonly reason: EndReason }
  | { readonly kind: "stats"; readonly id: number };

export type ToClient =
  | { readonly kind: "pull" }
  | { readonly kind: "output"; readonly stream: StreamName; readonly bytes: Uint8Array }
  | { readonly kind: "report"; readonly text: string }
  | { readonly kind: "stats"; readonly id: number; readonly stats: GuestStats }
  | { readonly kind: "ended"; readonly result: MachineResult }
  | { readonly kind: "failed"; readonly failure: Failure };

/** An error that the other side can build again. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  /** Of a StartError. */
  readonly errno?: number;
}
