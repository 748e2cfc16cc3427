/** Units of whole numbers: powers of 1000, and of 1024 for those with a "b" or an "i". */
const UNITS = "kmgtpe";
const INTEGER = /^([\p{Nd}-]*)(.*)$/su;
const DIGITS = /^-?[0-9]+$/;
const FLOAT = /^-?[0-9]+\.[0-9]+$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$/;

/**
 * A whole number with or without a unit, as 64 bits, which a unit may overflow. A text is an error; undefined stands for a unit
 * that there is none of.
 */
export function integerOf(text: string): bigint | string | undefined {
  const [, digits, suffix] = INTEGER.exec(text)!;
  if (!DIGITS.test(digits)) return `expected integer, but got '${text}'`;
  const number = BigInt(digits);
  if (BigInt.asIntN(64, number) !== number) return `integer '${text}' is out of the range`;
  const unit = suffix.toLowerCase();
  if (unit === "") return number;
  const power = UNITS.indexOf(unit[0]) + 1;
  const rest = unit.slice(1);
  if (power === 0 || !["", "b", "i", "ib"].includes(rest)) return undefined;
  return BigInt.asIntN(64, number * (rest === "" ? 1000n : 1024n) ** BigInt(power));
}

/** A number with a dot; undefined when it is none, infinite when it is too large. */
export function floatOf(text: string): number | undefined {
  return FLOAT.test(text) ? Number(text) : undefined;
}

/** The text again, if there is such a date and time. */
export function dateOf(text: string): string | undefined {
  const found = DATE.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number);
  const inRange = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
  return inRange && hour < 24 && minute < 60 && second < 60 ? text : undefined;
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month === 2) return isLeap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
