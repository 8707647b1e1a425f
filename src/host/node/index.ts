/** menios/node: files, streams, clock and compiled modules from Node. */
export { nodeHost } from "./clock.ts";
export { type HostDirectoryOptions, NodeDirectory } from "./files.ts";
export { compileNodeCpuModules, nodeCpuModules } from "./modules.ts";
export { StreamInput, StreamOutput } from "./streams.ts";
export { threadEnd, workerEnd } from "./worker-end.ts";
