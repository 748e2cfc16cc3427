import { isLiteralSubject, isProtocolToken } from "../protocol/subject.ts";
import type { Random } from "../seams/random.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The usual first token of reply subjects. */
export const INBOX_PREFIX = "_INBOX";

/** A name that nobody else has: 22 characters, like the ids that other NATS clients use (NUID). */
export function uniqueName(random: Random): string {
  const bytes = new Uint8Array(32);
  let name = "";
  while (name.length < 22) {
    random.fill(bytes);
    for (const byte of bytes) {
      // 248 is the largest multiple of 62 in a byte: above it the choice would not be even.
      if (byte < 248 && name.length < 22) name += DIGITS[byte % 62];
    }
  }
  return name;
}

/** Whether inboxes can begin with it: a subject without wildcards. */
export function isInboxPrefix(prefix: string): boolean {
  return typeof prefix === "string" && isProtocolToken(prefix) && isLiteralSubject(prefix);
}
