import type { ConsumerConfig } from "../consumer/config.ts";
import type { Timestamp } from "../json/timestamps.ts";
import type { ConsumerState } from "./consumer-state.ts";

/** A consumer in a snapshot. */
export interface SnapshotConsumer {
  readonly name: string;
  /** When it was made; undefined when the snapshot does not say. */
  readonly created: Timestamp | undefined;
  readonly config: ConsumerConfig;
  readonly state: ConsumerState;
}

/** What a stream's numbers are, once all is read. */
export interface SnapshotBounds {
  /** Messages below are none of the stream's; 0 when only the messages say. */
  readonly firstSeq: number;
  /** The last number that was given out, be its message there or not. */
  readonly lastSeq: number;
}

/** Takes what a snapshot holds, as it is read. What it is given is valid until a call returns. */
export interface SnapshotSink {
  /** When the stream was made. Comes before all messages, if at all. */
  created(time: Timestamp): void;
  /** A message. Sequences rise. Time is in ms since the epoch. */
  message(
    seq: number,
    time: number,
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
  ): void;
  /** A message that has come before is none of the stream's, or never came. */
  removed(seq: number): void;
  consumer(consumer: SnapshotConsumer): void;
  /** All has come. */
  done(bounds: SnapshotBounds): void;
}

/** What the stream to be restored must keep to. */
export interface SnapshotLimits {
  /** The stream's name. */
  readonly stream: string;
  /** The account's name, for errors. */
  readonly account: string;
  /** The most bytes of a message's headers and payload, in all. */
  readonly maxMessage: number;
  /** The same by the stream's configuration; below 0 for no limit. */
  readonly maxOfStream: number;
}
