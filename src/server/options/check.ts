import { ServerError } from "../errors.ts";

/** The error for an option that cannot be: names it, and says what it may be. @param option - its path, such as "listen.port". */
export function invalid(option: string, rule: string, given?: unknown): ServerError {
  const shown = given === undefined ? "" : `, not ${show(given)}`;
  return new ServerError("INVALID_OPTION", `option "${option}" ${rule}${shown}`, { option });
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" || typeof value === "function"
    ? `a value of type ${typeof value}`
    : String(value);
}

/** The value, when it is an object of fields. */
export function objectOf(value: unknown, option: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(option, "must be an object", value);
  }
  return value as Record<string, unknown>;
}

/** The value, when it is a list. */
export function listOf(value: unknown, option: string, of: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(option, `must be a list of ${of}`, value);
  return value;
}

/** The value, when it is a text that is not empty. */
export function textOf(value: unknown, option: string, rule = "must be a text"): string {
  if (typeof value !== "string" || value === "") throw invalid(option, rule, value);
  return value;
}

/** The value, when it is a list of texts that are not empty. */
export function textsOf(value: unknown, option: string): string[] {
  return listOf(value, option, "texts").map((each, i) => textOf(each, `${option}[${i}]`));
}

/** The value, when it is a whole number within the limits. */
export function wholeNumberOf(value: unknown, option: string, min: number, max: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw invalid(option, `must be a whole number from ${min} to ${max}`, value);
}
