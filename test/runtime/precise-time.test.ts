/** The time of day in microseconds, of one clock that has them and another that is right. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { NodeClock } from "../../src/runtime/node/clock.ts";
import { PreciseTime } from "../../src/runtime/node/precise-time.ts";

/** A machine of which the test says what time it is, and how long it has been awake; both in ms. */
class Machine {
  time = 1_800_000_000_000.5;
  awake = 5_000;
  looks = 0;
  readonly precise: PreciseTime;

  constructor({ mock }: TestContext) {
    mock.getter(performance, "timeOrigin", () => this.time - this.awake);
    mock.method(performance, "now", () => this.awake);
    mock.method(Date, "now", () => {
      this.looks += 1;
      return Math.floor(this.time);
    });
    this.precise = new PreciseTime();
  }

  pass(ms: number): void {
    this.time += ms;
    this.awake += ms;
  }
}

describe("the precise time", () => {
  it("is the machine's, in whole microseconds, with a look at its clock once a millisecond", (t) => {
    const machine = new Machine(t);
    const { precise } = machine;
    for (let i = 0; i < 1_000; i++) {
      const now = precise.now();
      assert.equal(now, Math.round(now * 1_000) / 1_000);
      assert.ok(now <= machine.time && now > machine.time - 0.002, `${now} at ${machine.time}`);
      machine.pass(0.0625);
    }
    assert.ok(machine.looks <= 63, `${machine.looks} looks`);
  });

  it("is never a millisecond beside the machine's clock when that is set, or the machine has slept, and comes as near as it can", (t) => {
    const machine = new Machine(t);
    const { precise } = machine;
    for (const change of [3_600_000, -3_600_000, 0.7, -0.7, 12.25, Number.NaN]) {
      if (Number.isNaN(change)) machine.time += 86_400_000.3;
      else machine.time += change;
      machine.pass(1.0625);
      for (let i = 0; i < 2_000; i++) {
        const off = precise.now() - machine.time;
        assert.ok(Math.abs(off) < 1, `${off} ms beside, ${i} looks after ${change}`);
        if (i > 1_000) assert.ok(Math.abs(off) < 0.07, `${off} ms beside, long after ${change}`);
        machine.pass(1.0625);
      }
    }
  });

  it("is that of this machine", () => {
    const clock = new NodeClock();
    const before = Date.now();
    const now = clock.precise();
    assert.ok(now > before - 1 && now < Date.now() + 1, `${now} after ${before}`);
    const times = Array.from({ length: 100 }, () => clock.precise());
    assert.ok(times.some((time) => !Number.isInteger(time)));
  });
});
