/** What a row counts in. */
export type Unit = "/s" | "ms" | "µs" | "MB" | "B";

/** Whether more of it is better. */
export function moreIsBetter(unit: Unit): boolean {
  return unit === "/s";
}

/**
 * What a load printed, in the unit of the row: bytes become megabytes (10⁶), all else is in its unit already.
 */
export function inUnit(value: number, unit: Unit): number {
  return unit === "MB" ? value / 1e6 : value;
}

/** A value such as "3.12 M/s" or "15.3 µs": three digits are more than the spread allows to believe. */
export function formatValue(value: number, unit: Unit): string {
  if (unit !== "/s") return `${digits(value)} ${unit}`;
  if (value >= 1e6) return `${digits(value / 1e6)} M/s`;
  if (value >= 1e3) return `${digits(value / 1e3)} k/s`;
  return `${digits(value)} /s`;
}

/** From least to most; the unit of the most stands for both. */
export function formatSpread(min: number, max: number, unit: Unit): string {
  const [least, most] = [formatValue(min, unit), formatValue(max, unit)];
  const [value, suffix] = least.split(" ");
  return most.endsWith(` ${suffix}`) ? `${value}–${most}` : `${least} – ${most}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
