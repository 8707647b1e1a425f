/** What a process does with each signal (sigaction(2)). Shared by tasks cloned with CLONE_SIGHAND, so counted.
 *
 *  Entries are changed by rt_sigaction, by SA_RESETHAND delivery and by execve, which first takes a copy of its own. */
import { SIG_DFL, SIG_IGN, SIGNAL_COUNT } from "../../abi/linux/signal.ts";
import { SignalSet } from "./signal-set.ts";

export interface SignalAction {
  /** SIG_DFL, SIG_IGN or the handler's address. */
  handler: number;
  /** SA_* bits, unsigned. */
  flags: number;
  restorer: number;
  mask: SignalSet;
}

const defaultEntry = (): SignalAction => ({ handler: SIG_DFL, flags: 0, restorer: 0, mask: new SignalSet() });

export class SignalHandlers {
  references = 1;
  /** Index 0 is unused. */
  readonly #actions: SignalAction[] = [];

  constructor() {
    for (let signal = 0; signal <= SIGNAL_COUNT; signal++) this.#actions.push(defaultEntry());
  }

  get(signal: number): SignalAction {
    return this.#actions[signal];
  }
  set(signal: number, action: SignalAction): void {
    this.#actions[signal] = action;
  }
  resetToDefault(signal: number): void {
    this.#actions[signal] = defaultEntry();
  }
  /** execve: handlers are gone with the image they were in, ignored signals stay ignored (execve(2)). */
  resetForExec(): void {
    for (let signal = 1; signal <= SIGNAL_COUNT; signal++) {
      const ignored = this.#actions[signal].handler === SIG_IGN;
      this.resetToDefault(signal);
      if (ignored) this.#actions[signal].handler = SIG_IGN;
    }
  }
  clone(): SignalHandlers {
    const copy = new SignalHandlers();
    for (let signal = 1; signal <= SIGNAL_COUNT; signal++) {
      const action = this.#actions[signal];
      copy.#actions[signal] = { ...action, mask: action.mask.clone() };
    }
    return copy;
  }
}
