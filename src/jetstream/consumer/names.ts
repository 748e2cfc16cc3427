import type { Random } from "../../seams/random.ts";
import { DIGITS } from "../short-hash.ts";

/** A name of letters and digits that nobody can foretell. */
export function randomName(random: Random, length: number): string {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return Array.from(bytes, (byte) => DIGITS[byte % DIGITS.length]).join("");
}
