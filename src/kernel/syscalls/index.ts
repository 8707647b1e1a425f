/** Every row of the Linux gate, family by family. */
import { credentialCalls } from "./credentials.ts";
import type { Row } from "./define.ts";
import { futexCalls } from "./futex.ts";
import { identityCalls } from "./identity.ts";
import { limitCalls } from "./limits.ts";
import { prctlCalls } from "./prctl.ts";
import { processCalls } from "./process.ts";
import { readWriteCalls } from "./read-write.ts";
import { schedCalls } from "./sched.ts";
import { signalCalls } from "./signal.ts";

export const linuxRows: readonly Row[] = [
  ...readWriteCalls,
  ...processCalls, ...identityCalls, ...signalCalls, ...futexCalls, ...schedCalls, ...credentialCalls, ...limitCalls, ...prctlCalls,
];
