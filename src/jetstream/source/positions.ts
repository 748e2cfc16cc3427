import { encodeText } from "../../protocol/text.ts";
import { StorageError } from "../../storage/errors.ts";
import type { StreamStore } from "../../storage/store.ts";
import type { SubjectFilter } from "../../storage/subject-filter.ts";
import { record } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { mapOf, text, uint64 } from "../json/scalars.ts";
import { HEADERS, readHeaders } from "../publish/headers.ts";
import { readSourceHeader } from "./names.ts";

/** What the positions are kept under in the store. */
const KEPT = "sources";
/** They are written down after so many messages at the latest: as many are looked through after a crash. */
const SAVE_EVERY = 4_096;
/** So many messages are looked through before others have a turn. */
const LOOK_AT_ONCE = 256;

/** How far a source is. */
interface Position {
  readonly seq: number;
  /** When the stream was created that the sequence is of; "" when that is not known. */
  readonly created: string;
}

/** The last message of a source that was found in the stream. */
interface Sighting {
  readonly seq: number;
  /** Its number in the stream. */
  readonly at: number;
}

interface Saved {
  /** All messages up to here are accounted for. */
  readonly through: number;
  readonly sources: Readonly<Record<string, Position>>;
}

const saved = record<Saved>("SourcePositions", [
  ["through", "through", uint64],
  [
    "sources",
    "sources",
    mapOf(
      record<Position>("SourcePosition", [
        ["seq", "seq", uint64],
        ["created", "created", text],
      ]),
    ),
  ],
]);

/** An advance that is not on disk: what to go back to. */
interface Advance {
  readonly ours: number;
  readonly index: string;
  readonly before: Position | undefined;
}

/**
 * How far each source of a stream is: the sequence of the last message that was taken from it. The messages say so themselves, in a header; what
 * they cannot say (the last one was removed, or nothing was stored) is kept beside them. So nothing comes twice, and nothing is left out, whatever
 * becomes of the messages.
 */
export class SourcePositions {
  readonly #store: StreamStore;
  readonly #unwatch: () => void;
  readonly #positions = new Map<string, Position>();
  /** The last message of each source, where only that message says how far it is; and the other way round. */
  readonly #carriers = new Map<number, string>();
  readonly #carrierOf = new Map<string, number>();
  #undo: Advance[] = [];
  /** Advances since what is kept was written. */
  #since = 0;
  #through = 0;
  /** Whether something is not in the messages that should be kept. */
  #due = false;

  constructor(store: StreamStore) {
    this.#store = store;
    this.#unwatch = store.watch({
      removed: (seq) => {
        if (this.#due || this.#carriers.has(seq)) this.save();
      },
      cleared: () => {
        if (this.#due || this.#carriers.size > 0) this.save();
      },
    });
  }

  /** The sequence of the last message that was taken from a source; 0 for none. */
  seqOf(index: string): number {
    return this.#positions.get(index)?.seq ?? 0;
  }

  /** Another stream than before may have the name now: of that one everything is wanted. @param created - when it was. */
  follow(index: string, created: string): void {
    const position = this.#positions.get(index);
    if (position?.created === created) return;
    const same = position === undefined || position.created === "";
    this.#set(index, { seq: same ? (position?.seq ?? 0) : 0, created });
    this.save();
  }

  /**
   * A message of a source was dealt with.
   * @param ours - the number that it got in the stream; that of the last message if it got none.
   */
  advance(index: string, seq: number, ours: number): void {
    const before = this.#positions.get(index);
    if (ours > this.#store.syncedSeq) this.#undo.push({ ours, index, before });
    this.#set(index, { seq, created: before?.created ?? "" });
    const carrier = this.#carrierOf.get(index);
    if (carrier !== undefined) this.#carriers.delete(carrier);
    if (this.#store.has(ours)) {
      this.#carriers.set(ours, index);
      this.#carrierOf.set(index, ours);
    } else {
      this.#carrierOf.delete(index);
      this.#due = true;
    }
    if (++this.#since >= SAVE_EVERY) this.save();
  }

  #set(index: string, position: Position): void {
    this.#positions.set(index, position);
  }

  /** All up to a sequence is on disk. */
  synced(seq: number): void {
    if (this.#undo.length === 0) return;
    const left = this.#undo.findIndex(({ ours }) => ours > seq);
    this.#undo = left < 0 ? [] : this.#undo.slice(left);
  }

  /** All from a sequence on has come to nothing. */
  refused(seq: number): void {
    while (this.#undo.length > 0 && this.#undo[this.#undo.length - 1].ours >= seq) {
      const { index, before } = this.#undo.pop()!;
      if (before === undefined) this.#positions.delete(index);
      else this.#positions.set(index, before);
    }
    this.#carriers.clear();
    this.#carrierOf.clear();
    this.#due = true;
  }

  /** Writes down what should be by now. */
  tick(): void {
    if (this.#due || this.#store.state.lastSeq - this.#through >= SAVE_EVERY) this.save();
  }

  /** Writes down how far all are. */
  save(): void {
    const through = this.#store.state.lastSeq;
    const text = saved.write({ through, sources: Object.fromEntries(this.#positions) });
    try {
      this.#store.keep(KEPT, encodeText(text));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // A full disk: what is on it still agrees with itself.
      this.#due = true;
      return;
    }
    this.#through = through;
    this.#since = 0;
    this.#due = false;
    this.#carriers.clear();
    this.#carrierOf.clear();
  }

  /**
   * Finds out how far all were; before anything is removed, so that nothing that says so goes meanwhile.
   * @param indexes - the sources there are.
   * @param rest - lets others have a turn.
   */
  async recover(indexes: readonly string[], rest: () => Promise<void>): Promise<void> {
    const bytes = this.#store.kept(KEPT);
    const before = bytes === undefined ? undefined : readSaved(bytes);
    this.#through = before?.through ?? 0;
    const found = await this.#find(indexes, this.#through, rest);
    for (const [index, position] of Object.entries(before?.sources ?? {})) this.#set(index, position);
    for (const [index, { seq, at }] of found) {
      this.#set(index, { seq, created: this.#positions.get(index)?.created ?? "" });
      this.#carriers.set(at, index);
      this.#carrierOf.set(index, at);
    }
  }

  /** Looks for the last message of each source above a sequence. */
  async #find(
    indexes: readonly string[],
    above: number,
    rest: () => Promise<void>,
  ): Promise<Map<string, Sighting>> {
    const all = this.#store.filter([]);
    try {
      return await this.#findAmong(all, indexes, above, rest);
    } finally {
      all.close();
    }
  }

  async #findAmong(
    all: SubjectFilter,
    indexes: readonly string[],
    above: number,
    rest: () => Promise<void>,
  ): Promise<Map<string, Sighting>> {
    const store = this.#store;
    const found = new Map<string, Sighting>();
    let looked = 0;
    for (let at = store.state.lastSeq; at > above; at -= 1) {
      at = await store.previous(all, at);
      if (at <= above) break;
      const message = await store.get(at);
      const header = readHeaders(message?.headers).get(HEADERS.streamSource);
      const mark = header === undefined ? undefined : readSourceHeader(header);
      if (mark !== undefined) {
        const meant = indexes.filter((each) =>
          mark.index === undefined ? each.startsWith(`${mark.stream} `) : each === mark.index,
        );
        if (meant.length === 0 && mark.index !== undefined) meant.push(mark.index);
        for (const index of meant) if (!found.has(index)) found.set(index, { seq: mark.seq, at });
        if (above === 0 && indexes.every((index) => found.has(index))) break;
      }
      if (++looked % LOOK_AT_ONCE === 0) await rest();
    }
    return found;
  }

  /** Ends it. */
  close(): void {
    if (this.#since > 0 || this.#due || this.#store.state.lastSeq > this.#through) this.save();
    this.#unwatch();
  }
}

function readSaved(bytes: Uint8Array): Saved | undefined {
  try {
    return decodeJson(saved, bytes.slice());
  } catch (error) {
    if (error instanceof RequestJsonError) return undefined;
    throw error;
  }
}
