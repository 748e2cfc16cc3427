import type { EncryptionSettings } from "../storage/encryption.ts";
import type { AccountLimits, ServerLimits } from "./stream/context.ts";
import type { BatchSettings } from "./stream/server-batches.ts";

/** How JetStream works on a server, with the defaults in place. Sizes are in bytes, spans in ms. */
export interface JetStreamSettings {
  /** The directory of the log; undefined keeps everything in memory. */
  readonly directory: string | undefined;
  /** How the files in it are encrypted; undefined for not. */
  readonly encryption: EncryptionSettings | undefined;
  /** When files are synced: "always" before a publisher hears that its message is stored, or so many ms later. */
  readonly sync: "always" | number;
  /** Whether requests with fields that there are not are refused. */
  readonly strict: boolean;
  /** The name that clients of other servers know this one's streams by; "" for none. */
  readonly domain: string;
  readonly maxMemory: number;
  readonly maxFile: number;
  readonly limits: ServerLimits;
  readonly batches: BatchSettings;
  /** The most requests that may wait. */
  readonly requestQueueLimit: number;
}

/** An account that has JetStream. */
export interface JetStreamAccountSettings {
  readonly name: string;
  readonly limits: AccountLimits;
}
