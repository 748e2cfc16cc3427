import { DurationError, parseDuration } from "../../protocol/durations.ts";
import { parseDigits } from "./headers.ts";

/** A message that never expires, whatever the stream's age limit is. */
export const TTL_NEVER = "never";

/** For how long a message is kept: whole seconds, for ever, or (0) as the stream says. */
export type MessageTtl = number | typeof TTL_NEVER;

/** More than this many seconds nats-server's 64 bits do not hold. */
const MAX_SECONDS = 2 ** 63;

/** The value of `Nats-TTL`: whole seconds, a duration as Go writes it of at least a second, or "never"; undefined when it is none of these. */
export function parseMessageTtl(value: string): MessageTtl | undefined {
  if (value.toLowerCase() === TTL_NEVER) return TTL_NEVER;
  const ms = durationOf(value);
  if (ms !== undefined) return ms < 1_000 ? undefined : Math.trunc(ms / 1_000);
  const seconds = parseDigits(value);
  return seconds === undefined || seconds >= MAX_SECONDS ? undefined : seconds;
}

function durationOf(value: string): number | undefined {
  try {
    return parseDuration(value);
  } catch (error) {
    if (error instanceof DurationError) return undefined;
    throw error;
  }
}
