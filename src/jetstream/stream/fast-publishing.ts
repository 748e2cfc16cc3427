import type { ApiError } from "../errors.ts";
import { flowAck, flowError, MAX_ACK_MESSAGES } from "../publish/fast-batch.ts";
import type { IdleTimer } from "./idle-timer.ts";

/** Messages of a batch that are stored and not yet on disk, in order. */
class Unsynced {
  #seqs: number[] = [];
  #batchSeqs: bigint[] = [];
  #first = 0;

  get count(): number {
    return this.#seqs.length - this.#first;
  }

  push(seq: number, batchSeq: bigint): void {
    this.#seqs.push(seq);
    this.#batchSeqs.push(batchSeq);
  }

  /** Takes out all up to a sequence of the stream; returns the last of them, if there is any. */
  take(through: number): { seq: number; batchSeq: bigint } | undefined {
    let at = this.#first;
    while (at < this.#seqs.length && this.#seqs[at] <= through) at += 1;
    if (at === this.#first) return undefined;
    const last = { seq: this.#seqs[at - 1], batchSeq: this.#batchSeqs[at - 1] };
    this.#first = at;
    if (at === this.#seqs.length || at > 1_024) {
      this.#seqs = this.#seqs.slice(at);
      this.#batchSeqs = this.#batchSeqs.slice(at);
      this.#first = 0;
    }
    return last;
  }

  clear(): void {
    this.#seqs = [];
    this.#batchSeqs = [];
    this.#first = 0;
  }
}

/** What a batch of fast ingest says to its publisher. */
export interface FastOutlet {
  /** How many batches the stream has open. */
  open(): number;
  say(reply: string, payload: Uint8Array): void;
  /** The batch has ended: all of it is on disk. @param streamSeq - of its last message; 0 when there is none. */
  committed(batch: FastPublishing, reply: string, streamSeq: number, count: bigint): void;
}

/** A batch of fast ingest (behaviour.md D.6): which messages have come, which are on disk, and when its publisher hears of that. */
export class FastPublishing {
  readonly id: string;
  /** Whether messages may be missing. */
  readonly gapOk: boolean;
  /** The last message that has come. */
  lastSeq = 0n;
  idle: IdleTimer | undefined;
  readonly #outlet: FastOutlet;
  readonly #unsynced = new Unsynced();
  /** Those for which something else has to be done, too, by their sequences in the stream. */
  readonly #held: number[] = [];
  readonly #maxAck: number;
  /** After so many messages there is an acknowledgement. */
  #ack = 1;
  /** The last message that is on disk, or needs not be; its sequence in the stream. */
  #persisted = 0n;
  #streamSeq = 0;
  /** The last message that was acknowledged. */
  #acknowledged = 0n;
  /** Where the publisher was heard of last. */
  #reply = "";
  /** Where it hears of the end, once that has come. */
  #ending: string | undefined;

  /** @param maxAck - after how many messages the publisher wants to hear at the latest. */
  constructor(id: string, gapOk: boolean, maxAck: number, outlet: FastOutlet) {
    this.id = id;
    this.gapOk = gapOk;
    this.#maxAck = maxAck;
    this.#outlet = outlet;
  }

  /** It is one of the open ones now. A batch that is not alone begins slowly. */
  begin(): void {
    this.#ack = this.#outlet.open() > 1 ? 1 : Math.min(MAX_ACK_MESSAGES, this.#maxAck);
  }

  /** Whether it takes no more messages, and waits for the disk. */
  get ending(): boolean {
    return this.#ending !== undefined;
  }

  /** Tells the publisher how fast it may be. */
  greet(reply: string): void {
    this.#outlet.say(reply, flowAck(0n, this.#ack));
  }

  /** A message was stored. */
  stored(seq: number, batchSeq: bigint, reply: string): void {
    this.#unsynced.push(seq, batchSeq);
    this.#reply = reply;
  }

  /** The message that was stored last counts once it is {@link release}d, too. */
  hold(seq: number): void {
    this.#held.push(seq);
  }

  /** All is done for a message, but that it may not be on disk. */
  release(seq: number): void {
    const at = this.#held.indexOf(seq);
    if (at >= 0) this.#held.splice(at, 1);
  }

  /** All up to a sequence of the stream is on disk. */
  synced(through: number): void {
    const upTo = this.#held.length === 0 ? through : Math.min(through, this.#held[0] - 1);
    const last = this.#unsynced.take(upTo);
    if (last === undefined) return;
    this.#streamSeq = last.seq;
    this.#persisted = this.#unsynced.count === 0 ? this.lastSeq : last.batchSeq;
    if (this.#ending !== undefined && this.#persisted === this.lastSeq) this.#end(this.#ending);
    else this.acknowledge(this.#reply);
  }

  /** What was stored and is not on disk has come to nothing: it ends before that. */
  lost(error: ApiError): void {
    if (this.#unsynced.count === 0) return;
    this.#unsynced.clear();
    this.#held.length = 0;
    this.lastSeq = this.#persisted;
    this.#outlet.say(this.#reply, flowError(this.#persisted + 1n, error));
    this.commit(this.#ending ?? this.#reply);
  }

  /** Nothing is stored of the last message. @param wasThere - because it was, before: it counts as one that is on disk. */
  skipped(wasThere: boolean): void {
    if (!wasThere) this.lastSeq -= 1n;
    if (this.#unsynced.count === 0) this.#persisted = this.lastSeq;
  }

  /** Messages up to one are missing, and need not come. */
  leap(seq: bigint): void {
    this.lastSeq = seq;
    if (this.#unsynced.count === 0) this.#persisted = seq;
  }

  /** Tells the publisher that messages are on disk, if it is time for that. Returns whether it was. */
  acknowledge(reply: string): boolean {
    const every = BigInt(this.#ack);
    if (this.#persisted < this.#acknowledged + every) return false;
    this.#acknowledged += ((this.#persisted - this.#acknowledged) / every) * every;
    this.#pace();
    this.repeat(reply);
    return true;
  }

  /** Goes faster, or more slowly, so that all that publish have their share. */
  #pace(): void {
    const share = Math.max(1, Math.trunc(MAX_ACK_MESSAGES / this.#outlet.open()));
    const limit = Math.min(share, this.#maxAck);
    if (this.#ack < limit) this.#ack = Math.min(this.#ack * 2, limit);
    else if (this.#ack > limit) this.#ack = Math.max(Math.trunc(this.#ack / 2), limit);
  }

  /** Tells the publisher once more what was acknowledged last. */
  repeat(reply: string): void {
    this.#outlet.say(reply, flowAck(this.#acknowledged, this.#ack));
  }

  /** It takes no more messages: it ends once the last one is on disk. Returns whether it has. */
  commit(reply: string): boolean {
    this.idle?.stop();
    this.#ending = reply;
    if (this.lastSeq !== this.#persisted) return false;
    this.#end(reply);
    return true;
  }

  #end(reply: string): void {
    this.#outlet.committed(this, reply, this.#streamSeq, this.lastSeq);
  }
}
