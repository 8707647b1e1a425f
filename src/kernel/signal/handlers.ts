/** What a process does with each signal (sigaction(2)). Shared by tasks cloned with CLONE_SIGHAND, so counted.
 *
 *  Entries are changed by rt_sigaction, by SA_RESETHAND delivery and by execve, which first takes a copy of its own. */
import { SIG_DFL, SIG_IGN, SIGNAL_COUNT } from "../../abi/linux/signal.ts";
import { SignalSet } from "./signal-set.ts";

/** Never changed once it is set, so tables share their entries. */
export interface SignalAction {
  /** SIG_DFL, SIG_IGN or the handler's address. */
  readonly handler: number;
  /** SA_* bits, unsigned. */
  readonly flags: number;
  readonly restorer: number;
  readonly mask: Readonly<SignalSet>;
}

const DEFAULT: SignalAction = { handler: SIG_DFL, flags: 0, restorer: 0, mask: new SignalSet() };
const IGNORED: SignalAction = { handler: SIG_IGN, flags: 0, restorer: 0, mask: new SignalSet() };

export class SignalHandlers {
  references = 1;
  /** Index 0 is unused. */
  readonly #actions: SignalAction[];

  constructor(actions: SignalAction[] = new Array<SignalAction>(SIGNAL_COUNT + 1).fill(DEFAULT)) {
    this.#actions = actions;
  }

  get(signal: number): SignalAction {
    return this.#actions[signal];
  }
  set(signal: number, action: SignalAction): void {
    this.#actions[signal] = action;
  }
  resetToDefault(signal: number): void {
    this.#actions[signal] = DEFAULT;
  }
  /** execve: handlers are gone with the image they were in, ignored signals stay ignored (execve(2)). */
  resetForExec(): void {
    for (let signal = 1; signal <= SIGNAL_COUNT; signal++) this.#actions[signal] = this.#actions[signal].handler === SIG_IGN ? IGNORED : DEFAULT;
  }
  clone(): SignalHandlers {
    return new SignalHandlers(this.#actions.slice());
  }
}
