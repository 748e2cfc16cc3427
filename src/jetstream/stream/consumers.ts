import type { StreamPurgeRequest } from "../api/requests.ts";
import type { ConsumerHost } from "../consumer/host.ts";
import type { LimitedConsumer } from "./update.ts";

/** What a stream needs of its consumers, all together. */
export interface StreamConsumers {
  /** How many there are. */
  readonly count: number;
  /** Those that the stream's limits for consumers concern. */
  limited(): Iterable<LimitedConsumer>;
  /** Makes those that were stored. */
  open(): Promise<void>;
  /** Messages up to this sequence may be delivered. */
  stored(seq: number): void;
  /** A message goes, and is still there. Only called while there are consumers. */
  removed(seq: number, subject: string): void;
  /** Messages were purged. */
  purged(request: StreamPurgeRequest): void;
  /** Whether any consumer still needs a message. */
  needs(seq: number, subject: string): boolean;
  /** Whether any consumer wants messages on a subject. */
  hasInterest(subject: string): boolean;
  /** The stream's configuration has changed. */
  streamConfigChanged(): void;
  /** Ends all; what is durable stays. */
  close(): Promise<void>;
  /** Ends all, and deletes what is stored of them. */
  delete(): Promise<void>;
}

/** Makes the consumers of a stream. */
export type MakeConsumers = (host: ConsumerHost) => StreamConsumers;

/** A stream that has no consumers, and never will. */
export const NO_CONSUMERS: StreamConsumers = {
  count: 0,
  limited: () => [],
  async open() {},
  stored() {},
  removed() {},
  purged() {},
  needs: () => false,
  hasInterest: () => false,
  streamConfigChanged() {},
  async close() {},
  async delete() {},
};
