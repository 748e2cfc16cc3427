import { subjectsCollide } from "../../protocol/subject.ts";
import { apiError } from "../errors.ts";
import type { StreamConfig } from "../stream/config.ts";
import { isPublishSubject } from "../subjects.ts";
import { HEADERS, type HeaderValues, readHeaders } from "./headers.ts";
import { type Due, nextDue } from "./schedule.ts";
import type { TimeZones } from "./time-zone.ts";
import { parseMessageTtl } from "./ttl.ts";

interface Context {
  readonly config: StreamConfig;
  readonly now: number;
  readonly zones: TimeZones;
}

/**
 * Checks the headers of scheduled messages (behaviour.md D.7).
 * @param last - the last message on the subject of a schedule that is to be removed.
 * @returns whether the message must roll up its subject, which has one schedule, and does not say so itself.
 * @throws ApiError
 */
export function checkSchedule(
  values: HeaderValues,
  subject: string,
  context: Context,
  last: { readonly headers: Uint8Array | undefined } | undefined,
): boolean {
  const due = readDue(values, context);
  const needsRollup = due !== undefined && checkParts(values, subject, context.config);
  checkRemoval(values, subject, context.config, last);
  return needsRollup;
}

function text(values: HeaderValues, name: string): string {
  return values.get(name) ?? "";
}

function readDue(values: HeaderValues, { config, now, zones }: Context): Due | undefined {
  const { allowMsgSchedules } = config;
  const zoneName = values.get(HEADERS.scheduleTimeZone);
  // An empty name is none, and no zone.
  const zone = zoneName === undefined ? undefined : zones.get(zoneName);
  if (zoneName !== undefined && zone === undefined) throw apiError(allowMsgSchedules ? 10223 : 10188);
  const pattern = text(values, HEADERS.schedule);
  if (pattern === "") return undefined;
  const due = nextDue(pattern, zone, now, now);
  if (due === undefined) throw apiError(allowMsgSchedules ? 10189 : 10188);
  if (!allowMsgSchedules) throw apiError(10188);
  return due;
}

function checkParts(values: HeaderValues, subject: string, config: StreamConfig): boolean {
  const ttl = text(values, HEADERS.scheduleTtl);
  if (ttl !== "" && parseMessageTtl(ttl) === undefined) throw apiError(10191);
  const made = text(values, HEADERS.scheduleRollup);
  if (made !== "" && made !== "sub") throw apiError(10192);
  if (ttl !== "" && !config.allowMsgTtl) throw apiError(10166);
  const target = text(values, HEADERS.scheduleTarget);
  if (!isPublishSubject(target) || target === subject) throw apiError(10190);
  const source = text(values, HEADERS.scheduleSource);
  const ownSource = source === target || source === subject;
  if (source !== "" && (ownSource || !isPublishSubject(source))) throw apiError(10203);
  const isOurs = (wanted: string): boolean => config.subjects.some((ours) => subjectsCollide(ours, wanted));
  if (!isOurs(target)) throw apiError(10190);
  if (source !== "" && !isOurs(source)) throw apiError(10203);
  const rollup = text(values, HEADERS.rollup).toLowerCase();
  if (rollup !== "" && rollup !== "sub") throw apiError(10192);
  return rollup === "";
}

/** Clients may remove a schedule by a message that the schedule itself could have made. */
function checkRemoval(
  values: HeaderValues,
  subject: string,
  config: StreamConfig,
  last: { readonly headers: Uint8Array | undefined } | undefined,
): void {
  const next = text(values, HEADERS.scheduleNext);
  const scheduler = text(values, HEADERS.scheduler);
  if (next === "") {
    if (scheduler !== "") throw apiError(10212);
    return;
  }
  if (next !== "purge") throw apiError(10212);
  if (scheduler === subject || !isPublishSubject(scheduler)) throw apiError(10212);
  if (!config.allowMsgSchedules) throw apiError(10188);
  const isSchedule = last === undefined || text(readHeaders(last.headers), HEADERS.schedule) !== "";
  if (!isSchedule) throw apiError(10212);
}
