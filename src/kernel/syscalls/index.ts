/** Every row of the Linux gate, family by family. */
import { absentCalls } from "./absent.ts";
import { attributeCalls } from "./attributes.ts";
import { credentialCalls } from "./credentials.ts";
import type { Row } from "./define.ts";
import { direntCalls } from "./dirents.ts";
import { directoryCalls } from "./directory.ts";
import { epollCalls } from "./epoll.ts";
import { eventCalls } from "./event.ts";
import { fcntlCalls } from "./fcntl.ts";
import { fileSpaceCalls } from "./file-space.ts";
import { futexCalls } from "./futex.ts";
import { identityCalls } from "./identity.ts";
import { infoCalls } from "./info.ts";
import { ioctlCalls } from "./ioctl.ts";
import { limitCalls } from "./limits.ts";
import { memoryCalls } from "./memory.ts";
import { openCalls } from "./open.ts";
import { pollCalls } from "./poll.ts";
import { prctlCalls } from "./prctl.ts";
import { processCalls } from "./process.ts";
import { readWriteCalls } from "./read-write.ts";
import { schedCalls } from "./sched.ts";
import { shmCalls } from "./shm.ts";
import { signalCalls } from "./signal.ts";
import { socketCalls } from "./socket.ts";
import { socketMessageCalls } from "./socket-message.ts";
import { spliceCalls } from "./splice.ts";
import { statCalls } from "./stat.ts";
import { timeCalls } from "./time.ts";
import { timerCalls } from "./timers.ts";

export const linuxRows: readonly Row[] = [
  ...readWriteCalls, ...openCalls, ...statCalls, ...attributeCalls, ...directoryCalls, ...direntCalls, ...fcntlCalls, ...ioctlCalls,
  ...fileSpaceCalls, ...spliceCalls,
  ...memoryCalls, ...shmCalls, ...pollCalls, ...epollCalls, ...eventCalls, ...timeCalls, ...timerCalls,
  ...processCalls, ...identityCalls, ...signalCalls, ...futexCalls, ...schedCalls, ...credentialCalls, ...limitCalls, ...prctlCalls,
  ...socketCalls, ...socketMessageCalls, ...infoCalls, ...absentCalls,
];
