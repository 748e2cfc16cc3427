import { isLiteralSubject, isProtocolToken } from "../../protocol/subject.ts";
import type { Random } from "../../seams/random.ts";
import { type StreamStore, TTL_NEVER } from "../../storage/store.ts";
import type { Timestamp } from "../json/timestamps.ts";
import { HEADERS, readHeaders } from "../publish/headers.ts";
import { TTL_NEVER as NEVER, parseMessageTtl } from "../publish/ttl.ts";
import type { StreamConfig } from "../stream/config.ts";
import { DuplicateWindow } from "../stream/duplicates.ts";
import { SnapshotError } from "./errors.ts";
import type { SnapshotBounds, SnapshotConsumer, SnapshotSink } from "./sink.ts";

/** The largest step of sequences that a snapshot may take; beyond, it is damaged. */
const MAX_SEQ = 2 ** 52;

/** Stores what a snapshot holds in an empty store, with the sequences and times that it had. */
export class RestoredMessages implements SnapshotSink {
  readonly consumers: SnapshotConsumer[] = [];
  /** When the stream was made, if the snapshot says so. */
  createdAt: Timestamp | undefined;
  /** Sequences below are none of the stream's. */
  firstSeq = 0;
  readonly #store: StreamStore;
  readonly #config: StreamConfig;
  readonly #ids: DuplicateWindow;
  /** Ids of messages before this time are of no use. */
  readonly #idsSince: number;

  /** @param now - ms since the epoch. */
  constructor(store: StreamStore, config: StreamConfig, now: number, random: Random) {
    this.#store = store;
    this.#config = config;
    this.#ids = new DuplicateWindow(store, config.duplicateWindow, random);
    this.#idsSince = config.duplicateWindow > 0 ? now - config.duplicateWindow : Number.POSITIVE_INFINITY;
  }

  created(time: Timestamp): void {
    this.createdAt = time;
  }

  message(
    seq: number,
    time: number,
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
  ): void {
    // It is going to stand in the lines of the protocol.
    if (!isProtocolToken(subject) || !isLiteralSubject(subject) || !(seq <= MAX_SEQ)) {
      throw new SnapshotError(`failed to store message sequence ${seq}: invalid subject or sequence`);
    }
    this.#skipTo(seq - 1);
    let ttl = 0;
    let id = "";
    if (headers !== undefined && (this.#config.allowMsgTtl || time >= this.#idsSince)) {
      const known = readHeaders(headers);
      if (this.#config.allowMsgTtl) ttl = secondsOf(known.get(HEADERS.ttl));
      if (time >= this.#idsSince) id = known.get(HEADERS.msgId) ?? "";
    }
    this.#store.append(subject, headers, payload, Math.max(0, time), ttl);
    if (id !== "") this.#ids.add(id, seq, time);
  }

  removed(seq: number): void {
    this.#store.remove(seq);
  }

  consumer(consumer: SnapshotConsumer): void {
    this.consumers.push(consumer);
  }

  done({ firstSeq, lastSeq }: SnapshotBounds): void {
    if (!(lastSeq <= MAX_SEQ)) throw new SnapshotError(`invalid sequence ${lastSeq}`);
    this.#skipTo(lastSeq);
    this.firstSeq = firstSeq;
  }

  #skipTo(seq: number): void {
    const gap = seq - this.#store.state.lastSeq;
    if (gap > 0) this.#store.skip(gap);
  }
}

function secondsOf(header: string | undefined): number {
  if (header === undefined) return 0;
  const ttl = parseMessageTtl(header);
  if (ttl === NEVER) return TTL_NEVER;
  return Math.min(ttl ?? 0, TTL_NEVER - 1);
}
