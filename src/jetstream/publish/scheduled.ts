import { timestampOf } from "../json/timestamps.ts";
import { HEADERS, type HeaderValues, readHeaders, withHeader, withoutHeaders } from "./headers.ts";
import { type Due, nextDue, resumedDue } from "./schedule.ts";
import type { TimeZone, TimeZones } from "./time-zone.ts";
import { parseMessageTtl } from "./ttl.ts";

const MINUTE_MS = 60_000;

/** A stored message that schedules others. */
export interface ScheduleMessage {
  readonly subject: string;
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
}

/** What a schedule makes, once it is due. */
export interface ScheduledMessage {
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  /** When it is due again; undefined for a schedule that is to be removed. */
  readonly next: number | undefined;
}

/** Headers that the message a schedule makes must not have: those of the schedule, and those that could have it refused. */
function isOfSchedule(name: string): boolean {
  return (
    name.startsWith(HEADERS.schedule) ||
    name.startsWith("Nats-Expected-") ||
    name === HEADERS.msgId ||
    name === HEADERS.ttl ||
    name === HEADERS.rollup
  );
}

/** When a schedule is due, by its headers; undefined when it is none any more. Times are in ms; see {@link nextDue}. */
export function dueOf(values: HeaderValues, after: number, now: number, zones: TimeZones): Due | undefined {
  return ofSchedule(values, zones, (pattern, zone) => nextDue(pattern, zone, after, now));
}

/** The same of one that is found again; see {@link resumedDue}. */
export function resumedDueOf(
  values: HeaderValues,
  stored: number,
  done: number,
  zones: TimeZones,
): Due | undefined {
  return ofSchedule(values, zones, (pattern, zone) => resumedDue(pattern, zone, stored, done));
}

function ofSchedule(
  values: HeaderValues,
  zones: TimeZones,
  due: (pattern: string, zone: TimeZone | undefined) => Due | undefined,
): Due | undefined {
  const pattern = values.get(HEADERS.schedule) ?? "";
  if (pattern === "") return undefined;
  const zoneName = values.get(HEADERS.scheduleTimeZone);
  const zone = zoneName === undefined ? undefined : zones.get(zoneName);
  return zoneName !== undefined && zone === undefined ? undefined : due(pattern, zone);
}

/** The subject whose last message a schedule copies; "" when it is the schedule's own message. */
export function scheduleSource(headers: Uint8Array | undefined): string {
  return readHeaders(headers).get(HEADERS.scheduleSource) ?? "";
}

/**
 * The message that a schedule makes, now that it is due (nats-server scheduler.go).
 * @param source - the last message on the schedule's source; undefined when it has none, or there is no message.
 * @param dueTime - when it was due, in ms.
 * @returns undefined when it is no schedule any more.
 */
export function scheduledMessage(
  schedule: ScheduleMessage,
  source: Pick<ScheduleMessage, "headers" | "payload"> | undefined,
  dueTime: number,
  now: number,
  zones: TimeZones,
): ScheduledMessage | undefined {
  const values = readHeaders(schedule.headers);
  const due = dueOf(values, dueTime, now, zones);
  const ttl = values.get(HEADERS.scheduleTtl) ?? "";
  const subject = values.get(HEADERS.scheduleTarget) ?? "";
  if (due === undefined || subject === "" || (ttl !== "" && parseMessageTtl(ttl) === undefined))
    return undefined;
  const content = source ?? schedule;
  let headers = withHeader(
    withoutHeaders(content.headers, isOfSchedule),
    HEADERS.scheduler,
    schedule.subject,
  );
  const zone = zones.get(values.get(HEADERS.scheduleTimeZone) ?? "");
  const next = due.repeats ? shownIn(zone, due.time) : "purge";
  headers = withHeader(headers, HEADERS.scheduleNext, next);
  if (ttl !== "") headers = withHeader(headers, HEADERS.ttl, ttl);
  const rollup = values.get(HEADERS.scheduleRollup) ?? "";
  if (rollup !== "") headers = withHeader(headers, HEADERS.rollup, rollup);
  return { subject, headers, payload: content.payload, next: due.repeats ? due.time : undefined };
}

/** A time as clocks of a zone show it, with how far they are ahead: "2026-11-23T07:38:54+01:00". */
function shownIn(zone: TimeZone | undefined, time: number): string {
  const ahead = zone === undefined ? 0 : Math.trunc((zone.localAt(time) - time) / MINUTE_MS);
  if (zone === undefined || ahead === 0) return timestampOf(time);
  const twoDigits = (number: number): string => String(number).padStart(2, "0");
  const minutes = Math.abs(ahead);
  const offset = `${twoDigits(Math.trunc(minutes / 60))}:${twoDigits(minutes % 60)}`;
  return `${timestampOf(zone.localAt(time)).slice(0, -1)}${ahead < 0 ? "-" : "+"}${offset}`;
}
