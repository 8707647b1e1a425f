/** Our own bugs. Guest errors are errno values and guest exceptions are exits; only a broken invariant throws. */

/** A broken invariant of this program, with the state needed to find it. Never caused by a guest. */
export class KernelPanic extends Error {
  readonly state: Readonly<Record<string, unknown>>;
  constructor(message: string, state: Record<string, unknown> = {}) {
    const parts = Object.entries(state).map(([key, value]) => `${key}=${typeof value === "number" ? `0x${value.toString(16)}` : String(value)}`);
    super(parts.length > 0 ? `${message} (${parts.join(" ")})` : message);
    this.name = "KernelPanic";
    this.state = state;
  }
}

/** Throws a {@link KernelPanic} unless `condition` holds. */
export function assert(condition: unknown, message: string, state?: Record<string, unknown>): asserts condition {
  if (!condition) throw new KernelPanic(message, state);
}

/** Marks a branch that the types say is impossible. */
export function unreachable(value: never): never {
  throw new KernelPanic(`unreachable: ${String(value)}`);
}
