/** What the oracle knows of one message that was published, by its id, which is the beginning of its payload. */
export interface Sent {
  readonly id: string;
  readonly subject: string;
  /** When it was sent first. */
  readonly at: number;
  /** Nats-Msg-Id, if it has one: it may be sent again. */
  readonly msgId: boolean;
  /** The ids of the batch that it is part of. */
  readonly batch: readonly string[] | undefined;
  lastAt: number;
  attempts: number;
  /** How many of them were refused for a reason that says that nothing was stored. */
  refused: number;
  ackedSeq: number;
  ackedAt: number;
}

/** A purge that was asked for. */
export interface Purge {
  /** "" for all. */
  readonly subject: string;
  /** Below this sequence. */
  readonly before: number;
  /** When it was over, or the life of the server in which it was asked for. */
  end: number;
}

/** "maybe": the answer to a request that makes or deletes it did not come; what became of it is seen after the next start. */
export type Existence = "gone" | "busy" | "there" | "maybe";

/** What the oracle knows of a consumer. */
export class KnownConsumer {
  existence: Existence = "gone";
  readonly name: string;
  readonly push: boolean;
  /** The client that has all to do with it. */
  readonly client: number;
  /** When it was known to be there, as the oracle has it; Infinity while it is not. */
  since = Number.POSITIVE_INFINITY;
  /** Sequences for which an acknowledgement (or a term) was sent. */
  tried = new Set<number>();
  /** Those of which that was confirmed, and when: in which life of the server, over which link. */
  confirmed = new Map<number, { epoch: number; link: number }>();
  /** The last message that was delivered for the first time, over a link in a life of the server. */
  last = { seq: 0, epoch: 0, link: 0 };
  /** The last sequence of the stream when it was made. */
  from = 0;

  constructor(name: string, push: boolean, client: number) {
    this.name = name;
    this.push = push;
    this.client = client;
  }

  /** One of the same name, that knows nothing. */
  reset(from: number): void {
    this.tried = new Set();
    this.confirmed = new Map();
    this.last = { seq: 0, epoch: 0, link: 0 };
    this.since = Number.POSITIVE_INFINITY;
    this.from = from;
  }
}

/** What the oracle knows of a stream. */
export class KnownStream {
  existence: Existence = "gone";
  readonly name: string;
  readonly retention: "limits" | "workqueue" | "interest";
  /** In ms; 0 for no limit. */
  readonly maxAge: number;
  readonly consumers: readonly KnownConsumer[];
  /** Counts how often it was made; part of its subjects. */
  made = 0;
  /** Limits of the number of messages that may be in force, and the lowest that ever was; -1 is for none. */
  limits = new Set<number>();
  lowest = Number.POSITIVE_INFINITY;
  /** Which message has which sequence, as far as that was seen. */
  seen = new Map<number, string>();
  /** The same by the message. */
  seqs = new Map<string, number>();
  acked = new Map<number, string>();
  purges: Purge[] = [];
  /** Sequences that were asked to be deleted. */
  deletes = new Set<number>();
  /** Sequences that some consumer, be it there or not, has sent an acknowledgement for. */
  tried = new Set<number>();
  /** What was confirmed to be deleted, and in which life of the server. */
  removed = new Map<number, number>();
  /** Requests that are under way. */
  requests = 0;
  /** The life of the server in which a request got no answer; it may yet be served in that one. */
  unknown = -1;

  constructor(
    name: string,
    retention: KnownStream["retention"],
    maxAge: number,
    consumers: readonly KnownConsumer[],
  ) {
    this.name = name;
    this.retention = retention;
    this.maxAge = maxAge;
    this.consumers = consumers;
  }

  get prefix(): string {
    return `${this.name.toLowerCase()}${this.made}`;
  }

  /** How long the ids of messages are remembered, in ms. */
  get window(): number {
    return this.maxAge === 0 ? 120_000 : Math.min(this.maxAge, 120_000);
  }

  /** One of the same name, that knows nothing. */
  reset(): void {
    this.made += 1;
    this.limits = new Set();
    this.lowest = Number.POSITIVE_INFINITY;
    this.seen = new Map();
    this.seqs = new Map();
    this.acked = new Map();
    this.purges = [];
    this.deletes = new Set();
    this.removed = new Map();
    this.tried = new Set();
    for (const consumer of this.consumers) {
      consumer.reset(0);
      consumer.existence = "gone";
    }
  }
}

/** How long a message is on its way at most, in ms. */
const SLACK_MS = 500;

/** A promise that was not kept. */
export class Broken extends Error {}

/** What the oracle knows, and what it makes of what it sees: the promises of docs/promises.md. */
export class Model {
  readonly streams: readonly KnownStream[];
  readonly sent = new Map<string, Sent>();
  readonly #now: () => number;
  /** Set when a promise was broken where nobody could be told. */
  broken: Broken | undefined;

  constructor(streams: readonly KnownStream[], now: () => number) {
    this.streams = streams;
    this.#now = now;
  }

  /** @throws Broken */
  demand(holds: boolean, what: () => string): void {
    if (holds) return;
    this.broken ??= new Broken(what());
    throw this.broken;
  }

  /** A message was seen with a sequence. */
  saw(stream: KnownStream, seq: number, id: string): void {
    const sent = this.sent.get(id);
    const where = `${stream.name} ${seq}`;
    this.demand(sent !== undefined, () => `${where} holds ${id}, which nobody sent`);
    const before = stream.seen.get(seq);
    this.demand(before === undefined || before === id, () => `${where} was ${before}, and is ${id} now`);
    this.demand(sent!.refused < sent!.attempts, () => `${where} holds ${id}, which was refused`);
    if (before !== undefined) return;
    // What was not acknowledged may be sent again when its id is forgotten.
    const inTime = sent!.lastAt + SLACK_MS - sent!.at < stream.window;
    const other = stream.seqs.get(id);
    this.demand(other === undefined || !inTime, () => `${id} is ${stream.name} ${other} and ${seq}`);
    stream.seqs.set(id, seq);
    stream.seen.set(seq, id);
  }

  /** A publish was acknowledged. */
  acknowledged(stream: KnownStream, sent: Sent, seq: number, duplicate: boolean): void {
    const { id } = sent;
    if (sent.ackedSeq > 0 && this.#now() - sent.at < stream.window) {
      this.demand(
        sent.ackedSeq === seq,
        () => `${id} was acknowledged as ${stream.name} ${sent.ackedSeq} and ${seq}`,
      );
    }
    this.demand(!duplicate || sent.attempts > 1, () => `${id} is a duplicate of what was not sent`);
    // Of a stream that nobody is interested in, a message may be gone at once.
    this.saw(stream, seq, id);
    stream.acked.set(seq, id);
    sent.ackedSeq = seq;
    sent.ackedAt = this.#now();
  }

  /** A consumer got a message. */
  delivered(
    stream: KnownStream,
    consumer: KnownConsumer,
    got: { seq: number; id: string; count: number },
    epoch: number,
    link: number,
  ): void {
    const { seq, id, count } = got;
    const what = `${stream.name} ${seq} (${id}) for ${consumer.name}`;
    this.saw(stream, seq, id);
    const confirmed = consumer.confirmed.get(seq);
    this.demand(
      confirmed === undefined || (confirmed.epoch === epoch && confirmed.link !== link),
      () => `${what} came again after its acknowledgement was confirmed`,
    );
    const removed = stream.removed.get(seq);
    this.demand(removed === undefined || removed === epoch, () => `${what} came after it was removed`);
    if (count !== 1) return;
    const { last } = consumer;
    const ordered = last.epoch !== epoch || last.link !== link || last.seq < seq;
    this.demand(ordered, () => `${what} came after ${last.seq}`);
    consumer.last = { seq, epoch, link };
  }

  /** Whether a message may be gone. @param lastSeq - the stream's. */
  excused(stream: KnownStream, seq: number, lastSeq: number): boolean {
    if (stream.deletes.has(seq) || lastSeq - seq >= stream.lowest) return true;
    const sent = this.sent.get(stream.acked.get(seq) ?? stream.seen.get(seq) ?? "");
    for (const { before, subject, end } of stream.purges) {
      if (seq >= before) continue;
      if (sent === undefined || (end >= sent.at && (subject === "" || subject === sent.subject))) return true;
    }
    const { maxAge, retention, consumers } = stream;
    if (maxAge > 0 && (sent === undefined || this.#now() - sent.at >= maxAge)) return true;
    if (retention === "limits") return false;
    if (retention === "workqueue") return stream.tried.has(seq);
    return !consumers.some(({ since, tried }) => sent !== undefined && since < sent.at && !tried.has(seq));
  }

  /** Compares what there is with what was promised. @param found - all messages of the stream. */
  compare(
    stream: KnownStream,
    state: { first_seq: number; last_seq: number; messages: number },
    found: ReadonlyMap<number, string>,
  ): void {
    for (const [seq, id] of found) {
      this.saw(stream, seq, id);
      this.demand(
        !stream.removed.has(seq),
        () => `${stream.name} ${seq} (${id}) is there after it was removed`,
      );
    }
    for (const [seq, id] of stream.acked) {
      this.demand(
        seq <= state.last_seq,
        () => `${stream.name} ends at ${state.last_seq}, before ${seq} (${id})`,
      );
      if (found.has(seq)) continue;
      this.demand(this.excused(stream, seq, state.last_seq), () => `${stream.name} ${seq} (${id}) is lost`);
    }
    // Those that nobody was told of: no holes, and batches as a whole.
    for (let seq = state.first_seq; seq < state.last_seq; seq++) {
      if (found.has(seq)) continue;
      const whole = this.excused(stream, seq, state.last_seq) || stream.retention === "interest";
      this.demand(whole, () => `${stream.name} has a hole at ${seq}`);
    }
    for (const [seq, id] of found) this.#wholeBatch(stream, seq, id, found, state.last_seq);
  }

  #wholeBatch(
    stream: KnownStream,
    seq: number,
    id: string,
    found: ReadonlyMap<number, string>,
    lastSeq: number,
  ): void {
    const batch = this.sent.get(id)?.batch;
    if (batch === undefined) return;
    const start = seq - batch.indexOf(id);
    for (const [i, each] of batch.entries()) {
      const there = found.get(start + i);
      if (there === each) continue;
      const gone = there === undefined && start + i <= lastSeq && this.excused(stream, start + i, lastSeq);
      this.demand(gone, () => `${id} of a batch is ${stream.name} ${seq}, without ${each}`);
    }
  }

  /** A life of the server has ended: what it has not answered it will not serve any more. */
  lifeEnded(): void {
    for (const { purges } of this.streams) {
      for (const purge of purges) purge.end = Math.min(purge.end, this.#now());
    }
  }
}
