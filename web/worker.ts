/** The page's Worker: the package's server, with a browser's clock and randomness. */
import { browserHost } from "../src/host/browser/index.ts";
import { scopeEnd } from "../src/host/browser/worker-end.ts";
import { serveMachine } from "../src/worker/index.ts";

serveMachine(scopeEnd(), { host: browserHost });
