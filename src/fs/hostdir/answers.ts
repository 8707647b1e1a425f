/** Bridges a provider that may answer later and a kernel that cannot wait: the first call asks and blocks, the call
 *  that is retried after the answer has come gets it.
 *
 *  Questions (stat, list, readlink, open) may be asked again without harm, so late answers are kept for KEPT_SECONDS: a
 *  path walk that starts over finds the components it had. A change of ours drops what is kept. Changes run once: their
 *  answer waits for the caller that asked (see HostDirectory). */
import { EIO } from "../../abi/linux/errno.ts";
import type { FsClock } from "../context.ts";
import type { Answer } from "../provider.ts";
import { blockOn, WaitQueue } from "../wait.ts";

/** As long as a network filesystem keeps attributes at least (nfs(5), acregmin is 3). */
const KEPT_SECONDS = 1;

interface Question {
  /** Undefined until the answer has come. */
  answer: unknown;
  arrived: boolean;
  readonly queue: WaitQueue;
  asOf: number;
}

export function isPromise<T>(answer: Answer<T>): answer is Promise<T | number> {
  return typeof answer === "object" && answer !== null && typeof (answer as { then?: unknown }).then === "function";
}

/** Calls `done` with the answer, at once when it is there; a rejected promise counts as -EIO. */
export function whenAnswered<T>(answer: Answer<T>, done: (value: T | number) => void): void {
  if (isPromise(answer)) answer.then(done, () => done(-EIO));
  else done(answer);
}

export class Answers {
  private readonly clock: FsClock;
  private readonly questions = new Map<string, Question>();

  constructor(clock: FsClock) {
    this.clock = clock;
  }

  /** The answer to the question named `key`, or WOULD_BLOCK until it has come. */
  ask<T>(key: string, question: () => Answer<T>): T | number {
    const known = this.questions.get(key);
    if (known !== undefined) {
      if (!known.arrived) return blockOn(known.queue);
      this.clock.sample();
      // Strictly kept at least until it was taken once, however long its caller was away.
      if (known.asOf === NOT_TAKEN) known.asOf = this.clock.seconds;
      if (this.clock.seconds - known.asOf <= KEPT_SECONDS) return known.answer as T | number;
      this.questions.delete(key);
    }
    const answer = question();
    if (!isPromise(answer)) return answer;
    const asked: Question = { answer: undefined, arrived: false, queue: new WaitQueue(), asOf: NOT_TAKEN };
    this.questions.set(key, asked);
    whenAnswered(answer, (value) => {
      asked.answer = value;
      asked.arrived = true;
      asked.queue.wakeAll();
    });
    return blockOn(asked.queue);
  }

  /** What was kept may be wrong now. Questions under way stay. */
  forget(): void {
    for (const [key, question] of this.questions) if (question.arrived) this.questions.delete(key);
  }
  /** Drops one kept answer, because its value belongs to whoever took it (an open file). */
  take(key: string): void {
    this.questions.delete(key);
  }
}

const NOT_TAKEN = -1;
