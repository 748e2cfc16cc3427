import type { AckState } from "./ack-state.ts";
import type { Alarm } from "./alarm.ts";
import type { ConsumerConfig } from "./config.ts";
import type { ConsumerHost } from "./host.ts";

/** What the parts of a consumer need of it. */
export interface ConsumerOwner {
  readonly host: ConsumerHost;
  /** What the stream and the consumer are called. */
  readonly stream: string;
  readonly consumer: string;
  /** As it is now. */
  readonly config: ConsumerConfig;
  readonly state: AckState;
  readonly alarm: Alarm;
  /** Something may be deliverable now: it will be looked for soon. */
  wake(): void;
}

/**
 * Where a consumer's messages go: to those who have asked for them, or to a subject.
 */
export interface Outlet {
  /** Whether a message could go out now. */
  readonly open: boolean;
  /**
   * Where the next message goes; undefined when it cannot go out now.
   * @param size - its bytes with subjects and headers.
   * @param now - as `Clock.monotonic` had it not long ago, in ms.
   * @param again - whether it was delivered before.
   */
  take(size: number, now: number, again: boolean): string | undefined;
  /** What {@link take} gave away comes to nothing: nobody listens there. */
  missed(to: string): void;
  /** A message has gone out, to where {@link take} said. */
  sent(to: string, size: number): void;
  /** A header that the message is to have. */
  readonly mark: readonly [name: string, value: string] | undefined;
  /** There is nothing to deliver just now. @param end - whether because there are no more messages. */
  idle(end: boolean): void;
  /** The configuration has changed. */
  configured(): void;
  /** The consumer is closed; with `deleted`, for ever. */
  close(deleted: boolean): void;
}
