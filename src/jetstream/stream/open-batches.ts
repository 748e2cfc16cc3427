import type { IngestRules, Writer, WriterParts } from "./writer.ts";

/** The batches of one kind that a stream has open. */
export abstract class OpenBatches<Batch> {
  protected readonly parts: WriterParts;
  protected readonly writer: Writer;
  protected rules: IngestRules;
  /** By their ids. */
  protected readonly open = new Map<string, Batch>();

  constructor(parts: WriterParts, writer: Writer, rules: IngestRules) {
    this.parts = parts;
    this.writer = writer;
    this.rules = rules;
  }

  /** Other rules, from the next message on. */
  configure(rules: IngestRules): void {
    this.rules = rules;
    if (!this.isAllowed(rules)) this.stop();
  }

  /** Gives all up, and tells nobody. */
  stop(): void {
    for (const batch of [...this.open.values()]) this.close(batch);
  }

  protected abstract isAllowed(rules: IngestRules): boolean;
  protected abstract close(batch: Batch): void;
}
