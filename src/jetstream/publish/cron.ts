import { civilDate } from "../../protocol/go-format.ts";
import { parseDigits } from "./headers.ts";
import type { TimeZone } from "./time-zone.ts";

/**
 * Schedules of six fields (second, minute, hour, day of the month, month, day of the week), as nats-server's cron.go reads them.
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A time further ahead than this is never. */
const MAX_YEARS = 5;

const MONTHS = ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The least and largest value of each field, and names of values. */
const BOUNDS: readonly (readonly [min: number, max: number, names?: readonly string[]])[] = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12, MONTHS],
  [0, 6, WEEKDAYS],
];

interface Field {
  readonly values: ReadonlySet<number>;
  /** Whether it was left open by a star: then both fields for days must match, else one of them. */
  readonly open: boolean;
}

/** A schedule that has been read. */
export interface Cron {
  readonly second: Field;
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
}

/** Reads a schedule; undefined when it is none. */
export function parseCron(pattern: string): Cron | undefined {
  const texts = pattern.split(/\s+/).filter((text) => text !== "");
  if (texts.length !== BOUNDS.length) return undefined;
  const fields: Field[] = [];
  for (const [i, text] of texts.entries()) {
    const field = parseField(text, ...BOUNDS[i]);
    if (field === undefined) return undefined;
    fields.push(field);
  }
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = fields;
  return { second, minute, hour, dayOfMonth, month, dayOfWeek };
}

/** A list of ranges: `5`, `1-5`, `*`, `?`, each with or without a step: `10-30/5`, and `5/10` from 5 on. */
function parseField(text: string, min: number, max: number, names?: readonly string[]): Field | undefined {
  const values = new Set<number>();
  let open = false;
  for (const range of text.split(",").filter((part) => part !== "")) {
    const [ends, stepText, ...more] = range.split("/");
    const [low, high, ...others] = ends.split("-");
    const star = low === "*" || low === "?";
    if (more.length > 0 || (!star && others.length > 0)) return undefined;
    const step = stepText === undefined ? 1 : number(stepText);
    const from = star ? min : number(low, names);
    let to = star ? max : high === undefined ? from : number(high, names);
    // From a value on, with a step.
    if (stepText !== undefined && ends.split("-").length === 1) to = max;
    if (from === undefined || to === undefined || step === undefined) return undefined;
    if (from < min || to > max || from > to || step === 0) return undefined;
    for (let value = from; value <= to; value += step) values.add(value);
    if (star && step === 1) open = true;
  }
  return { values, open };
}

function number(text: string, names?: readonly string[]): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0 && text !== "") return named;
  return parseDigits(text.replace(/^\+/, ""));
}

/**
 * The next time after `time` that a schedule names; undefined when there is none for five years. Times are in ms.
 * @param zone - whose clocks count; undefined for UTC.
 */
export function nextTime(cron: Cron, time: number, zone: TimeZone | undefined): number | undefined {
  // A field without values (",") would be looked for second by second.
  if ([cron.second, cron.minute, cron.hour, cron.month].some(({ values }) => values.size === 0))
    return undefined;
  const localAt = (at: number): number => zone?.localAt(at) ?? at;
  const timeOf = (local: number): number => zone?.timeOf(local) ?? local;
  let next = Math.floor(time / SECOND_MS) * SECOND_MS + SECOND_MS;
  const clock = (): Civil => civil(localAt(next));
  const lastYear = clock().year + MAX_YEARS;
  // Once a unit has been put to its beginning, the smaller ones begin there, too.
  let begun = false;
  for (;;) {
    if (clock().year > lastYear) return undefined;
    if (step()) return next;
  }

  /** Goes on to the next time that matches, from the largest unit to the smallest; false when one has turned over. */
  function step(): boolean {
    while (!cron.month.values.has(clock().month)) {
      if (!begun) next = timeOf(Date.UTC(clock().year, clock().month - 1, 1));
      begun = true;
      const { year, month, day, inDay } = clock();
      next = timeOf(Date.UTC(year, month, day) + inDay);
      if (clock().month === 1) return false;
    }
    while (!isDay(cron, clock())) {
      if (!begun) next = timeOf(localAt(next) - clock().inDay);
      begun = true;
      const { year, month, day, inDay } = clock();
      const before = next;
      next = timeOf(Date.UTC(year, month - 1, day + 1) + inDay);
      // Clocks may leave out a whole day, as those of Samoa have.
      if (next <= before) next = before + 24 * HOUR_MS;
      if (clock().day === 1) return false;
    }
    return (
      unit(cron.hour, HOUR_MS, 24, truncateHour) &&
      unit(cron.minute, MINUTE_MS, 60, (at) => Math.floor(at / MINUTE_MS) * MINUTE_MS) &&
      unit(cron.second, SECOND_MS, 60, (at) => at)
    );
  }

  function truncateHour(at: number): number {
    return timeOf(Math.floor(localAt(at) / HOUR_MS) * HOUR_MS);
  }

  function unit(field: Field, ms: number, count: number, truncate: (at: number) => number): boolean {
    const shown = (): number => Math.floor(clock().inDay / ms) % count;
    while (!field.values.has(shown())) {
      if (!begun) next = truncate(next);
      begun = true;
      next += ms;
      if (shown() === 0) return false;
    }
    return true;
  }
}

interface Civil {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** From 0, Sunday. */
  readonly weekday: number;
  /** Ms since midnight. */
  readonly inDay: number;
}

function isDay({ dayOfMonth, dayOfWeek }: Cron, { day, weekday }: Civil): boolean {
  const inMonth = dayOfMonth.values.has(day);
  const inWeek = dayOfWeek.values.has(weekday);
  return dayOfMonth.open || dayOfWeek.open ? inMonth && inWeek : inMonth || inWeek;
}

/** What clocks that show a local time say. */
function civil(local: number): Civil {
  const days = Math.floor(local / DAY_MS);
  return { ...civilDate(days), weekday: (((days + 4) % 7) + 7) % 7, inDay: local - days * DAY_MS };
}
