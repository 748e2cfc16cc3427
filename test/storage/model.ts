import { matchesPattern } from "../../src/storage/subject-filter.ts";

/** A message as the model has it. */
export interface ModelMessage {
  readonly seq: number;
  readonly subject: string;
  readonly headers: string;
  readonly payload: string;
  readonly time: number;
  readonly ttl: number;
}

/** A stream store in a few lines, slow and plainly right: what both stores are compared with. */
export class Model {
  messages: ModelMessage[] = [];
  lastSeq = 0;
  lastTime = 0;

  append(subject: string, headers: string, payload: string, time: number, ttl: number): number {
    this.lastSeq += 1;
    this.lastTime = time;
    this.messages.push({ seq: this.lastSeq, subject, headers, payload, time, ttl });
    return this.lastSeq;
  }

  remove(seq: number): boolean {
    const before = this.messages.length;
    this.messages = this.messages.filter((each) => each.seq !== seq);
    return this.messages.length < before;
  }

  matching(patterns: readonly string[]): ModelMessage[] {
    return this.messages.filter(
      ({ subject }) => patterns.length === 0 || patterns.some((each) => matchesPattern(each, subject)),
    );
  }

  purge(patterns: readonly string[], before: number, keep: number): number {
    const matching = this.matching(patterns);
    const gone = matching.slice(0, Math.max(0, matching.length - keep)).filter(({ seq }) => seq < before);
    this.messages = this.messages.filter((each) => !gone.includes(each));
    return gone.length;
  }

  get firstSeq(): number {
    return this.messages[0]?.seq ?? this.lastSeq + 1;
  }

  lastOfEach(patterns: readonly string[], upTo: number): number[] {
    const last = new Map<string, number>();
    for (const { subject, seq } of this.matching(patterns)) if (seq <= upTo) last.set(subject, seq);
    return [...last.values()].sort((a, b) => a - b);
  }
}
