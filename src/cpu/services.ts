/** Instructions that are routines in TypeScript: they work on the register file in RAM and on guest memory through the MMU.
 *  Both engines call them by number with everything in RAM up to date. */
import type { CpuServices } from "./service-context.ts";
import { stringService } from "./string.ts";
import {
  cpuidService, describeSegmentService, loadSegmentService, popFlagsService, pushFlagsService, rdtscService, readSegmentService,
  traceService,
} from "./system.ts";

/** Result of a service: the instruction is done, or it must leave with the kind in EXIT_KIND (0). */
export const SERVICE_DONE = 1;
export const SERVICE_LEAVE = 0;

/** Order gives the numbers; generated code holds them, so append only. */
export const serviceNames = [
  "rep_movs", "rep_stos", "rep_lods", "rep_cmps", "rep_scas", "cpuid", "rdtsc", "popf", "pushf", "read_segment", "load_segment",
  "describe_segment", "trace",
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Runs service `number`. @hot */
export function runService(context: CpuServices, number: number, argument: number): number {
  switch (serviceNames[number]) {
    case "cpuid":
      return cpuidService(context);
    case "rdtsc":
      return rdtscService(context);
    case "popf":
      return popFlagsService(context, argument);
    case "pushf":
      return pushFlagsService(context);
    case "read_segment":
      return readSegmentService(context);
    case "load_segment":
      return loadSegmentService(context);
    case "describe_segment":
      return describeSegmentService(context, argument);
    case "trace":
      return traceService(context);
    default:
      return stringService(context, number, argument);
  }
}
