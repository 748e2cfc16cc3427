import { BATCH_LIMITS, BATCH_TIMEOUT_MS, type BatchLimits } from "../publish/batch.ts";
import { FAST_BATCH_LIMITS } from "../publish/fast-batch.ts";

/** What a server says of batches; 0 is nats-server's default, which is another one for each kind. */
export interface BatchSettings {
  /** Messages of an atomic batch. */
  readonly maxMessages: number;
  /** Batches of a kind that are open in a stream. */
  readonly maxPerStream: number;
  /** The same in the server. */
  readonly maxPerServer: number;
  /** For how long nothing may be heard of a batch, in ms. */
  readonly timeout: number;
}

/** Bytes of atomic batches that wait in memory for their end, in the whole server. */
const MAX_STAGED_BYTES = 256 * 1024 * 1024;

/** The batches of a server: how many are open, and how many may be. */
export class ServerBatches {
  readonly atomicLimits: BatchLimits;
  readonly fastLimits: Pick<BatchLimits, "maxPerStream" | "maxPerServer">;
  readonly timeout: number;
  readonly maxStagedBytes: number = MAX_STAGED_BYTES;
  /** Atomic ones that are open. */
  atomic = 0;
  /** Those of fast ingest. */
  fast = 0;
  /** The bytes of messages that wait for the end of their batches. */
  stagedBytes = 0;

  constructor({ maxMessages, maxPerStream, maxPerServer, timeout }: BatchSettings) {
    const limits = (defaults: Pick<BatchLimits, "maxPerStream" | "maxPerServer">) => ({
      maxPerStream: maxPerStream > 0 ? maxPerStream : defaults.maxPerStream,
      maxPerServer: maxPerServer > 0 ? maxPerServer : defaults.maxPerServer,
    });
    this.fastLimits = limits(FAST_BATCH_LIMITS);
    this.atomicLimits = {
      ...limits(BATCH_LIMITS),
      maxMessages: maxMessages > 0 ? maxMessages : BATCH_LIMITS.maxMessages,
    };
    this.timeout = timeout > 0 ? timeout : BATCH_TIMEOUT_MS;
  }
}
