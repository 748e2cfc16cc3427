import type { StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import type { StreamConfig } from "../stream/config.ts";
import type { Incoming } from "../stream/incoming.ts";

/** What mirrors and sources need of the stream that they fill. */
export interface ReceivingStream {
  readonly account: AccountContext;
  /** As it is now. */
  readonly config: StreamConfig;
  readonly store: StreamStore;
  readonly closed: boolean;
  /** Stores a message that comes from another stream, now or soon. */
  takeFrom(message: Incoming): void;
  /** Resolves once all that was stored until now is on disk; undefined when it is. */
  settled(): Promise<void> | undefined;
  /** A mirror has caught up with its origin, and may answer gets in its place. */
  caughtUp(): void;
  /** Something went wrong. @param what - was being done. */
  failed(what: string, error: unknown): void;
}
