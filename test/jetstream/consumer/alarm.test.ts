/** The moments that a consumer waits for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALARMS, Alarm } from "../../../src/jetstream/consumer/alarm.ts";
import { BusyClock } from "../../support/busy-clock.ts";

test("what is due again at once, as heartbeats each nanosecond are, is due once a millisecond", async () => {
  const clock = new BusyClock(0.000_1);
  let rung = 0;
  const alarm = new Alarm(clock, (name) => {
    rung += 1;
    // Ends what would go on for good, in one moment.
    if (rung < 1_000) alarm.set(name, clock.monotonic() + 0.000_001);
  });
  alarm.set(ALARMS.requests, clock.monotonic());
  await clock.advance(10);
  assert.ok(rung >= 5 && rung <= 10, `rung ${rung} times in 10 ms`);
  alarm.close();
});
