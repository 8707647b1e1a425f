/** Guest figures as a list and a small bar chart. */
import type { GuestStats } from "../src/index.ts";

export function showFigures(stats: GuestStats): void {
  const list = document.getElementById("figures");
  const faults = document.querySelector("#faults tbody");
  list?.replaceChildren(...rows(stats).flatMap(([name, value]) => [node("dt", name), node("dd", value)]));
  const most = Math.max(1, ...Object.values(stats.faults));
  faults?.replaceChildren(...Object.entries(stats.faults).map(([kind, number]) => faultRow(kind, number, most)));
}

function rows(stats: GuestStats): readonly (readonly [string, string])[] {
  const { frames, pageTableBytes } = stats;
  return [
    ["instructions", count(stats.instructions)],
    ["system calls", count(stats.syscalls)],
    ["processes", count(stats.processes)],
    ["page faults", count(Object.values(stats.faults).reduce((sum, number) => sum + number, 0))],
    ["copy-on-write copies", count(stats.copyOnWriteCopies)],
    ["frames now", count(frames.now)],
    ["frames at peak", count(frames.peak)],
    ["frames at boot", count(frames.boot)],
    ["page tables now", `${count(pageTableBytes.now / 1024)} KiB`],
    ["page tables at peak", `${count(pageTableBytes.peak / 1024)} KiB`],
  ];
}

function faultRow(kind: string, number: number, most: number): HTMLElement {
  const row = node("tr");
  const bar = node("span");
  bar.className = "bar";
  bar.style.width = `${(100 * number) / most}%`;
  const middle = node("td");
  middle.append(bar);
  const name = node("th", kind);
  name.scope = "row";
  row.append(name, middle, node("td", count(number)));
  return row;
}

function node<K extends keyof HTMLElementTagNameMap>(tag: K, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

const count = (value: number): string => value.toLocaleString("en-US");
