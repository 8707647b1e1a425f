import { expect, test } from "vitest";
import { Timers } from "./timers.ts";

test("timers fire in the order of their deadlines, equal ones in the order they were set", () => {
  const timers = new Timers();
  const fired: number[] = [];
  const deadlines = [50, 10, 30, 10, 20, 40, 10];
  deadlines.forEach((deadline, index) => timers.add(deadline, () => fired.push(index)));
  expect(timers.next).toBe(10);
  timers.run(30);
  expect(fired).toEqual([1, 3, 6, 4, 2]);
  expect(timers.next).toBe(40);
});

test("a cancelled timer never fires and takes no room", () => {
  const timers = new Timers();
  const fired: string[] = [];
  const kept = timers.add(5, () => fired.push("kept"));
  for (let round = 0; round < 1000; round++) timers.cancel(timers.add(round % 7, () => fired.push("cancelled")));
  expect(timers.count).toBe(1);
  timers.run(100);
  timers.cancel(kept);
  expect(fired).toEqual(["kept"]);
  expect(timers.next).toBe(Infinity);
});

test("a timer set while timers run waits for the next time", () => {
  const timers = new Timers();
  let fired = 0;
  const again = (): void => {
    fired++;
    timers.add(0, again);
  };
  timers.add(0, again);
  timers.run(10);
  expect(fired).toBe(1);
});

test("any mixture of adding and cancelling keeps the order", () => {
  const timers = new Timers();
  let seed = 7;
  const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
  const open = new Map<number, ReturnType<Timers["add"]>>();
  let last = -1;
  for (let id = 0; id < 2000; id++) {
    const deadline = random(10_000);
    open.set(id, timers.add(deadline, () => {
      expect(deadline).toBeGreaterThanOrEqual(last);
      last = deadline;
      open.delete(id);
    }));
    const victim = random(id + 1);
    if (random(3) === 0 && open.has(victim)) {
      timers.cancel(open.get(victim)!);
      open.delete(victim);
    }
  }
  timers.run(10_000);
  expect(open.size).toBe(0);
});
