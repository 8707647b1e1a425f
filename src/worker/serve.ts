/** The server: what a worker's script calls, once. It runs one machine for the thread at the other end.
 *
 *    serveMachine(threadEnd(), { host: nodeHost });        // Node
 *    serveMachine(scopeEnd(), { host: browserHost });      // page */
import type { HostInput, HostOutput } from "../host/host.ts";
import type { MessageEnd } from "../host/port.ts";
import { StartError } from "../machine.ts";
import { runHere } from "./here.ts";
import type { GuestOptions, RunningMachine, Surroundings } from "./options.ts";
import { type Failure, type StreamName, type ToClient, type ToServer, WINDOW } from "./protocol.ts";

export function serveMachine(end: MessageEnd, surroundings: Surroundings): void {
  const send = (message: ToClient, transfer?: readonly ArrayBuffer[]): void => end.send(message, transfer);
  const input = new RemoteInput(send);
  const outputs: Readonly<Record<StreamName, RemoteOutput>> = { stdout: new RemoteOutput("stdout", send), stderr: new RemoteOutput("stderr", send) };
  let running: RunningMachine | undefined;

  const start = (options: GuestOptions, wantsInput: boolean): void => {
    running = runHere(surroundings, {
      ...options, ...(wantsInput ? { stdin: input } : {}), ...outputs, onFaultReport: (text) => send({ kind: "report", text }),
    });
    running.result.then(
      (result) => send({ kind: "ended", result }),
      (error) => send({ kind: "failed", failure: failureOf(error) }),
    );
  };

  end.receive(
    (received) => {
      const message = received as ToServer;
      switch (message.kind) {
        case "start":
          return start(message.options, message.input);
        case "input":
          return input.deliver(message.bytes);
        case "taken":
          return outputs[message.stream].taken(message.count);
        case "broken":
          return outputs[message.stream].break();
        case "signal":
          return running?.signal(message.number);
        case "kill":
          return running?.kill(message.reason);
        case "stats":
          // When there is no machine, `failed` is on its way and answers everything.
          running?.stats().then((stats) => send({ kind: "stats", id: message.id, stats }), () => {});
      }
    },
    () => running?.kill(),
  );
}

function failureOf(error: unknown): Failure {
  if (error instanceof StartError) return { name: error.name, message: error.message, errno: error.errno };
  return error instanceof Error ? { name: error.name, message: error.message } : { name: "Error", message: String(error) };
}

class RemoteInput implements HostInput {
  readonly #send: (message: ToClient) => void;
  #waiting: ((bytes: Uint8Array | null) => void) | undefined;

  constructor(send: (message: ToClient) => void) {
    this.#send = send;
  }
  pull(deliver: (bytes: Uint8Array | null) => void): void {
    this.#waiting = deliver;
    this.#send({ kind: "pull" });
  }
  deliver(bytes: Uint8Array | null): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(bytes);
  }
}

class RemoteOutput implements HostOutput {
  broken = false;
  readonly #stream: StreamName;
  readonly #send: (message: ToClient, transfer: readonly ArrayBuffer[]) => void;
  #underWay = 0;
  #resume: (() => void) | undefined;

  constructor(stream: StreamName, send: (message: ToClient, transfer: readonly ArrayBuffer[]) => void) {
    this.#stream = stream;
    this.#send = send;
  }
  write(bytes: Uint8Array): boolean {
    // A copy of its own: what comes in may be a view of guest RAM.
    const copy = bytes.slice();
    this.#underWay += copy.length;
    this.#send({ kind: "output", stream: this.#stream, bytes: copy }, [copy.buffer]);
    return this.#underWay < WINDOW;
  }
  drained(resume: () => void): void {
    if (this.broken || this.#underWay < WINDOW) resume();
    else this.#resume = resume;
  }
  taken(count: number): void {
    this.#underWay -= count;
    if (this.#underWay < WINDOW) this.#wake();
  }
  break(): void {
    this.broken = true;
    this.#wake();
  }
  #wake(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}
