import type { InternalClient } from "../../broker/internal-client.ts";
import type { Tasks } from "../../seams/tasks.ts";
import type { StorageError } from "../../storage/errors.ts";
import type { StreamStore } from "../../storage/store.ts";
import { type ApiError, apiError } from "../errors.ts";
import { type AckDetails, PubAckWriter } from "../publish/ack.ts";
import { PendingAcks } from "./pending-acks.ts";

/** How many messages are answered in one turn of the event loop: after a slow sync there may be any number. */
const AT_ONCE = 4_096;

/** Something that is done once a sequence is on disk. */
interface Waiting {
  readonly seq: number;
  /** @param error - why it never will be. */
  readonly run: (error: ApiError | undefined) => void;
}

/** Answers publishers, when what they have published is on disk, and tells others that wait for that. */
export class Answers {
  readonly #client: InternalClient;
  readonly #store: StreamStore;
  readonly #tasks: Tasks;
  readonly #writer: PubAckWriter;
  readonly #pending = new PendingAcks();
  /** In order of their sequences, but for those of duplicates. */
  #waiting: Waiting[] = [];
  /** All up to here is on disk. */
  #through = 0;
  /** Whether answers go on in another turn. */
  #going = false;

  /** @param domain - the server's; "" for none. */
  constructor(stream: string, domain: string, client: InternalClient, store: StreamStore, tasks: Tasks) {
    this.#client = client;
    this.#store = store;
    this.#tasks = tasks;
    this.#writer = new PubAckWriter(stream, domain);
  }

  /** The bytes of messages that are not on disk. */
  get waitingBytes(): number {
    return this.#pending.bytes;
  }

  /** A message is stored. @param reply - "" when nobody listens for the answer. */
  stored(seq: number, reply: string, size: number): void {
    if (this.#store.syncedSeq < seq) this.#pending.push(seq, reply, size);
    else if (reply !== "") this.#client.publish(reply, undefined, this.#writer.plain(seq));
  }

  /** A message is stored, of which there is more to say. @param before - what must be done before that. */
  storedWith(
    seq: number,
    reply: string,
    size: number,
    details: AckDetails,
    before?: () => Promise<void>,
  ): void {
    if (this.#store.syncedSeq < seq) this.#pending.push(seq, "", size);
    const say = (): void => {
      if (reply !== "") this.#client.publish(reply, undefined, this.#writer.stored(seq, details));
    };
    this.#when(seq, (error) => {
      if (error !== undefined) this.refuse(reply, error);
      else if (before === undefined) say();
      else before().then(say, () => this.refuse(reply, apiError(10023)));
    });
  }

  /** A message is one that was stored before. */
  duplicate(reply: string, seq: number): void {
    this.committed(seq, reply, { duplicate: true });
  }

  /** A batch has ended, or is one that was stored before. */
  committed(seq: number, reply: string, details: AckDetails): void {
    if (reply === "") return;
    this.#when(seq, (error) => {
      if (error !== undefined) this.refuse(reply, error);
      else this.#client.publish(reply, undefined, this.#writer.stored(seq, details));
    });
  }

  /** A message is refused. */
  refuse(reply: string, error: ApiError): void {
    if (reply !== "") this.#client.publish(reply, undefined, this.#writer.refused(error));
  }

  /** The store takes nothing. */
  refuseAs(reply: string, error: StorageError): void {
    this.refuse(reply, storeError(error));
  }

  /** Calls `action` once a sequence is on disk, and what runs now has finished; never, if it comes to nothing. */
  after(seq: number, action: () => void): void {
    this.#when(seq, (error) => {
      if (error === undefined) this.#tasks.soon(action);
    });
  }

  /** Resolves once a sequence is on disk; rejects with an ApiError if it comes to nothing. Undefined when it is on disk. */
  synced(seq: number): Promise<void> | undefined {
    if (this.#store.syncedSeq >= seq) return undefined;
    return new Promise((resolve, reject) => {
      this.#when(seq, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  #when(seq: number, run: (error: ApiError | undefined) => void): void {
    if (this.#store.syncedSeq >= seq) run(undefined);
    else this.#waiting.push({ seq, run });
  }

  /** All up to a sequence is on disk. */
  settle(through: number): void {
    this.#through = through;
    if (!this.#going) this.#settle();
  }

  #settle(): void {
    this.#going = !this.#pending.take(this.#through, this.#acknowledge, AT_ONCE);
    if (this.#going) this.#tasks.later(this.#goOn);
    else this.#runReady();
  }

  readonly #goOn = (): void => {
    if (this.#going) this.#settle();
  };

  /** Answers at once all that is on disk. */
  finish(): void {
    this.#going = false;
    this.#pending.take(this.#through, this.#acknowledge);
    this.#runReady();
  }

  #runReady(): void {
    if (this.#waiting.length === 0) return;
    const ready: Waiting[] = [];
    const left: Waiting[] = [];
    for (const each of this.#waiting) (each.seq <= this.#through ? ready : left).push(each);
    if (ready.length === 0) return;
    this.#waiting = left;
    for (const { run } of ready) run(undefined);
  }

  readonly #acknowledge = (seq: number, reply: string): void => {
    if (reply !== "") this.#client.publish(reply, undefined, this.#writer.plain(seq));
  };

  /** All from a sequence on has come to nothing. */
  fail(from: number, error: StorageError): void {
    this.#through = from - 1;
    this.finish();
    const reason = storeError(error);
    this.#pending.take(Number.MAX_SAFE_INTEGER, (_seq, reply) => this.refuse(reply, reason));
    const failed = this.#waiting;
    this.#waiting = [];
    for (const { run } of failed) run(reason);
  }
}

/** What publishers are told of a store that refuses: "full" goes away by itself. */
export function storeError({ code }: StorageError): ApiError {
  return code === "full" ? apiError(10023) : apiError(10077, { err: "the store of the stream has stopped" });
}
