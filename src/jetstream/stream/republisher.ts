import type { InternalClient } from "../../broker/internal-client.ts";
import { EMPTY } from "../../protocol/text.ts";
import type { Random } from "../../seams/random.ts";
import { timestampOf } from "../json/timestamps.ts";
import { withHeader } from "../publish/headers.ts";
import { isPublishSubject } from "../subjects.ts";
import type { Republish } from "./config.ts";
import { SubjectRule } from "./subject-rule.ts";

/** A message that has been stored. */
export interface JustStored {
  readonly seq: number;
  readonly subject: string;
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  readonly time: number;
  /** The sequence before it on its subject; 0 for none. */
  readonly lastSeq: number;
}

/** Publishes what a stream has stored once more, on other subjects (behaviour.md D.12). */
export class Republisher {
  readonly #rule: SubjectRule;
  readonly #headersOnly: boolean;
  readonly #stream: string;
  readonly #client: InternalClient;

  constructor(
    stream: string,
    { src, dest, headersOnly }: Republish,
    client: InternalClient,
    random: Pick<Random, "fraction">,
  ) {
    this.#stream = stream;
    this.#client = client;
    this.#headersOnly = headersOnly;
    this.#rule = new SubjectRule(src, dest, random);
  }

  /** Where messages on a subject go; undefined for nowhere. */
  target(subject: string): string | undefined {
    const target = this.#rule.apply(subject);
    return target !== undefined && isPublishSubject(target) ? target : undefined;
  }

  /** Publishes a message that is on disk. */
  publish(target: string, { seq, subject, headers, payload, time, lastSeq }: JustStored): void {
    const added: [string, string][] = [
      ["Nats-Stream", this.#stream],
      ["Nats-Subject", subject],
      ["Nats-Sequence", String(seq)],
      ["Nats-Time-Stamp", timestampOf(time)],
      ["Nats-Last-Sequence", String(lastSeq)],
    ];
    if (this.#headersOnly) added.push(["Nats-Msg-Size", String(payload.length)]);
    let block = headers;
    for (const [name, value] of added) block = withHeader(block, name, value);
    this.#client.publish(target, block, this.#headersOnly ? EMPTY : payload);
  }
}
