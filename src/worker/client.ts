/** The client: runs a program in the worker at the other end of `end`, which has called serveMachine. One worker runs one
 *  program; when the result is there the end is closed, and the worker's memory with it. */
import type { HostOutput } from "../host/host.ts";
import type { MessageEnd } from "../host/port.ts";
import { type MachineResult, StartError } from "../machine.ts";
import type { GuestStats } from "../trace/stats.ts";
import type { RunningMachine, RunOptions } from "./options.ts";
import type { Failure, StreamName, ToClient, ToServer } from "./protocol.ts";

interface Question {
  readonly resolve: (stats: GuestStats) => void;
  readonly reject: (error: Error) => void;
}

export function runInWorker(end: MessageEnd, options: RunOptions): RunningMachine {
  const { stdin, stdout, stderr, signal, onFaultReport, ...guest } = options;
  const outputs: Readonly<Record<StreamName, HostOutput | undefined>> = { stdout, stderr };
  const questions = new Map<number, Question>();
  let lastQuestion = 0;
  let outcome: { readonly stats: GuestStats } | { readonly error: Error } | undefined;
  const send = (message: ToServer): void => {
    if (outcome === undefined) end.send(message);
  };

  const result = new Promise<MachineResult>((resolve, reject) => {
    const fail = (error: Error): void => {
      if (outcome !== undefined) return;
      outcome = { error };
      for (const question of questions.values()) question.reject(error);
      end.close();
      reject(error);
    };
    const finish = (ended: MachineResult): void => {
      outcome = { stats: ended.stats };
      for (const question of questions.values()) question.resolve(ended.stats);
      end.close();
      resolve(ended);
    };
    end.receive((received) => {
      const message = received as ToClient;
      switch (message.kind) {
        case "pull":
          return stdin?.pull((bytes) => send({ kind: "input", bytes }));
        case "output":
          return pass(message.stream, outputs[message.stream], message.bytes, send);
        case "report":
          return onFaultReport?.(message.text);
        case "stats":
          questions.get(message.id)?.resolve(message.stats);
          questions.delete(message.id);
          return;
        case "ended":
          return finish(message.result);
        case "failed":
          return fail(errorOf(options.program, message.failure));
      }
    }, fail);
  });

  const kill: RunningMachine["kill"] = (reason = "killed") => send({ kind: "kill", reason });
  send({ kind: "start", options: guest, input: stdin !== undefined });
  if (signal?.aborted === true) kill("aborted");
  const abort = (): void => kill("aborted");
  signal?.addEventListener("abort", abort);
  const deaf = (): void => signal?.removeEventListener("abort", abort);
  result.then(deaf, deaf);
  return {
    result,
    stats: () =>
      new Promise((resolve, reject) => {
        if (outcome !== undefined) {
          if ("stats" in outcome) resolve(outcome.stats);
          else reject(outcome.error);
          return;
        }
        questions.set(++lastQuestion, { resolve, reject });
        send({ kind: "stats", id: lastQuestion });
      }),
    signal: (number) => send({ kind: "signal", number }),
    kill,
  };
}

/** Hands output on, and says that it is taken when the target has room for more. */
function pass(stream: StreamName, target: HostOutput | undefined, bytes: Uint8Array, send: (message: ToServer) => void): void {
  const taken = (): void => send({ kind: "taken", stream, count: bytes.length });
  const room = target?.write(bytes) ?? true;
  if (target?.broken === true) send({ kind: "broken", stream });
  if (room || target === undefined) taken();
  else target.drained(taken);
}

function errorOf(program: string, { name, message, errno }: Failure): Error {
  if (errno !== undefined) return new StartError(program, errno);
  return name === "RangeError" ? new RangeError(message) : new Error(message);
}
