/**
 * Values as Go writes them, so that programs that read nats-server's monitoring read this one.
 */

/** JSON as Go's encoder writes it: what could end a script in a page is escaped. `indent` is a number of spaces. */
export function goJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[<>&\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A time (ms since the epoch) as RFC 3339, in UTC, without zeros at the end of the fraction. */
export function goTime(ms: number): string {
  const whole = Math.floor(ms);
  const inDay = ((whole % 86_400_000) + 86_400_000) % 86_400_000;
  const { year, month, day } = civilDate((whole - inDay) / 86_400_000);
  const seconds = Math.floor(inDay / 1_000);
  const clock = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  const fraction = String(inDay % 1_000)
    .padStart(3, "0")
    .replace(/0+$/, "");
  const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
  return `${date}T${clock}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/** The date of a day counted from the epoch; years begin in March meanwhile, so that the leap day is the last. */
function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** A duration (ms) as Go's `Duration.String`: "1h2m3.5s", "1.25ms", "300µs", "0s". */
export function goDuration(ms: number): string {
  const ns = Math.round(ms * 1e6);
  if (ns === 0) return "0s";
  if (ns < 1e3) return `${ns}ns`;
  if (ns < 1e6) return `${ns / 1e3}µs`;
  if (ns < 1e9) return `${ns / 1e6}ms`;
  const minutes = Math.floor(ns / 6e10);
  const seconds = `${(ns % 6e10) / 1e9}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

/** A round trip time (ms): below a millisecond in whole microseconds. */
export function goRtt(ms: number): string {
  return goDuration(ms > 0.001 && ms < 1 ? Math.floor(ms * 1e3) / 1e3 : ms);
}

/** How long something has lasted (ms), in whole seconds: "1y2d3h4m5s" (nats-server `myUptime`). */
export function uptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const years = Math.floor(days / 365);
  let text = "";
  if (years > 0) text += `${years}y`;
  if (days > 0) text += `${days % 365}d`;
  if (hours > 0) text += `${hours % 24}h`;
  if (minutes > 0) text += `${minutes % 60}m`;
  return `${text}${seconds % 60}s`;
}

/** Milliseconds as Go counts durations in JSON. */
export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}

/** The value, or nothing when it is Go's zero: what `omitempty` does. */
export function orOmit<T>(value: T): T | undefined {
  if (value === "" || value === 0 || value === false || value === undefined) return undefined;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0 ? undefined : value;
}
