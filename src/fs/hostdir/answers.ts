/** Bridges a provider that may answer later and a kernel that cannot wait: the first call asks and blocks, the call
 *  that is retried after the answer has come gets it.
 *
 *  Questions (stat, list, readlink) may be asked again without harm, so answers are kept for a while, and a change of ours
 *  drops them all:
 *  - An answer given at once is kept until the host's event loop turns. Whatever tells the guest that something on the host
 *    has changed comes through the event loop, so it finds the change; and in between a path walk costs no host calls for
 *    the directories it shares with the walk before.
 *  - A late answer is kept for KEPT_SECONDS, so that a path walk that starts over finds the components it had.
 *  Changes and opens run once: their late answer waits for the caller that asked (see HostDirectory). */
import { EIO } from "../../abi/linux/errno.ts";
import type { FsClock } from "../context.ts";
import type { Answer } from "../provider.ts";
import { blockOn, WaitQueue, WOULD_BLOCK } from "../wait.ts";

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
  /** Answers of this turn of the event loop. */
  private readonly atOnce = new Map<string, unknown>();

  constructor(clock: FsClock) {
    this.clock = clock;
  }

  /** The answer to the question named `key`, or WOULD_BLOCK until it has come. */
  ask<T>(key: string, question: () => Answer<T>): T | number {
    const kept = this.atOnce.get(key);
    if (kept !== undefined) return kept as T | number;
    const answer = this.askLate(key, question, "keep");
    if (answer !== WOULD_BLOCK && !this.questions.has(key)) this.keepThisTurn(key, answer);
    return answer;
  }

  /** Like ask, for what must not be answered from memory: opening a file, setting attributes. */
  askOnce<T>(key: string, question: () => Answer<T>): T | number {
    return this.askLate(key, question, "take");
  }

  /** What was kept may be wrong now, and so may be the answers to questions under way: whoever waits for one asks again. */
  forget(): void {
    this.atOnce.clear();
    this.questions.clear();
  }
  private askLate<T>(key: string, question: () => Answer<T>, after: "keep" | "take"): T | number {
    const known = this.questions.get(key);
    if (known !== undefined) {
      if (!known.arrived) return blockOn(known.queue);
      this.clock.sample();
      // Kept at least until it was taken once, however long its caller was away.
      if (known.asOf === NOT_TAKEN) known.asOf = this.clock.seconds;
      const current = this.clock.seconds - known.asOf <= KEPT_SECONDS;
      if (after === "take" || !current) this.questions.delete(key);
      if (current) return known.answer as T | number;
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

  private keepThisTurn(key: string, answer: unknown): void {
    if (this.atOnce.size === 0) Promise.resolve().then(() => this.atOnce.clear());
    this.atOnce.set(key, answer);
  }
}

const NOT_TAKEN = -1;
