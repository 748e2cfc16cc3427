import { headers as newHeaders } from "@nats-io/nats-core";
import type { ClientMsg } from "../../src/client/msg.ts";
import type { KnownConsumer, KnownStream, Sent } from "./model.ts";
import { API, Requests, TIMEOUT_MS } from "./requests.ts";
import type { SimulatedClient } from "./world.ts";

const SUBJECTS = 4;
/** The errors that say that nothing was stored: no room, and not the last sequence that was expected. */
const REFUSALS = [10023, 10071];

/** What is done by chance, and what the model is told of how it went. */
export class Operations extends Requests {
  #ids = 0;
  #pulls = 0;
  /** Whether everything that comes is acknowledged now. */
  calm = false;

  /** Publishes a message: plain, with an id, or with an expectation. */
  async publish(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    if (client === undefined || stream.existence !== "there") return;
    const { pick } = this.world;
    const kind = pick(4);
    const sent = this.#newMessage(stream, kind === 0);
    const last = kind === 1 ? Math.max(0, ...stream.seen.keys()) : -1;
    await this.#send(client, stream, sent, last);
  }

  /** Sends a message with an id once more. */
  async resend(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    const { pick } = this.world;
    const now = this.world.clock.now();
    const again = [...this.model.sent.values()].filter(
      ({ msgId, subject, at }) => msgId && subject.startsWith(`${stream.prefix}.`) && now - at < 60_000,
    );
    if (client === undefined || stream.existence !== "there" || again.length === 0) return;
    const sent = again[pick(again.length)];
    // An id that nobody remembers may be another message, of which the model knows nothing.
    if (now - sent.at > stream.window - 1_000) return;
    await this.#send(client, stream, sent, -1);
  }

  #newMessage(stream: KnownStream, msgId: boolean, batch?: readonly string[]): Sent {
    const { clock, pick } = this.world;
    const id = batch?.[0] ?? `m${++this.#ids}`;
    const now = clock.now();
    const sent: Sent = {
      id,
      subject: `${stream.prefix}.${pick(SUBJECTS)}`,
      at: now,
      msgId,
      batch,
      lastAt: now,
      attempts: 0,
      refused: 0,
      ackedSeq: 0,
      ackedAt: 0,
    };
    this.model.sent.set(id, sent);
    return sent;
  }

  async #send(client: SimulatedClient, stream: KnownStream, sent: Sent, last: number): Promise<void> {
    const { made } = stream;
    const { pick } = this.world;
    sent.attempts += 1;
    sent.lastAt = this.world.clock.now();
    const fields: Record<string, string> = {};
    if (sent.msgId) fields["Nats-Msg-Id"] = sent.id;
    if (last >= 0) fields["Nats-Expected-Last-Sequence"] = String(last);
    const body = `${sent.id} ${"x".repeat(pick(5) === 0 ? pick(1_500) : pick(30))}`;
    const answer = await this.ask(client, sent.subject, body, fields);
    this.report(`publish ${sent.id} to ${stream.name}`, answer);
    if (answer === undefined || stream.made !== made) return;
    if (answer.error !== undefined) {
      if (REFUSALS.includes(answer.error.err_code)) sent.refused += 1;
      return;
    }
    const seq = Number(answer.seq);
    const duplicate = answer.duplicate === true;
    this.model.demand(
      last < 0 || seq === last + 1,
      () => `${sent.id} became ${seq}, not the one after ${last}`,
    );
    this.model.acknowledged(stream, sent, seq, duplicate);
  }

  /** Publishes three messages that are stored as a whole or not at all. */
  async batch(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    if (client === undefined || stream.existence !== "there") return;
    const { made } = stream;
    const ids = [1, 2, 3].map(() => `m${++this.#ids}`);
    const messages = ids.map((id) => ({ ...this.#newMessage(stream, false, [id]), batch: ids, attempts: 1 }));
    for (const each of messages) this.model.sent.set(each.id, each);
    const { connection } = client;
    for (const [i, { id, subject }] of messages.slice(0, 2).entries()) {
      const head = newHeaders();
      head.set("Nats-Batch-Id", ids[0]);
      head.set("Nats-Batch-Sequence", String(i + 1));
      connection.publish(subject, `${id} `, { headers: head });
    }
    const answer = await this.ask(client, messages[2].subject, `${ids[2]} `, {
      "Nats-Batch-Id": ids[0],
      "Nats-Batch-Sequence": "3",
      "Nats-Batch-Commit": "1",
    });
    this.report(`batch ${ids} to ${stream.name}`, answer);
    if (answer === undefined || answer.error !== undefined || stream.made !== made) return;
    for (const [i, each] of messages.entries()) {
      this.model.acknowledged(stream, each, Number(answer.seq) - 2 + i, false);
    }
  }

  /** Makes a stream. */
  async create(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    if (client === undefined || stream.existence !== "gone" || !this.quiet(stream)) return;
    const { pick } = this.world;
    stream.reset();
    const max = stream.retention === "limits" && stream.maxAge === 0 && pick(2) === 0 ? 10 + pick(20) : -1;
    this.#limit(stream, max);
    stream.existence = "busy";
    const answer = await this.manage(client, stream, `STREAM.CREATE.${stream.name}`, configOf(stream, max));
    // A failed one may be there after a restart: nobody was told that it is not.
    stream.existence = answer === undefined || answer.error !== undefined ? "maybe" : "there";
  }

  #limit(stream: KnownStream, max: number): void {
    stream.limits.add(max);
    if (max > 0) stream.lowest = Math.min(stream.lowest, max);
  }

  /** Gives a stream another limit. */
  async update(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    const { pick } = this.world;
    if (client === undefined || stream.existence !== "there" || stream.maxAge > 0) return;
    if (stream.retention !== "limits" || !this.quiet(stream)) return;
    const max = pick(3) === 0 ? -1 : 10 + pick(20);
    const { made } = stream;
    this.#limit(stream, max);
    const answer = await this.manage(client, stream, `STREAM.UPDATE.${stream.name}`, configOf(stream, max));
    if (answer !== undefined && answer.error === undefined && stream.made === made)
      stream.limits = new Set([max]);
  }

  /** Deletes a stream. */
  async drop(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    if (client === undefined || stream.existence !== "there" || !this.quiet(stream)) return;
    stream.existence = "busy";
    const answer = await this.manage(client, stream, `STREAM.DELETE.${stream.name}`, {});
    stream.existence = answer === undefined || answer.error !== undefined ? "maybe" : "gone";
  }

  /** Purges a stream, or a part of it. */
  async purge(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    if (client === undefined || stream.existence !== "there") return;
    const { pick, clock, epoch } = this.world;
    const kind = pick(3);
    const subject = kind === 1 ? `${stream.prefix}.${pick(SUBJECTS)}` : "";
    const before = kind === 2 ? 1 + pick(Math.max(1, ...stream.seen.keys())) : Number.POSITIVE_INFINITY;
    const request = { ...(kind === 1 ? { filter: subject } : {}), ...(kind === 2 ? { seq: before } : {}) };
    const purge = { subject, before, end: Number.POSITIVE_INFINITY };
    const { made, purges, acked, removed } = stream;
    const known = [...acked];
    purges.push(purge);
    const answer = await this.manage(client, stream, `STREAM.PURGE.${stream.name}`, request);
    if (answer === undefined || answer.error !== undefined || stream.made !== made) return;
    purge.end = Math.min(purge.end, clock.now());
    for (const [seq, id] of known) {
      const covered = subject === "" || this.model.sent.get(id)!.subject === subject;
      if (covered && seq < before) removed.set(seq, epoch);
    }
  }

  /** Deletes a message. */
  async remove(stream: KnownStream): Promise<void> {
    const client = this.anyone();
    const { pick, epoch } = this.world;
    const seqs = [...stream.seen.keys()];
    if (client === undefined || stream.existence !== "there" || seqs.length === 0) return;
    const seq = seqs[pick(seqs.length)];
    const { made, removed } = stream;
    stream.deletes.add(seq);
    const request = { seq, no_erase: pick(2) === 0 };
    const answer = await this.manage(client, stream, `STREAM.MSG.DELETE.${stream.name}`, request);
    if (answer !== undefined && answer.error === undefined && stream.made === made) removed.set(seq, epoch);
  }

  /** Makes a consumer. */
  async hire(stream: KnownStream, consumer: KnownConsumer): Promise<void> {
    const client = this.world.clients[consumer.client];
    if (!client.up || stream.existence !== "there" || consumer.existence !== "gone" || !this.quiet(stream))
      return;
    const { clock } = this.world;
    consumer.reset(0);
    consumer.existence = "busy";
    const { made } = stream;
    const answer = await this.manage(client, stream, `CONSUMER.CREATE.${stream.name}.${consumer.name}`, {
      stream_name: stream.name,
      config: {
        durable_name: consumer.name,
        ack_policy: "explicit",
        ack_wait: 300e6,
        ...(consumer.push ? { deliver_subject: `push.${consumer.name}` } : {}),
      },
    });
    if (stream.made !== made) return;
    consumer.existence = answer === undefined || answer.error !== undefined ? "maybe" : "there";
    if (consumer.existence === "there") consumer.since = clock.now();
  }

  /** Deletes a consumer. */
  async fire(stream: KnownStream, consumer: KnownConsumer): Promise<void> {
    const client = this.world.clients[consumer.client];
    if (!client.up || stream.existence !== "there" || consumer.existence !== "there" || !this.quiet(stream))
      return;
    consumer.existence = "busy";
    const { made } = stream;
    consumer.since = Number.POSITIVE_INFINITY;
    const answer = await this.manage(client, stream, `CONSUMER.DELETE.${stream.name}.${consumer.name}`, {});
    if (stream.made !== made) return;
    consumer.existence = answer === undefined || answer.error !== undefined ? "maybe" : "gone";
  }

  /** Listens to what push consumers send. */
  listen(stream: KnownStream): void {
    for (const consumer of stream.consumers) {
      if (!consumer.push) continue;
      this.world.clients[consumer.client].connection.subscribe(`push.${consumer.name}`, {
        callback: (_error, msg) => this.#take(stream, consumer, msg as ClientMsg),
      });
    }
  }

  /** Asks a pull consumer for messages. */
  fetch(stream: KnownStream, consumer: KnownConsumer): void {
    const client = this.world.clients[consumer.client];
    if (!client.up || consumer.push || stream.existence !== "there" || consumer.existence !== "there") return;
    const { pick, clock } = this.world;
    const inbox = `pull.${++this.#pulls}`;
    const { made } = stream;
    const subscription = client.connection.subscribe(inbox, {
      callback: (_error, msg) => {
        if (msg.reply && stream.made === made) this.#take(stream, consumer, msg as ClientMsg);
      },
    });
    const expires = 50 + pick(200);
    const request = {
      batch: 1 + pick(8),
      expires: expires * 1e6,
      ...(pick(3) === 0 ? { no_wait: true } : {}),
    };
    const subject = `${API}.CONSUMER.MSG.NEXT.${stream.name}.${consumer.name}`;
    client.connection.publish(subject, JSON.stringify(request), { reply: inbox });
    clock.after(expires + 100, () => {
      if (!subscription.isClosed()) subscription.unsubscribe();
    });
  }

  /** A consumer's message has come. */
  #take(stream: KnownStream, consumer: KnownConsumer, msg: ClientMsg): void {
    const client = this.world.clients[consumer.client];
    const { pick, epoch } = this.world;
    const [, , , , count, seq] = (msg.reply ?? "").split(".");
    const got = { seq: Number(seq), id: msg.string().split(" ")[0], count: Number(count) };
    // Of a stream of the same name that was deleted.
    if (!msg.subject.startsWith(`${stream.prefix}.`)) return;
    this.world.say(`${consumer.name} got ${stream.name} ${seq} (${got.id}), ${count}`);
    try {
      this.model.delivered(stream, consumer, got, epoch, client.link);
    } catch {
      // The model remembers it.
      return;
    }
    if (consumer.existence !== "there" || !client.up) return;
    const what = this.calm ? 0 : pick(10);
    if (what < 4) void this.#confirm(stream, consumer, client, got.seq, msg);
    else if (what < 7) {
      consumer.tried.add(got.seq);
      stream.tried.add(got.seq);
      msg.respond(what === 6 ? "+TERM" : "");
    } else if (what === 7) msg.respond(pick(2) === 0 ? "-NAK" : '-NAK {"delay": 50000000}');
    else if (what === 8) msg.respond("+WPI");
  }

  /** Acknowledges, and waits until that is confirmed. */
  async #confirm(
    stream: KnownStream,
    consumer: KnownConsumer,
    client: SimulatedClient,
    seq: number,
    msg: ClientMsg,
  ): Promise<void> {
    const { epoch } = this.world;
    const { link } = client;
    const { tried, confirmed } = consumer;
    tried.add(seq);
    stream.tried.add(seq);
    try {
      await client.connection.request(msg.reply!, "+ACK", { timeout: TIMEOUT_MS });
    } catch {
      return;
    }
    this.world.say(`${consumer.name} confirmed ${seq}`);
    if (!confirmed.has(seq)) confirmed.set(seq, { epoch, link });
  }
}

function configOf(stream: KnownStream, max: number): object {
  const { name, prefix, retention, maxAge } = stream;
  return {
    name,
    subjects: [`${prefix}.>`],
    retention,
    max_msgs: max,
    max_age: maxAge * 1e6,
    compression: (stream.made + max) % 2 === 0 ? "s2" : "none",
    allow_atomic: true,
    metadata: { made: String(stream.made) },
  };
}
