import { hashText } from "../../protocol/hash.ts";
import type { Random } from "../../seams/random.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HASH_LENGTH = 8;

/** A name of letters and digits that nobody can foretell. */
export function randomName(random: Random, length: number): string {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return Array.from(bytes, (byte) => DIGITS[byte % DIGITS.length]).join("");
}

/**
 * What stands for an account in the subjects of the second form. nats-server takes it from SHA-256; only the server that made it
 * ever reads it, so that any will do.
 */
export function accountHash(account: string): string {
  let hash = "";
  for (let i = 0; i < HASH_LENGTH; i++) hash += DIGITS[(hashText(`${i}.${account}`) >>> 0) % DIGITS.length];
  return hash;
}
