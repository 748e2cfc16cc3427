import type { AccountContext } from "../account/context.ts";
import { apiError } from "../errors.ts";
import { withoutHeaders } from "../publish/headers.ts";
import type { StreamSource } from "../stream/source.ts";
import { Inflow } from "./inflow.ts";
import type { InflowEnd, OriginMessage, Stretch } from "./inflow-end.ts";
import { type CopyIdentity, mirrorConsumerName } from "./names.ts";
import type { ReceivingStream } from "./receiver.ts";
import type { Beginning } from "./request.ts";
import { SourceTransforms } from "./transforms.ts";

/** A mirror that is no further behind than this answers gets (nats-server `dgetCaughtUpThresh`). */
const CAUGHT_UP = 10;

/** A stream that is a copy of another one, sequence by sequence (behaviour.md D.11). */
export class Mirror implements InflowEnd {
  readonly kind = "mirror";
  readonly source: StreamSource;
  readonly account: AccountContext;
  readonly title: string;
  readonly inflow: Inflow;
  readonly #stream: ReceivingStream;
  readonly #transforms: SourceTransforms;
  #caughtUp = false;

  constructor(stream: ReceivingStream, source: StreamSource) {
    this.#stream = stream;
    this.source = source;
    this.account = stream.account;
    this.title = `Stream '${stream.account.name} > ${stream.config.name}', mirror of '${source.name}'`;
    this.#transforms = new SourceTransforms(source, stream.account.random);
    this.inflow = new Inflow(this);
  }

  /** Whether it was not far behind at some time: it may answer gets. */
  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  get #identity(): CopyIdentity {
    const { name, domain } = this.account;
    return { stream: this.#stream.config.name, account: name, domain };
  }

  consumerName(): string {
    return mirrorConsumerName(this.#identity);
  }

  metadata(): Readonly<Record<string, string>> {
    const { stream, account, domain } = this.#identity;
    return {
      "_nats.mirror.stream": stream,
      "_nats.mirror.acc": account,
      ...(domain === "" ? {} : { "_nats.mirror.domain": domain }),
    };
  }

  beginning(): Beginning {
    const { lastSeq } = this.#stream.store.state;
    const { optStartSeq, optStartTime } = this.source;
    if (lastSeq > 0) return { from: "seq", seq: lastSeq + 1 };
    if (optStartSeq > 0) return { from: "seq", seq: optStartSeq };
    return optStartTime === undefined ? { from: "all" } : { from: "time", time: optStartTime };
  }

  position(): number {
    return this.#stream.store.state.lastSeq;
  }

  connected(delivered: number): void {
    this.#skipTo(delivered);
  }

  /** Gives out numbers of messages that the origin does not have, or that are not wanted. */
  #skipTo(seq: number): void {
    const { store } = this.#stream;
    const { lastSeq } = store.state;
    if (lastSeq < seq) store.skip(seq - lastSeq);
  }

  take(message: OriginMessage, stretch: Stretch, pending: number): void {
    const { subject, headers, payload, seq, time } = message;
    this.#stream.takeFrom({
      subject: this.#transforms.apply(subject),
      headers: withoutHeaders(headers, isForOrigin),
      payload,
      reply: "",
      sourced: true,
      origin: {
        time,
        ready: () => this.#makeReady(seq, stretch),
        stored: () => stretch.done(),
        refused: (error) => stretch.failed(error),
      },
    });
    if (this.#caughtUp || pending >= CAUGHT_UP) return;
    this.#caughtUp = true;
    this.#stream.caughtUp();
  }

  /** Sees to it that a message gets its own number. */
  #makeReady(seq: number, stretch: Stretch): boolean {
    if (!stretch.live) {
      stretch.done();
      return false;
    }
    this.#skipTo(seq - 1);
    const { lastSeq } = this.#stream.store.state;
    if (lastSeq !== seq - 1) throw apiError(10071, { seq: lastSeq });
    return true;
  }

  settled(): Promise<void> | undefined {
    return this.#stream.settled();
  }

  tick(): void {}
}

/** Whether a header was for the origin only: what it was to expect, and batches. */
export function isForOrigin(name: string): boolean {
  return name.startsWith("Nats-Expected-") || name.startsWith("Nats-Batch-");
}
