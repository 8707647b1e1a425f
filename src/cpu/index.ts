/** menios/cpu: decoder, instruction set and engines. */
import "./instructions/index.ts";
export { ColdCpu, type CpuModules, type CpuOptions, type Engine } from "./cold/engine.ts";
export { HandlerTable } from "./cold/handler-table.ts";
export { buildColdModule } from "./cold/handlers.ts";
export type { Cpu } from "./cpu.ts";
export { type Decoded, Decoder } from "./decode/decoder.ts";
export { OpcodeTables } from "./decode/tables.ts";
export * from "./exit.ts";
export { Registers } from "./registers.ts";
