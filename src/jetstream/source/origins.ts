import type { Timer } from "../../seams/clock.ts";
import type { StreamSource } from "../stream/source.ts";
import type { Inflow } from "./inflow.ts";
import type { InflowEnd } from "./inflow-end.ts";
import type { OriginInfo } from "./info.ts";
import { Mirror } from "./mirror.ts";
import { indexName } from "./names.ts";
import { SourcePositions } from "./positions.ts";
import type { ReceivingStream } from "./receiver.ts";
import { Source } from "./stream-source.ts";

/** When messages cannot be read that say where sources are, it is tried again after so long, in ms. */
const RETRY_MS = 1_000;

/** Where a stream's messages come from, besides those that publish to it: the stream that it mirrors, or its sources. */
export class Origins {
  readonly #stream: ReceivingStream;
  #mirror: Mirror | undefined;
  /** By what they are called in headers. */
  readonly #sources = new Map<string, Source>();
  #positions: SourcePositions | undefined;
  #recovering = false;
  #retry: Timer | undefined;

  constructor(stream: ReceivingStream) {
    this.#stream = stream;
  }

  /** Finds out where the sources are; before anything is removed from the stream. */
  async recover(): Promise<void> {
    const { sources } = this.#stream.config;
    if (sources.length > 0) await this.#recoverPositions(sources);
  }

  async #recoverPositions(sources: readonly StreamSource[]): Promise<SourcePositions> {
    const { account, store } = this.#stream;
    const positions = new SourcePositions(store);
    await positions.recover(
      sources.map(indexName),
      () => new Promise((resolve) => account.tasks.later(resolve)),
    );
    this.#positions = positions;
    return positions;
  }

  /** Begins and ends mirrors and sources as the configuration says; sources soon, if it has to be read where they are. */
  configure(): void {
    const { mirror, sources } = this.#stream.config;
    if (mirror === undefined) {
      this.#mirror?.inflow.close(true);
      this.#mirror = undefined;
    } else if (this.#mirror === undefined) {
      this.#mirror = new Mirror(this.#stream, mirror);
      this.#mirror.inflow.open();
    }
    const wanted = new Map(sources.map((source) => [indexName(source), source]));
    for (const [index, source] of this.#sources) {
      if (wanted.has(index)) continue;
      source.inflow.close(true);
      this.#sources.delete(index);
    }
    if (sources.length > 0) this.#addSources();
    else this.#positions?.save();
  }

  #addSources(): void {
    if (this.#positions !== undefined) {
      this.#openSources(this.#positions);
      return;
    }
    if (this.#recovering) return;
    this.#recovering = true;
    this.#recoverPositions(this.#stream.config.sources)
      .then((positions) => this.#openSources(positions))
      .catch((error) => this.#unread(error))
      .finally(() => {
        this.#recovering = false;
      });
  }

  #unread(error: unknown): void {
    const { account, closed } = this.#stream;
    if (closed) return;
    this.#stream.failed("sources", error);
    this.#retry?.cancel();
    this.#retry = account.clock.after(RETRY_MS, () => this.configure());
  }

  #openSources(positions: SourcePositions): void {
    // It may have changed meanwhile.
    const { closed, config } = this.#stream;
    if (closed) return;
    for (const source of config.sources) {
      const index = indexName(source);
      if (this.#sources.has(index)) continue;
      const added = new Source(this.#stream, source, positions);
      this.#sources.set(index, added);
      added.inflow.open();
    }
  }

  /** The stream whose gets this one answers, too; undefined for none. */
  get answersFor(): string | undefined {
    const { mirror, mirrorDirect } = this.#stream.config;
    return mirrorDirect && this.#mirror?.caughtUp === true ? mirror?.name : undefined;
  }

  /** A stream of the account has been created. */
  appeared(stream: string): void {
    for (const { source, inflow } of this.#all()) {
      if (source.external === undefined && source.name === stream) inflow.poke();
    }
  }

  /** All up to a sequence is on disk. */
  synced(seq: number): void {
    this.#positions?.synced(seq);
  }

  /** All from a sequence on has come to nothing. */
  refused(seq: number): void {
    this.#positions?.refused(seq);
    for (const { inflow } of this.#all()) inflow.restart();
  }

  *#all(): Iterable<InflowEnd & { readonly inflow: Inflow }> {
    if (this.#mirror !== undefined) yield this.#mirror;
    yield* this.#sources.values();
  }

  /** How they are doing. */
  infos(): { readonly mirror: OriginInfo | undefined; readonly sources: readonly OriginInfo[] } {
    const { mirror, sources } = this.#stream.config;
    return {
      // The filter of a mirror is told once it is used, as by nats-server.
      mirror: mirror && {
        ...infoOf(mirror, this.#mirror?.inflow),
        showsFilter: this.#mirror?.inflow.used === true,
      },
      sources: sources.map((source) => infoOf(source, this.#sources.get(indexName(source))?.inflow)),
    };
  }

  /** Ends all. @param forever - whether the stream is being deleted. */
  close(forever: boolean): void {
    this.#retry?.cancel();
    for (const { inflow } of this.#all()) inflow.close(forever);
    if (!forever) this.#positions?.close();
  }
}

function infoOf(source: StreamSource, inflow: Inflow | undefined): OriginInfo {
  return { source, showsFilter: true, lag: inflow?.lag ?? 0, silence: inflow?.silence, error: inflow?.error };
}
