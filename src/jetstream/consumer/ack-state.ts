import type { ConsumerState } from "../snapshot/consumer-state.ts";
import type { AckPolicy } from "./config.ts";
import { PendingAcks } from "./pending-acks.ts";
import type { StateLog } from "./state-log.ts";
import { CHANGE, StateReader, type StateWriter } from "./state-records.ts";

/** More are not counted. */
const MAX_REDELIVERIES = 2 ** 31;

/** A position in the stream, and what number it has for the consumer. */
export interface SequencePair {
  consumer: number;
  stream: number;
}

/**
 * How far a consumer is: what it has delivered, what is acknowledged. Each change is told to a log, if there is one, from which the
 * state is put together again. Times are those of `Clock.monotonic`, in ms.
 */
export class AckState {
  readonly pending = new PendingAcks();
  /** Messages that have been delivered as often as they may be, and how often they were delivered again. */
  readonly exhausted = new Map<number, number>();
  /** The last delivery, and the highest message delivered. */
  readonly delivered: SequencePair;
  /** Everything up to here is acknowledged, or need not be. */
  readonly floor: SequencePair;
  readonly #policy: AckPolicy;
  readonly #log: StateLog | undefined;
  /** What the log says was settled, one by one. */
  #replayed: number[] = [];

  /** @param start - the first message to deliver. */
  constructor(policy: AckPolicy, start: number, log: StateLog | undefined) {
    this.#policy = policy;
    this.delivered = { consumer: 0, stream: start - 1 };
    this.floor = { consumer: 0, stream: start - 1 };
    this.#log = log;
    log?.open(this);
  }

  /** Messages that were settled before the state was read, without those settled before all of it was last written at once; gives them once. */
  takeReplayed(): readonly number[] {
    const replayed = this.#replayed;
    this.#replayed = [];
    return replayed;
  }

  /** How many messages that are not acknowledged have been delivered more than once. */
  get redelivered(): number {
    return this.pending.redelivered + this.exhausted.size;
  }

  /** A message is delivered for the first time; it is behind all others. */
  deliver(seq: number, time: number): void {
    this.#deliver(seq, time);
    if (this.#log === undefined) return;
    if (this.#policy === "none") this.#log.replace();
    else this.#log.changed().put(CHANGE.delivered, seq, this.#log.written(time));
  }

  #deliver(seq: number, time: number): void {
    const { delivered, floor } = this;
    delivered.consumer += 1;
    delivered.stream = seq;
    if (this.#policy === "none") {
      floor.consumer = delivered.consumer;
      floor.stream = seq;
    } else this.pending.add(seq, delivered.consumer, time);
  }

  /**
   * A message was passed over, as it was not there, and is back: it becomes pending, and counts as delivered once, before others. Returns its
   * place; -1 where nothing is ever pending.
   */
  takeBack(seq: number, time: number): number {
    const { delivered, floor, pending } = this;
    if (this.#policy === "none") return -1;
    let after = pending.first();
    while (after >= 0 && pending.seq(after) < seq) after = pending.next(after);
    const consumerSeq = after < 0 ? Math.max(1, delivered.consumer) : pending.consumerSeq(after);
    if (seq <= floor.stream) {
      floor.stream = seq - 1;
      floor.consumer = Math.min(floor.consumer, consumerSeq - 1);
    }
    const place = pending.insert(seq, consumerSeq, time);
    this.#log?.replace();
    return place;
  }

  /** A pending message is delivered again. */
  redeliver(place: number, time: number): void {
    this.#redeliver(place, time);
    this.#log
      ?.changed()
      .put(
        CHANGE.redelivered,
        this.pending.seq(place),
        this.pending.redeliveries(place),
        this.#log.written(time),
      );
  }

  #redeliver(place: number, time: number): void {
    this.delivered.consumer += 1;
    this.pending.setRedeliveries(place, this.pending.redeliveries(place) + 1);
    this.pending.setTime(place, time);
  }

  /** The wait for an acknowledgement counts from another time. */
  touch(place: number, time: number): void {
    this.pending.setTime(place, time);
    this.#log?.changed().put(CHANGE.touched, this.pending.seq(place), this.#log.written(time));
  }

  /** A message is not pending any more, be it acknowledged, given up or gone. Returns whether it was. */
  settle(seq: number): boolean {
    const settled = this.#settle(seq);
    if (settled) this.#log?.changed().put(CHANGE.settled, seq);
    return settled;
  }

  #settle(seq: number): boolean {
    const place = this.pending.find(seq);
    if (place < 0) return this.exhausted.size > 0 && this.exhausted.delete(seq);
    const consumerSeq = this.pending.consumerSeq(place);
    this.pending.remove(place);
    this.#moveFloor(consumerSeq);
    return true;
  }

  /** All up to a message are acknowledged. @param each - called with those that were pending. */
  settleThrough(seq: number, consumerSeq: number, each: (seq: number) => void): void {
    this.#settleThrough(seq, consumerSeq, each);
    this.#log?.changed().put(CHANGE.settledThrough, seq, consumerSeq);
  }

  #settleThrough(seq: number, consumerSeq: number, each: (seq: number) => void): void {
    this.floor.stream = seq;
    this.floor.consumer = consumerSeq;
    const { pending } = this;
    for (let place = pending.first(); place >= 0 && pending.seq(place) <= seq; place = pending.first()) {
      const settled = pending.seq(place);
      pending.remove(place);
      each(settled);
    }
    for (const exhausted of this.exhausted.keys()) {
      if (exhausted <= seq) this.exhausted.delete(exhausted);
    }
  }

  /** A pending message is not delivered any more: it has been as often as it may be. */
  exhaust(place: number, redeliveries: number): void {
    const seq = this.pending.seq(place);
    this.#exhaust(place, redeliveries);
    this.#log?.changed().put(CHANGE.exhausted, seq, redeliveries);
  }

  #exhaust(place: number, redeliveries: number): void {
    const consumerSeq = this.pending.consumerSeq(place);
    this.exhausted.set(this.pending.seq(place), redeliveries);
    this.pending.remove(place);
    this.#moveFloor(consumerSeq);
  }

  /** Delivery begins anew, with another message. */
  reset(seq: number): void {
    this.#reset(seq);
    this.#log?.changed().put(CHANGE.reset, seq);
  }

  #reset(seq: number): void {
    this.pending.clear();
    this.exhausted.clear();
    this.delivered.consumer = this.floor.consumer = 0;
    this.delivered.stream = this.floor.stream = seq - 1;
  }

  /** The stream was purged: what is left begins at `seq` or further on. */
  purged(seq: number): void {
    this.#purged(seq);
    this.#log?.changed().put(CHANGE.purged, seq);
  }

  #purged(seq: number): void {
    const { delivered, floor, pending } = this;
    delivered.stream = Math.max(delivered.stream, seq - 1);
    for (let place = pending.first(); place >= 0 && pending.seq(place) < seq; place = pending.first()) {
      floor.consumer = Math.max(floor.consumer, pending.consumerSeq(place));
      pending.remove(place);
    }
    for (const exhausted of this.exhausted.keys()) if (exhausted < seq) this.exhausted.delete(exhausted);
    floor.stream = Math.max(floor.stream, seq - 1);
    if (pending.size === 0) this.#floorAtDelivered();
  }

  /** What the stream has lost is forgotten: nothing above `last` was ever delivered. */
  rollBack(last: number): void {
    const { delivered, floor, pending } = this;
    if (delivered.stream <= last) return;
    for (let place = pending.first(); place >= 0; place = pending.next(place)) {
      if (pending.seq(place) > last) pending.remove(place);
    }
    for (const exhausted of this.exhausted.keys()) if (exhausted > last) this.exhausted.delete(exhausted);
    delivered.stream = last;
    floor.stream = Math.min(floor.stream, last);
    if (pending.size === 0) this.#floorAtDelivered();
    this.#log?.replace();
  }

  #floorAtDelivered(): void {
    this.floor.consumer = this.delivered.consumer;
    this.floor.stream = this.delivered.stream;
  }

  /** What had this number is settled: the floor goes up to what is pending next, if nothing before is. */
  #moveFloor(consumerSeq: number): void {
    const { floor, pending } = this;
    const first = pending.first();
    if (first < 0) this.#floorAtDelivered();
    else if (consumerSeq === floor.consumer + 1) {
      floor.consumer = pending.consumerSeq(first) - 1;
      floor.stream = pending.seq(first) - 1;
    }
  }

  /**
   * Takes over what a consumer was at elsewhere. What contradicts itself there is left out.
   * @param epoch - by how much `Clock.monotonic` is behind the time since 1970, in ms.
   */
  takeOver({ delivered, ackFloor, pending, redelivered }: ConsumerState, epoch: number): void {
    Object.assign(this.delivered, delivered);
    this.floor.consumer = Math.min(ackFloor.consumer, delivered.consumer);
    this.floor.stream = Math.min(ackFloor.stream, delivered.stream);
    const isOpen = (seq: number): boolean => seq > this.floor.stream && seq <= delivered.stream;
    const inOrder = [...pending].filter(([seq]) => isOpen(seq)).sort(([one], [other]) => one - other);
    if (this.#policy !== "none") {
      for (const [seq, { consumerSeq, time }] of inOrder) {
        const again = Math.min(redelivered.get(seq) ?? 0, MAX_REDELIVERIES);
        this.pending.add(seq, Math.max(1, consumerSeq), time - epoch, again);
      }
    }
    for (const [seq, again] of redelivered) {
      if (isOpen(seq) && !pending.has(seq)) this.exhausted.set(seq, Math.min(again, MAX_REDELIVERIES));
    }
    this.#log?.replace();
  }

  /** Writes the whole of it. */
  write(writer: StateWriter, written: (time: number) => number): void {
    const { delivered, floor, pending, exhausted } = this;
    writer.put(CHANGE.state, delivered.consumer, delivered.stream, floor.consumer, floor.stream);
    writer.put(pending.size, exhausted.size);
    for (let place = pending.first(); place >= 0; place = pending.next(place)) {
      writer.put(
        pending.seq(place),
        pending.consumerSeq(place),
        written(pending.time(place)),
        pending.redeliveries(place),
      );
    }
    for (const [seq, redeliveries] of exhausted) writer.put(seq, redeliveries);
  }

  /** Does the changes of a record once more. @param time - a time as it was before it was written. */
  replay(record: Uint8Array, time: (written: number) => number): void {
    const reader = new StateReader(record);
    while (reader.more) this.#replayOne(reader, time);
  }

  #replayOne(reader: StateReader, time: (written: number) => number): void {
    const change = reader.number();
    if (change === CHANGE.state) {
      this.#read(reader, time);
      return;
    }
    const seq = reader.number();
    const place = this.pending.find(seq);
    if (change === CHANGE.delivered) {
      const at = time(reader.number());
      // Where damage has cost a record, what does not follow is left out.
      if (seq > this.delivered.stream) this.#deliver(seq, at);
    } else if (change === CHANGE.redelivered) {
      const redeliveries = reader.number();
      const at = time(reader.number());
      if (place < 0) return;
      this.#redeliver(place, at);
      this.pending.setRedeliveries(place, redeliveries);
    } else if (change === CHANGE.settled) {
      if (this.#settle(seq)) this.#replayed.push(seq);
    } else if (change === CHANGE.settledThrough) {
      this.#settleThrough(seq, reader.number(), (each) => this.#replayed.push(each));
    } else if (change === CHANGE.touched) {
      const at = time(reader.number());
      if (place >= 0) this.pending.setTime(place, at);
    } else if (change === CHANGE.exhausted) {
      const redeliveries = reader.number();
      if (place >= 0) this.#exhaust(place, redeliveries);
    } else if (change === CHANGE.reset) this.#reset(seq);
    else if (change === CHANGE.purged) this.#purged(seq);
  }

  #read(reader: StateReader, time: (written: number) => number): void {
    this.#replayed = [];
    this.pending.clear();
    this.exhausted.clear();
    this.delivered.consumer = reader.number();
    this.delivered.stream = reader.number();
    this.floor.consumer = reader.number();
    this.floor.stream = reader.number();
    const pending = reader.number();
    const exhausted = reader.number();
    for (let i = 0; i < pending; i++) {
      this.pending.add(reader.number(), reader.number(), time(reader.number()), reader.number());
    }
    for (let i = 0; i < exhausted; i++) this.exhausted.set(reader.number(), reader.number());
  }
}
