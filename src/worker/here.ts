/** Runs a program in this thread, asked for as it would be in another. */
import { MemoryProvider } from "../fs/providers/memory.ts";
import { Machine } from "../machine.ts";
import type { GuestStats } from "../trace/stats.ts";
import type { RunningMachine, RunOptions, Surroundings } from "./options.ts";

export function runHere({ host, mounts = [] }: Surroundings, options: RunOptions): RunningMachine {
  const { files = {}, ...rest } = options;
  const creating = Machine.create({ ...rest, host, files: { root: new MemoryProvider(files), mounts } });
  const tell = (action: (machine: Machine) => void): void => {
    // A machine that was not built is reported by `result`.
    creating.then(action, () => {});
  };
  let last: GuestStats | undefined;
  const result = creating.then(async (machine) => {
    const ended = await machine.run();
    last = ended.stats;
    return ended;
  });
  return {
    result,
    stats: async () => {
      const machine = await creating;
      return last ?? machine.stats();
    },
    signal: (number) => tell((machine) => machine.signal(number)),
    kill: (reason) => tell((machine) => machine.kill(reason)),
  };
}
