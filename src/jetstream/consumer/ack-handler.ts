import type { Message } from "../../protocol/message.ts";
import { encodePayload } from "../../protocol/text.ts";
import { messageAcknowledged, messageNaked, messageTerminated, TERM_REASONS } from "../api/events.ts";
import type { AckReplies } from "./ack-replies.ts";
import { type AckNumbers, readAckNumbers } from "./ack-subject.ts";
import { isSampled, readAck, samplePercentage } from "./acks.ts";
import { ALARMS } from "./alarm.ts";
import type { ConsumerOwner } from "./owner.ts";
import type { Redeliveries } from "./redeliveries.ts";

/** What acknowledgements have others do. */
export interface AckEvents {
  /** Takes the pull request that comes with `+NXT`. */
  next(reply: string, body: Uint8Array): void;
  /** The wait for a message has begun anew, which counts as a delivery. @param now - as `Clock.monotonic` has it. */
  touched(now: number): void;
}

/** Takes acknowledgements (behaviour.md D.13), in nats-server's order of checks. */
export class AckHandler {
  readonly #owner: ConsumerOwner;
  readonly #redeliveries: Redeliveries;
  readonly #replies: AckReplies;
  readonly #position: () => number;
  readonly #events: AckEvents;
  readonly #numbers: AckNumbers = { deliveries: 0, streamSeq: 0, consumerSeq: 0 };
  /** When something was acknowledged last, as `Clock.monotonic` has it; undefined before. */
  lastActive: number | undefined;

  /**
   * @param position - where the delivery is in the stream.
   */
  constructor(
    owner: ConsumerOwner,
    redeliveries: Redeliveries,
    replies: AckReplies,
    position: () => number,
    events: AckEvents,
  ) {
    this.#owner = owner;
    this.#redeliveries = redeliveries;
    this.#replies = replies;
    this.#position = position;
    this.#events = events;
  }

  /** Takes a message on an acknowledgement's subject. @param start - where its numbers begin. */
  take(message: Message, start: number): void {
    const numbers = this.#numbers;
    numbers.deliveries = numbers.streamSeq = numbers.consumerSeq = Infinity;
    readAckNumbers(message.subject, start, numbers);
    if (isPlainAck(message)) this.#plain(message.hasReply ? message.reply : "");
    else this.#other(message, message.hasReply ? message.reply : "");
  }

  #plain(reply: string): void {
    if (this.#acknowledge(true) && reply !== "") this.#replies.add(reply);
  }

  #other(message: Message, reply: string): void {
    const body = bodyOf(message);
    const ack = readAck(body);
    switch (ack?.kind) {
      case "ack":
        this.#plain(reply);
        return;
      case "next":
        this.#acknowledge(true);
        if (reply !== "") this.#events.next(reply, ack.request.slice());
        return;
      case "nak":
        this.#nak(ack.delay, ack.unreadable);
        break;
      case "progress":
        this.#progress();
        break;
      case "term":
        if (!this.#terminate(ack.reason)) return;
        break;
      case undefined:
        break;
    }
    if (reply !== "" && this.#numbers.streamSeq !== 0) this.#replies.add(reply);
  }

  /** Returns whether that is to be answered. */
  #acknowledge(sampled: boolean): boolean {
    const { state, config, host } = this.#owner;
    const { streamSeq, consumerSeq } = this.#numbers;
    if (host.closed || (streamSeq >= this.#position() && !config.flowControl)) return false;
    const { ackPolicy, maxAckPending } = config;
    const full = maxAckPending > 0 && state.pending.size >= maxAckPending;
    if (ackPolicy === "explicit") {
      const place = state.pending.find(streamSeq);
      if (place >= 0 && sampled && config.sampleFreq !== "") this.#sample(place);
      state.settle(streamSeq);
      this.#released(streamSeq);
    } else {
      if (ackPolicy === "none") return host.config.retention !== "limits";
      if (consumerSeq <= state.floor.consumer || streamSeq <= state.floor.stream) return true;
      state.settleThrough(streamSeq, consumerSeq, (seq) => {
        if (seq !== streamSeq) this.#released(seq);
      });
      this.#released(streamSeq);
    }
    this.#acknowledged(full);
    return true;
  }

  #released(seq: number): void {
    const { host } = this.#owner;
    if (host.config.retention !== "limits") host.released(seq);
  }

  #acknowledged(full: boolean): void {
    this.lastActive = this.#owner.host.account.clock.monotonic();
    if (full) this.#owner.wake();
  }

  #sample(place: number): void {
    const { state, config, host, stream, consumer } = this.#owner;
    const { account } = host;
    if (!isSampled(samplePercentage(config.sampleFreq), account.random.fraction())) return;
    const waited = account.clock.monotonic() - state.pending.time(place);
    account.tell(`$JS.EVENT.METRIC.CONSUMER.ACK.${stream}.${consumer}`, (stamp) =>
      messageAcknowledged(stamp, this.#message(), waited),
    );
  }

  /** What the subject says of the message, for events. */
  #message(): {
    stream: string;
    consumer: string;
    consumerSeq: number;
    streamSeq: number;
    deliveries: number;
  } {
    const { stream, consumer } = this.#owner;
    const { streamSeq, consumerSeq, deliveries } = this.#numbers;
    return { stream, consumer, streamSeq, consumerSeq, deliveries };
  }

  #nak(delay: number | undefined, unreadable: string | undefined): void {
    const { state, config, host, alarm, stream, consumer } = this.#owner;
    const { streamSeq, consumerSeq } = this.#numbers;
    const { account } = host;
    if (consumerSeq <= state.floor.consumer || consumerSeq > state.delivered.consumer + 1) return;
    const place = state.pending.find(streamSeq);
    if (place < 0) return;
    account.tell(`$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.${stream}.${consumer}`, (stamp) =>
      messageNaked(stamp, this.#message()),
    );
    if (unreadable !== undefined) {
      account.logger.warn(
        `JetStream consumer '${account.name} > ${stream} > ${consumer}' bad NAK delay value: ${JSON.stringify(unreadable)}`,
      );
    }
    if (delay !== undefined) {
      this.#redeliveries.remove(place);
      const now = account.clock.monotonic();
      // As if it had been delivered just so long ago that its time is over after the delay.
      state.touch(place, now - config.ackWait + delay);
      this.#events.touched(now);
      alarm.setEarliest(ALARMS.acks, now + Math.max(0, delay));
      return;
    }
    this.#redeliveries.add(place);
    this.#owner.wake();
  }

  #progress(): void {
    const { state, host } = this.#owner;
    const place = state.pending.find(this.#numbers.streamSeq);
    if (place < 0) return;
    const now = host.account.clock.monotonic();
    state.touch(place, now);
    this.#events.touched(now);
  }

  #terminate(reason: string): boolean {
    const answered = this.#acknowledge(false);
    this.#tellTerminated(reason);
    return answered;
  }

  #tellTerminated(reason: string): void {
    const { host, stream, consumer } = this.#owner;
    host.account.tell(`$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.${stream}.${consumer}`, (stamp) =>
      messageTerminated(stamp, this.#message(), reason),
    );
  }

  /** A pending message has gone from the stream. @param quietly - as somebody has asked for that. */
  gone(seq: number, quietly: boolean): void {
    const { state, config } = this.#owner;
    const place = state.pending.find(seq);
    const { maxAckPending } = config;
    const full = maxAckPending > 0 && state.pending.size >= maxAckPending;
    if (place >= 0) {
      this.#numbers.streamSeq = seq;
      this.#numbers.consumerSeq = state.pending.consumerSeq(place);
      this.#numbers.deliveries = Math.max(1, state.pending.redeliveries(place));
      this.#redeliveries.remove(place);
    }
    if (!state.settle(seq)) return;
    this.lastActive = this.#owner.host.account.clock.monotonic();
    if (place >= 0 && !quietly) this.#tellTerminated(TERM_REASONS.unacknowledged);
    if (full) this.#owner.wake();
  }

  /** The client has answered flow control, and says how far it is. */
  through(streamSeq: number, consumerSeq: number): void {
    this.#numbers.streamSeq = streamSeq;
    this.#numbers.consumerSeq = consumerSeq;
    this.#numbers.deliveries = 1;
    this.#acknowledge(false);
  }
}

/** Nearly all are: no body, or `+ACK`. */
function isPlainAck(message: Message): boolean {
  if (message.text !== undefined) return message.text === "" || message.text === "+ACK";
  const { bytes, body, end } = message;
  if (end === body) return true;
  return (
    end - body === 4 &&
    bytes[body] === 43 &&
    bytes[body + 1] === 65 &&
    bytes[body + 2] === 67 &&
    bytes[body + 3] === 75
  );
}

/** The payload; it is valid as long as the message is. */
export function bodyOf(message: Message): Uint8Array {
  if (message.text !== undefined) return encodePayload(message.text);
  return message.bytes.subarray(message.body, message.end);
}
