import type { StorageError } from "../../storage/errors.ts";
import type { AccountContext } from "../account/context.ts";
import type { ApiError } from "../errors.ts";
import type { StreamSource } from "../stream/source.ts";
import type { Beginning } from "./request.ts";

/** A message of an origin. It may be used until the call that brings it returns. */
export interface OriginMessage {
  readonly subject: string;
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  /** Its sequence there. */
  readonly seq: number;
  /** When it was stored there, in ms since the epoch. */
  readonly time: number;
}

/** A stretch of messages that come one after the other, from one consumer. Once one could not be stored, those behind it are not either. */
export interface Stretch {
  readonly live: boolean;
  /** The message has been dealt with. */
  done(): void;
  /** It could not be stored: all comes once more from it on. */
  failed(error: ApiError | StorageError): void;
}

/** What takes the messages of an origin: a mirror, or a source. */
export interface InflowEnd {
  readonly kind: "mirror" | "source";
  readonly source: StreamSource;
  readonly account: AccountContext;
  /** What it is in log lines. */
  readonly title: string;
  /** The name of the consumer to ask for. */
  consumerName(): string;
  /** What that consumer says of who uses it. */
  metadata(): Readonly<Record<string, string>>;
  /** Where to begin. */
  beginning(): Beginning;
  /** The sequence, there, of the last message that was dealt with. */
  position(): number;
  /** A consumer is there; messages up to a sequence will not come. @throws StorageError */
  connected(delivered: number): void;
  /** Deals with the next message, now or soon, and says so once to `stretch`. @param pending - how many are behind it. */
  take(message: OriginMessage, stretch: Stretch, pending: number): void;
  /** Resolves once what was taken until now is on disk; undefined when it is. */
  settled(): Promise<void> | undefined;
  /** The origin is alive: about once a second. */
  tick(): void;
}
