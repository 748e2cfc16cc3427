import type { StreamConfig } from "./config.ts";

/** Limits of the server that the checks of configurations need; 0 is none. Spans are in ms. */
export interface ServerLimits {
  readonly duplicateWindow: number;
  readonly maxAckPending: number;
  readonly maxRequestBatch: number;
}

/** Limits of an account (one tier of them); -1 is none, and 0 too where nothing else is said. Sizes are in bytes. */
export interface AccountLimits {
  /** 0 means that nothing may be kept. */
  readonly maxMemory: number;
  /** 0 means that nothing may be kept. */
  readonly maxStore: number;
  readonly maxStreams: number;
  readonly maxConsumers: number;
  readonly maxAckPending: number;
  readonly memoryMaxStreamBytes: number;
  readonly storeMaxStreamBytes: number;
  /** Whether a stream must say how many bytes it may have. */
  readonly maxBytesRequired: boolean;
}

/** What the checks of a stream's configuration need to know beyond it. */
export interface StreamContext {
  readonly server: ServerLimits;
  readonly account: AccountLimits;
  /** The configuration of another stream of the account. */
  streamOf(name: string): StreamConfig | undefined;
}

/** No limits at all. */
export const NO_SERVER_LIMITS: ServerLimits = { duplicateWindow: 0, maxAckPending: 0, maxRequestBatch: 0 };

/** No limits at all: what an account has that was given none. */
export const NO_ACCOUNT_LIMITS: AccountLimits = {
  maxMemory: -1,
  maxStore: -1,
  maxStreams: -1,
  maxConsumers: -1,
  maxAckPending: -1,
  memoryMaxStreamBytes: 0,
  storeMaxStreamBytes: 0,
  maxBytesRequired: false,
};
