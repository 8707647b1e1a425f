/** The page: asks for a program, shows what it writes as it comes and what it does to its memory. The bundled demo runs at
 *  once; bundled programs run deterministically, so what is shown is what `npm start` shows. */
import { browserCpuModules, QueueInput, TextOutput } from "../src/host/browser/index.ts";
import type { MachineResult } from "../src/index.ts";
import type { RunningMachine } from "../src/worker/index.ts";
import { showFigures } from "./figures.ts";
import { type Place, start } from "./protocol.ts";
import { splitWords } from "./words.ts";

const FIGURES_EVERY = 250;
/** Characters kept of the output: the browser would become slow long before the guest does. */
const OUTPUT_KEPT = 1 << 20;
/** Characters after which a new element begins, so that old ones can go. */
const PIECE = 1 << 14;
const MEMORY = 256 << 20;

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

const form = element<HTMLFormElement>("request");
const program = element<HTMLSelectElement>("program");
const file = element<HTMLInputElement>("file");
const fileRow = element("file-row");
const args = element<HTMLInputElement>("arguments");
const runButton = element<HTMLButtonElement>("run");
const stopButton = element<HTMLButtonElement>("stop");
const output = element("output");
const state = element("state");
const inputForm = element<HTMLFormElement>("input-row");
const inputLine = element<HTMLInputElement>("input");
const sendButton = element<HTMLButtonElement>("send");
const endButton = element<HTMLButtonElement>("end-input");

const modules = browserCpuModules(new URL("engine/", document.baseURI));
// Shown when a program is run; a page whose files are missing must not fail twice.
modules.catch(() => {});

let running: RunningMachine | undefined;
let input: QueueInput | undefined;
/** Characters in #output. */
let shown = 0;
/** Whether the view stays at the end of the output: not for the demo's first run, which is read from its beginning. */
let follows = false;

async function run(): Promise<void> {
  setBusy(true);
  output.textContent = "";
  shown = 0;
  tell("running", "running…");
  let poll: ReturnType<typeof setInterval> | undefined;
  try {
    const { name, content } = await chosenProgram();
    const place: Place = new FormData(form).get("place") === "page" ? "page" : "worker";
    input = new QueueInput();
    const machine = start(place, {
      modules: await modules, memory: MEMORY, program: `/bin/${name}`, argv: [name, ...splitWords(args.value)],
      env: ["PATH=/bin", "HOME=/", "LANG=C.UTF-8"], files: { [`bin/${name}`]: { content, mode: 0o755 } }, deterministic: program.value !== "own",
      stdin: input, stdout: new TextOutput((text) => show("stdout", text)), stderr: new TextOutput((text) => show("stderr", text)),
      onFaultReport: (report) => show("stderr", report),
    });
    running = machine;
    setInputReady(true);
    poll = setInterval(() => void machine.stats().then((stats) => showFigures(stats), () => {}), FIGURES_EVERY);
    const result = await machine.result;
    clearInterval(poll);
    showFigures(result.stats);
    tell(result.status === 0 && result.reason === "exit" ? "done" : "failed", summary(result, place));
  } catch (error) {
    tell("failed", error instanceof Error ? error.message : String(error));
  } finally {
    clearInterval(poll);
    running = undefined;
    input = undefined;
    setBusy(false);
  }
}

/** Name and bytes of what is selected. */
async function chosenProgram(): Promise<{ name: string; content: Uint8Array }> {
  if (program.value === "own") {
    const chosen = file.files?.[0];
    if (chosen === undefined) throw new Error("choose a file first");
    return { name: chosen.name, content: new Uint8Array(await chosen.arrayBuffer()) };
  }
  const response = await fetch(new URL(`programs/${program.value}`, document.baseURI));
  if (!response.ok) throw new Error(`${program.value}: HTTP status ${response.status}`);
  return { name: program.value, content: new Uint8Array(await response.arrayBuffer()) };
}

function summary({ status, reason, signalName }: MachineResult, place: Place): string {
  const where = place === "worker" ? "in a Worker" : "in this page";
  if (reason !== "exit") return `stopped (${reason})`;
  return signalName === undefined ? `exit status ${status}, ${where}` : `ended by ${signalName}, ${where}`;
}

function show(stream: "stdout" | "stderr", text: string): void {
  if (text === "") return;
  const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
  // Guests write byte by byte when they like: one element per change of stream, not per write.
  let piece = output.lastElementChild;
  if (piece === null || piece.className !== stream || (piece.textContent ?? "").length > PIECE) {
    piece = document.createElement("span");
    piece.className = stream;
    output.append(piece);
  }
  piece.append(text);
  shown += text.length;
  while (shown > OUTPUT_KEPT && output.firstElementChild !== piece) {
    const oldest = output.firstElementChild!;
    shown -= (oldest.textContent ?? "").length;
    oldest.remove();
  }
  if (atEnd && follows) output.scrollTop = output.scrollHeight;
}

function tell(what: "running" | "done" | "failed", text: string): void {
  state.dataset["state"] = what;
  state.textContent = text;
}

function setBusy(busy: boolean): void {
  runButton.disabled = busy;
  stopButton.disabled = !busy;
  if (!busy) setInputReady(false);
}

function setInputReady(ready: boolean): void {
  for (const control of [inputLine, sendButton, endButton]) control.disabled = !ready;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  follows = program.value !== "demo";
  if (running === undefined) void run();
});
stopButton.addEventListener("click", () => running?.kill());
program.addEventListener("change", () => {
  fileRow.hidden = program.value !== "own";
});
inputForm.addEventListener("submit", (event) => {
  event.preventDefault();
  input?.push(new TextEncoder().encode(`${inputLine.value}\n`));
  inputLine.value = "";
});
endButton.addEventListener("click", () => {
  input?.push(null);
  setInputReady(false);
});

void run();
