/** The script of the worker threads that worker.test.ts starts. An embedder's is the last line: only tests run from sources,
 *  for which a worker of Node 20 needs tsx registered inside it. */
import { register } from "tsx/esm/api";

register();
const [{ nodeHost }, { threadEnd }, { serveMachine }] = await Promise.all([
  import("../../src/host/node/clock.ts"), import("../../src/host/node/worker-end.ts"), import("../../src/worker/index.ts"),
]);
serveMachine(threadEnd(), { host: nodeHost });
