/** A machine in a worker, and the same in this thread. */
export { runInWorker } from "./client.ts";
export { runHere } from "./here.ts";
export type { GuestOptions, RunningMachine, RunOptions, Surroundings } from "./options.ts";
export { serveMachine } from "./serve.ts";
