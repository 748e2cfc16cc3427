/** Deadlines that share timers: each comes in its time, and no timer stays long for nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Deadline, Deadlines } from "../../src/client/deadlines.ts";
import { VirtualClock } from "../support/simulated.ts";

class Recorded implements Deadline {
  dueAt = 0;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  list: Deadline["list"];
  readonly #happen: () => void;

  constructor(happen: () => void) {
    this.#happen = happen;
  }

  expire(): void {
    this.#happen();
  }
}

describe("deadlines", () => {
  it("expire in their time, in order, unless they are taken out", async () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock);
    const got: string[] = [];
    const start = clock.monotonic();
    const set = (name: string, duration: number): Deadline => {
      const deadline = new Recorded(() => got.push(`${name} ${clock.monotonic() - start}`));
      deadlines.set(deadline, duration);
      return deadline;
    };
    set("a", 1_000);
    const b = set("b", 1_000);
    set("c", 30);
    await clock.advance(500);
    set("d", 1_000);
    set("e", 600);
    deadlines.clear(b);
    deadlines.clear(b);
    await clock.advance(5_000);
    assert.deepEqual(got, ["c 30", "a 1000", "e 1100", "d 1500"]);
    assert.equal(clock.pending, 0);
  });

  it("leave a timer for a quarter of a second at most when they are taken out", async () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock);
    for (let i = 1; i <= 200; i++) {
      const deadline = new Recorded(() => assert.fail("it was taken out"));
      deadlines.set(deadline, i * 1_000);
      deadlines.clear(deadline);
    }
    assert.ok(clock.pending <= 64);
    await clock.advance(250);
    assert.equal(clock.pending, 0);
  });

  it("may be set again while one expires", async () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock);
    let count = 0;
    const again = new Recorded(() => {
      if (++count < 5) deadlines.set(again, 10);
    });
    deadlines.set(again, 10);
    await clock.advance(100);
    assert.equal(count, 5);
    deadlines.set(again, 10);
    deadlines.close();
    await clock.advance(100);
    assert.equal(count, 5);
    assert.equal(clock.pending, 0);
  });
});
