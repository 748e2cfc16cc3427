import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { nextTime, parseCron } from "../../src/jetstream/publish/cron.ts";
import { nextDue } from "../../src/jetstream/publish/schedule.ts";
import { type TimeZone, TimeZones } from "../../src/jetstream/publish/time-zone.ts";

/** When nats-server's own code says that a pattern is due next, with the zone and the time (ms) it was asked for; null for never or no pattern. */
const DUE: [pattern: string, zone: string, after: number, next: number | null][] = JSON.parse(
  readFileSync(new URL("../fixtures/jetstream/cron.json", import.meta.url), "utf8"),
);

test("six fields mean what they mean to nats-server, in any zone, at changes of the clocks too", () => {
  const zones = new TimeZones();
  const differ = DUE.filter(([pattern, zone, after, next]) => {
    const cron = parseCron(pattern);
    const ours =
      cron === undefined ? undefined : nextTime(cron, after, zone === "" ? undefined : zones.get(zone));
    return (ours ?? null) !== next;
  });
  assert.deepEqual(differ, []);
  assert.ok(DUE.length > 600);
});

test("a day that clocks leave out, as 30 December 2011 in Samoa, does not keep looking for ever", () => {
  const zone = new TimeZones().get("Pacific/Apia")!;
  let looks = 0;
  const counted = {
    localAt: (time: number) => {
      // Ends what would go on for good, and let nothing else run.
      if (++looks > 10_000) throw new Error("again and again");
      return zone.localAt(time);
    },
    timeOf: (local: number) => zone.timeOf(local),
  } as TimeZone;
  const before = Date.UTC(2011, 11, 28);
  // Midnight there, 14 hours before midnight of UTC.
  assert.equal(nextTime(parseCron("0 0 0 31 * *")!, before, counted), Date.UTC(2011, 11, 30, 10));
});

test("the other forms, and what has been missed", () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5, 600);
  const at = Date.UTC(2027, 0, 1);
  assert.deepEqual(nextDue("@at 2027-01-01T00:00:00Z", undefined, now, now), { time: at, repeats: false });
  assert.deepEqual(nextDue("@at 2027-01-01T02:00:00.25+02:00", undefined, now, now), {
    time: at + 250,
    repeats: false,
  });
  assert.equal(nextDue("@at soon", undefined, now, now), undefined);
  const second = Date.UTC(2026, 0, 2, 3, 4, 6);
  assert.deepEqual(nextDue("@every 1m30s", undefined, now, now), { time: second + 90_000, repeats: true });
  assert.deepEqual(nextDue("@every 1s", undefined, now - 60_000, now), {
    time: second + 1_000,
    repeats: true,
  });
  assert.equal(nextDue("@every 999ms", undefined, now, now), undefined);
  assert.deepEqual(nextDue("@daily", undefined, now - 1e9, now), {
    time: Date.UTC(2026, 0, 3),
    repeats: true,
  });
  assert.equal(nextDue("@hourlyish", undefined, now, now), undefined);
  const berlin = new TimeZones().get("Europe/Berlin");
  assert.equal(nextDue("@every 1m", berlin, now, now), undefined);
  assert.equal(nextDue("@at 2027-01-01T00:00:00Z", berlin, now, now), undefined);
  assert.deepEqual(nextDue("@daily", berlin, now, now), { time: Date.UTC(2026, 0, 2, 23), repeats: true });
});

test("zones by name only", () => {
  const zones = new TimeZones(2);
  for (const name of ["Europe/Berlin", "UTC", "America/New_York", "Etc/GMT+5"])
    assert.ok(zones.get(name), name);
  for (const name of ["", "+02:00", "europe/berlin", "Nowhere", "../etc/passwd", "utc", "Local"]) {
    assert.equal(zones.get(name), undefined, name);
  }
});
