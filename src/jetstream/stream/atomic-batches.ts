import { EMPTY } from "../../protocol/text.ts";
import type { Timer } from "../../seams/clock.ts";
import type { AccountContext } from "../account/context.ts";
import { batchAbandoned } from "../api/events.ts";
import { type AbandonReason, type BatchHeaders, decideBatch } from "../publish/batch.ts";
import { HEADERS, type HeaderValues, withoutHeaders } from "../publish/headers.ts";
import type { Answers } from "./answers.ts";
import type { StreamConfig } from "./config.ts";
import { copied, type Incoming } from "./incoming.ts";

/** A batch all of whose messages have come. */
export interface CompleteBatch {
  readonly id: string;
  readonly messages: readonly Incoming[];
  /** Who hears of it. */
  readonly reply: string;
  /** Whether an empty message behind the last one has ended it. */
  readonly endedBehind: boolean;
}

interface OpenBatch {
  readonly messages: Incoming[];
  bytes: number;
  timer: Timer;
}

/** The batches of a stream whose messages come one by one, to be stored all or none (behaviour.md D.5). */
export class AtomicBatches {
  readonly #account: AccountContext;
  readonly #answers: Answers;
  readonly #open = new Map<string, OpenBatch>();
  #bytes = 0;

  constructor(account: AccountContext, answers: Answers) {
    this.#account = account;
    this.#answers = answers;
  }

  /** The bytes of messages that wait for the rest of their batches. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a message of a batch. Returns the batch, if it is complete. */
  take(
    message: Incoming,
    values: HeaderValues,
    headers: BatchHeaders,
    config: StreamConfig,
  ): CompleteBatch | undefined {
    const { id } = headers;
    const open = this.#open.get(id);
    const { batches } = this.#account;
    const decision = decideBatch(
      headers,
      values,
      config,
      {
        lastSeq: open === undefined ? undefined : BigInt(open.messages.length),
        ofStream: this.#open.size,
        ofServer: batches.open,
      },
      batches.limits,
    );
    if (decision.kind === "refuse") {
      if (decision.closes) this.#close(id);
      if (decision.reason !== undefined) this.#tell(config.name, id, decision.reason);
      this.#answers.refuse(message.reply, decision.error);
      return undefined;
    }
    const endedBehind = headers.commit === "eob";
    const staged = endedBehind ? undefined : withoutLevel(message, values);
    if (decision.kind === "commit") {
      const messages = [...(open?.messages ?? []), ...(staged === undefined ? [] : [staged])];
      this.#close(id);
      return { id, messages, reply: message.reply, endedBehind };
    }
    if (staged !== undefined) this.#stage(id, staged, config.name);
    if (message.reply !== "") this.#account.client.publish(message.reply, undefined, EMPTY);
    return undefined;
  }

  #stage(id: string, message: Incoming, stream: string): void {
    const { clock, batches } = this.#account;
    let batch = this.#open.get(id);
    batch?.timer.cancel();
    const timer = clock.after(batches.timeout, () => {
      this.#close(id);
      this.#tell(stream, id, "timeout");
    });
    if (batch === undefined) {
      batch = { messages: [], bytes: 0, timer };
      this.#open.set(id, batch);
      batches.open += 1;
    }
    batch.timer = timer;
    const copy = copied(message);
    const size = (copy.headers?.length ?? 0) + copy.payload.length;
    batch.messages.push(copy);
    batch.bytes += size;
    this.#bytes += size;
  }

  #close(id: string): void {
    const batch = this.#open.get(id);
    if (batch === undefined) return;
    batch.timer.cancel();
    this.#open.delete(id);
    this.#bytes -= batch.bytes;
    this.#account.batches.open -= 1;
  }

  #tell(stream: string, id: string, reason: AbandonReason): void {
    this.#account.tell(`$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.${stream}`, (stamp) =>
      batchAbandoned(stamp, "", stream, id, reason),
    );
  }

  /** Gives up all that are open. */
  stop(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }
}

function withoutLevel(message: Incoming, values: HeaderValues): Incoming {
  if (!values.has(HEADERS.requiredApiLevel)) return message;
  const headers = withoutHeaders(message.headers, (name) => name === HEADERS.requiredApiLevel);
  return { ...message, headers };
}
