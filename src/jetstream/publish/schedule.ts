import { DurationError, parseDuration } from "../../protocol/durations.ts";
import { parseTimestamp, TimestampError, timestampMs } from "../json/timestamps.ts";
import { nextTime, parseCron } from "./cron.ts";
import type { TimeZone } from "./time-zone.ts";

/** When a scheduled message is due, in ms since the epoch, and whether again and again. */
export interface Due {
  readonly time: number;
  readonly repeats: boolean;
}

/** Names of schedules. */
const NAMED: Readonly<Record<string, string>> = {
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
  "@monthly": "0 0 0 1 * *",
  "@weekly": "0 0 0 * * 0",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@hourly": "0 0 * * * *",
};

/**
 * When a message with this `Nats-Schedule` is due (ADR-51): "@at" a moment, "@every" so long, or when clocks show what six fields say.
 * Whatever has been missed is made up for only once.
 * @param zone - of `Nats-Schedule-Time-Zone`, whose clocks six fields are about; the other forms may have none.
 * @param after - the time that it was due last, or was stored, in ms.
 * @param now - in ms.
 * @returns undefined when it is no schedule, or never due.
 */
export function nextDue(
  pattern: string,
  zone: TimeZone | undefined,
  after: number,
  now: number,
): Due | undefined {
  if (pattern.startsWith("@at ")) return zone === undefined ? once(pattern.slice(4)) : undefined;
  if (pattern.startsWith("@every "))
    return zone === undefined ? every(pattern.slice(7), after, now) : undefined;
  const cron = parseCron(Object.hasOwn(NAMED, pattern) ? NAMED[pattern] : pattern);
  if (cron === undefined) return undefined;
  let time = nextTime(cron, after, zone);
  if (time !== undefined && time < now) time = nextTime(cron, toSecond(now), zone);
  return time === undefined ? undefined : { time, repeats: true };
}

/**
 * When a schedule is due that is found again after a restart: the first time after `done`. Nothing was stored in its stream after that, so all that
 * was due before has been made. The time may have passed meanwhile.
 * @param stored - when the schedule was stored, in ms.
 */
export function resumedDue(
  pattern: string,
  zone: TimeZone | undefined,
  stored: number,
  done: number,
): Due | undefined {
  const from = Math.max(stored, done);
  if (!pattern.startsWith("@every ")) return nextDue(pattern, zone, from, from);
  const first = nextDue(pattern, zone, stored, stored);
  if (first === undefined || first.time > from) return first;
  const span = first.time - toSecond(stored);
  return { time: first.time + span * (Math.floor((from - first.time) / span) + 1), repeats: true };
}

function once(text: string): Due | undefined {
  try {
    return { time: timestampMs(parseTimestamp(text)), repeats: false };
  } catch (error) {
    if (error instanceof TimestampError) return undefined;
    throw error;
  }
}

function every(text: string, after: number, now: number): Due | undefined {
  try {
    const span = parseDuration(text);
    if (span < 1_000) return undefined;
    const time = toSecond(after) + span;
    return { time: time < now ? toSecond(now) + span : time, repeats: true };
  } catch (error) {
    if (error instanceof DurationError) return undefined;
    throw error;
  }
}

/** The nearest whole second. */
function toSecond(time: number): number {
  return Math.round(time / 1_000) * 1_000;
}
