import { timestampOf } from "../json/timestamps.ts";
import { HEADERS, type HeaderValues, readHeaders, withHeader, withoutHeaders } from "./headers.ts";
import { type Due, nextDue } from "./schedule.ts";
import type { TimeZones } from "./time-zone.ts";
import { parseMessageTtl } from "./ttl.ts";

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

/** When a schedule is due, by its headers; undefined when it is none any more. Times are in ms. */
export function dueOf(
  headers: Uint8Array | undefined,
  after: number,
  now: number,
  zones: TimeZones,
): Due | undefined {
  return dueBy(readHeaders(headers), after, now, zones);
}

/** The same, by headers that have been read. */
export function dueBy(values: HeaderValues, after: number, now: number, zones: TimeZones): Due | undefined {
  const pattern = values.get(HEADERS.schedule) ?? "";
  const zoneName = values.get(HEADERS.scheduleTimeZone);
  const zone = zoneName === undefined ? undefined : zones.get(zoneName);
  if (pattern === "" || (zoneName !== undefined && zone === undefined)) return undefined;
  return nextDue(pattern, zone, after, now);
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
  const due = dueOf(schedule.headers, dueTime, now, zones);
  const values = readHeaders(schedule.headers);
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
  const next = due.repeats ? timestampOf(due.time) : "purge";
  headers = withHeader(headers, HEADERS.scheduleNext, next);
  if (ttl !== "") headers = withHeader(headers, HEADERS.ttl, ttl);
  const rollup = values.get(HEADERS.scheduleRollup) ?? "";
  if (rollup !== "") headers = withHeader(headers, HEADERS.rollup, rollup);
  return { subject, headers, payload: content.payload, next: due.repeats ? due.time : undefined };
}
