import type { Random } from "../seams/random.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 22;

/** An id for an event: as long as nats-server's, from as many characters. */
export function newEventId(random: Random): string {
  const bytes = new Uint8Array(LENGTH);
  random.fill(bytes);
  return Array.from(bytes, (byte) => DIGITS[byte % DIGITS.length]).join("");
}
