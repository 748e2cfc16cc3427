/**
 * Values as Go writes them in JSON, which programs that read nats-server's answers expect.
 */

/** JSON as Go's encoder writes it: what could end a script in a page is escaped. `indent` is a number of spaces. */
export function goJson(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, null, indent)).replace(
    UINT64_MAX,
    (_all, name) => `${name}18446744073709551615`,
  );
}

/** What JavaScript has for Go's greatest whole number, which is one less. Within a text a name's quotes would be escaped. */
const UINT64_MAX = /("[a-z_]+": ?)18446744073709552000\b/g;

/** JSON, with what Go escapes besides. */
export function escapeJson(json: string): string {
  return json.replace(
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

/** The date of a day counted from the epoch. Years begin in March meanwhile, so that the leap day is the last. */
export function civilDate(days: number): { year: number; month: number; day: number } {
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
