/** Durations in the way of Go, as files write them and nats-server shows them: "2m", "1h30m", "1.5s". Here they are in ms. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** What Go's int64 of nanoseconds holds, in ms. */
const MAX_MS = 2 ** 63 / 1e6;

/** A duration that cannot be read. The message is Go's. */
export class DurationError extends Error {
  override readonly name = "DurationError";
}

/**
 * The ms of a duration such as "1m30s".
 * @throws DurationError
 */
export function parseDuration(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0;
  const invalid = new DurationError(`time: invalid duration ${JSON.stringify(text)}`);
  if (rest === "") throw invalid;
  let total = 0;
  while (rest !== "") {
    const number = /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)/.exec(rest);
    if (number === null) throw invalid;
    rest = rest.slice(number[0].length);
    const unit = /^[^.0-9]*/.exec(rest)![0];
    if (unit === "") throw new DurationError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const ms = Object.hasOwn(UNIT_MS, unit) ? UNIT_MS[unit] : undefined;
    if (ms === undefined) {
      const shown = JSON.stringify(unit);
      throw new DurationError(`time: unknown unit ${shown} in duration ${JSON.stringify(text)}`);
    }
    total += Number(number[0]) * ms;
    if (total > MAX_MS) throw invalid;
    rest = rest.slice(unit.length);
  }
  return sign * total;
}

/** A duration as Go shows it: "2m0s", "1.5s", "250ms", "0s". */
export function showDuration(ms: number): string {
  if (ms < 0) return `-${showDuration(-ms)}`;
  if (ms === 0) return "0s";
  if (ms < 1e-3) return `${Math.round(ms * 1e6)}ns`;
  if (ms < 1) return `${tidy(ms * 1e3)}µs`;
  if (ms < 1_000) return `${tidy(ms)}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${tidy((ms - minutes * 60_000) / 1_000)}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

/** Up to nine decimals, without noughts at the end. */
function tidy(number: number): string {
  return String(Number(number.toFixed(9)));
}
