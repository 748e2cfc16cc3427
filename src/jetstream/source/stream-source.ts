import type { AccountContext } from "../account/context.ts";
import { HEADERS, withHeader, withoutHeaders } from "../publish/headers.ts";
import type { StreamSource } from "../stream/source.ts";
import { Inflow } from "./inflow.ts";
import type { InflowEnd, OriginMessage, Stretch } from "./inflow-end.ts";
import { isForOrigin } from "./mirror.ts";
import { type CopyIdentity, indexName, sourceConsumerName, sourceHeader } from "./names.ts";
import type { SourcePositions } from "./positions.ts";
import type { ReceivingStream } from "./receiver.ts";
import type { Beginning } from "./request.ts";
import { SourceTransforms } from "./transforms.ts";

/** One of the streams that a stream takes messages from (behaviour.md D.11). */
export class Source implements InflowEnd {
  readonly kind = "source";
  readonly source: StreamSource;
  readonly account: AccountContext;
  readonly title: string;
  readonly inflow: Inflow;
  readonly #index: string;
  readonly #stream: ReceivingStream;
  readonly #positions: SourcePositions;
  readonly #transforms: SourceTransforms;

  constructor(stream: ReceivingStream, source: StreamSource, positions: SourcePositions) {
    this.#stream = stream;
    this.source = source;
    this.account = stream.account;
    this.title = `Stream '${stream.account.name} > ${stream.config.name}', source '${source.name}'`;
    this.#index = indexName(source);
    this.#positions = positions;
    this.#transforms = new SourceTransforms(source, stream.account.random);
    this.inflow = new Inflow(this);
  }

  get #identity(): CopyIdentity {
    const { name, domain } = this.account;
    return { stream: this.#stream.config.name, account: name, domain };
  }

  consumerName(): string {
    return sourceConsumerName(this.#identity, this.source, this.#stream.config.sources);
  }

  metadata(): Readonly<Record<string, string>> {
    const { stream, account, domain } = this.#identity;
    return {
      "_nats.src.stream": stream,
      "_nats.src.acc": account,
      ...(domain === "" ? {} : { "_nats.src.domain": domain }),
    };
  }

  beginning(): Beginning {
    const { name, external, optStartSeq, optStartTime } = this.source;
    const created = external === undefined ? this.account.createdOf(name) : undefined;
    if (created !== undefined) this.#positions.follow(this.#index, created);
    const position = this.position();
    if (position > 0) return { from: "seq", seq: position + 1 };
    if (optStartSeq > 0) return { from: "seq", seq: optStartSeq };
    return optStartTime === undefined ? { from: "all" } : { from: "time", time: optStartTime };
  }

  position(): number {
    return this.#positions.seqOf(this.#index);
  }

  connected(): void {}

  take({ subject, headers, payload, seq }: OriginMessage, stretch: Stretch): void {
    const own = withoutHeaders(headers, (name) => name === HEADERS.streamSource || isForOrigin(name));
    const stream = this.#stream;
    stream.takeFrom({
      subject: this.#transforms.apply(subject),
      headers: withHeader(own, HEADERS.streamSource, sourceHeader(this.#index, seq, subject)),
      payload,
      reply: "",
      sourced: true,
      origin: {
        time: undefined,
        ready: () => {
          if (!stretch.live) stretch.done();
          return stretch.live;
        },
        stored: (ours) => {
          this.#positions.advance(this.#index, seq, ours || stream.store.state.lastSeq);
          stretch.done();
        },
        refused: (error) => stretch.failed(error),
      },
    });
  }

  settled(): Promise<void> | undefined {
    return this.#stream.settled();
  }

  tick(): void {
    this.#positions.tick();
  }
}
