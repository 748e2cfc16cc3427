import { encodeText } from "../protocol/text.ts";
import { sha256 } from "./sha256.ts";

/** What short names are made of. */
export const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HASH_LENGTH = 8;

/** A short text that stands for a longer one, in names, subjects and headers that other servers and clients know (nats-server `getHash`). */
export function shortHash(text: string): string {
  const hash = sha256(encodeText(text)).subarray(0, HASH_LENGTH);
  return Array.from(hash, (byte) => DIGITS[byte % DIGITS.length]).join("");
}
