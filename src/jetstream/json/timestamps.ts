import { copyBytes, writeDecimal } from "../../protocol/bytes.ts";
import { quote } from "../../protocol/faults.ts";
import { goTime } from "../../protocol/go-format.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import { type Codec, JsonValueError } from "./codec.ts";

/**
 * A moment, as RFC 3339 with up to nine digits of a second and without zeros at their end, in the offset it was given in:
 * "2026-01-02T15:04:05.000000001+02:00". Texts keep the nanoseconds that clients send, which ms do not.
 */
export type Timestamp = string;

/** The moment that Go's times hold when nothing has been set. */
export const ZERO_TIME: Timestamp = "0001-01-01T00:00:00Z";

/** A text is no moment. The message is Go's. */
export class TimestampError extends Error {
  override readonly name = "TimestampError";
}

const ZERO = 48;
const POINT = 46;
/** The letter Z. */
const UTC = 90;

const LAYOUT = "2006-01-02T15:04:05Z07:00";

/** What stands one after the other: how it reads, and what Go calls it. */
const PARTS: readonly [pattern: RegExp, name: string, field?: keyof typeof LIMITS][] = [
  [/^\d{4}/, "2006"],
  [/^-/, "-"],
  [/^\d\d/, "01", "month"],
  [/^-/, "-"],
  [/^\d\d/, "02", "day"],
  [/^T/, "T"],
  [/^\d\d/, "15", "hour"],
  [/^:/, ":"],
  [/^\d\d/, "04", "minute"],
  [/^:/, ":"],
  [/^\d\d/, "05", "second"],
  [/^(?:\.\d+)?/, ""],
  [/^(?:Z|[+-]\d\d:\d\d)/, "Z07:00"],
];

const LIMITS = { month: [1, 12], day: [1, 31], hour: [0, 23], minute: [0, 59], second: [0, 59] } as const;

/**
 * Reads a moment.
 * @throws TimestampError
 */
export function parseTimestamp(given: string): Timestamp {
  const failed = (rest: string, name: string): TimestampError =>
    new TimestampError(
      `parsing time ${quote(given)} as ${quote(LAYOUT)}: cannot parse ${quote(rest)} as ${quote(name)}`,
    );
  const outside = (field: string): TimestampError =>
    new TimestampError(`parsing time ${quote(given)}: ${field} out of range`);
  const found: string[] = [];
  let rest = given;
  for (const [pattern, name, field] of PARTS) {
    const part = pattern.exec(rest)?.[0];
    if (part === undefined) throw failed(rest, name);
    if (field !== undefined) {
      const [min, max] = LIMITS[field];
      if (Number(part) < min || Number(part) > max) throw outside(field);
    }
    found.push(part);
    rest = rest.slice(part.length);
  }
  if (rest !== "") throw new TimestampError(`parsing time ${quote(given)}: extra text: ${quote(rest)}`);
  const [year, , month, , day] = found;
  if (Number(day) > daysIn(Number(year), Number(month))) throw outside("day");
  const fraction = found[11].slice(0, 10).replace(/\.?0*$/, "");
  const offset = /^[+-]00:00$/.test(found[12]) ? "Z" : found[12];
  if (offset !== "Z" && (Number(offset.slice(1, 3)) > 24 || Number(offset.slice(4)) > 60)) {
    throw outside(Number(offset.slice(1, 3)) > 24 ? "time zone offset hour" : "time zone offset minute");
  }
  return found.slice(0, 11).join("") + fraction + offset;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** The moment as ms since the epoch, with a fraction; it is exact to about 200 ns. */
export function timestampMs(time: Timestamp): number {
  const [, toSecond, fraction, zone] = /^(.{19})(?:\.(\d+))?(.*)$/.exec(time)!;
  return Date.parse(`${toSecond}${zone}`) + Number(`0.${fraction ?? "0"}`) * 1_000;
}

/** The first moment that a stored message can have, of those not before this one, in ms since the epoch: they have whole microseconds. */
export function storedFromMs(time: Timestamp): number {
  return Number((timestampNs(time) + 999n) / 1_000n) / 1_000;
}

/** The moment as nanoseconds since the epoch, exactly. */
export function timestampNs(time: Timestamp): bigint {
  const [, toSecond, fraction, zone] = /^(.{19})(?:\.(\d+))?(.*)$/.exec(time)!;
  return BigInt(Date.parse(`${toSecond}${zone}`)) * 1_000_000n + BigInt((fraction ?? "").padEnd(9, "0"));
}

/** Microseconds in a second. */
const SECOND_MICROS = 1_000_000;

/** A moment given in ms since the epoch, in UTC. What is finer than a microsecond, as which messages are stored, is none of what was given. */
export function timestampOf(ms: number): Timestamp {
  const micros = Math.round(ms * 1_000);
  const second = Math.floor(micros / SECOND_MICROS);
  return withFraction(second * 1_000, (micros - second * SECOND_MICROS) * 1_000);
}

/** Writes moments as {@link timestampOf} does, as bytes: of those in one second only the fraction is made anew. */
export class TimestampWriter {
  #second = Number.NaN;
  /** The moment when it began, without the letter at its end. */
  #bytes: Uint8Array = EMPTY;

  /** Writes a moment at `at`; there must be room for 30 bytes. @param ms - since the epoch. @returns the position after it. */
  write(ms: number, target: Uint8Array, at: number): number {
    const micros = Math.round(ms * 1_000);
    const second = Math.floor(micros / SECOND_MICROS);
    if (second !== this.#second) {
      this.#second = second;
      this.#bytes = encodeText(goTime(second * 1_000).slice(0, -1));
    }
    const bytes = this.#bytes;
    copyBytes(bytes, 0, bytes.length, target, at);
    let end = at + bytes.length;
    const fraction = micros - second * SECOND_MICROS;
    if (fraction > 0) {
      // Its first digit is not lost where that is a zero, and zeros at its end are not written.
      end = writeDecimal(SECOND_MICROS + fraction, target, end);
      while (target[end - 1] === ZERO) end -= 1;
      target[at + bytes.length] = POINT;
    }
    target[end] = UTC;
    return end + 1;
  }
}

/** @param second - the beginning of a second, in ms since the epoch. @param nanos - below a second. */
function withFraction(second: number, nanos: number): Timestamp {
  const text = goTime(second);
  if (nanos === 0) return text;
  return `${text.slice(0, -1)}.${String(nanos).padStart(9, "0").replace(/0+$/, "")}Z`;
}

/** A moment given in nanoseconds since the epoch, in UTC. */
export function timestampOfNs(ns: bigint): Timestamp {
  const inSecond = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return withFraction(Number((ns - inSecond) / 1_000_000n), Number(inSecond));
}

/** A moment in JSON. */
export const timestamp: Codec<Timestamp> = {
  goType: "time.Time",
  zero: () => ZERO_TIME,
  read(node, decoding, current) {
    if (node.kind === "null") return current;
    if (node.kind !== "string") throw new JsonValueError("Time.UnmarshalJSON: input is not a JSON string");
    try {
      return parseTimestamp(decoding.raw(node).slice(1, -1));
    } catch (error) {
      if (error instanceof TimestampError) throw new JsonValueError(error.message);
      throw error;
    }
  },
  write: (value) => `"${value}"`,
  isEmpty: () => false,
};
