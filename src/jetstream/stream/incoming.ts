import type { FromOrigin } from "./from-origin.ts";

/** A message on its way into a stream. Its arrays may be used until the call that brings it returns. */
export interface Incoming {
  readonly subject: string;
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  /** Where the publisher listens for the answer; "" for nowhere. */
  readonly reply: string;
  /** Whether another stream, or this one itself, has checked it already. */
  readonly sourced: boolean;
  /** Set when it comes from another stream. */
  readonly origin?: FromOrigin;
}

/** Who hears what becomes of a message. */
export type Answered = Pick<Incoming, "reply" | "origin">;

/** What is done with a message, once what had to be read for it is there. It is the same message, perhaps as a copy. */
export type Act = (message: Incoming) => void;

/** A message that may be kept. */
export function copied(message: Incoming): Incoming {
  return { ...message, headers: message.headers?.slice(), payload: message.payload.slice() };
}
