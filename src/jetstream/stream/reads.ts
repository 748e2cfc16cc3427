import type { Maybe, StreamStore } from "../../storage/store.ts";
import { type LastMessage, neededMessage } from "../publish/check.ts";
import { HEADERS, type HeaderValues } from "../publish/headers.ts";
import { isWithoutWildcards } from "../subjects.ts";
import type { StreamConfig } from "./config.ts";

/** What had to be read before messages can be decided about. */
export interface Reads {
  /** The last messages on subjects. */
  readonly last: ReadonlyMap<string, LastMessage>;
  /** The last sequences on subjects with wildcards. */
  readonly lastSeq: ReadonlyMap<string, number>;
}

/** What nearly all messages need. */
export const NO_READS: Reads = { last: new Map(), lastSeq: new Map() };

/** A message, as far as it says what must be read for it. */
export interface Asking {
  readonly subject: string;
  readonly values: HeaderValues;
}

/** Reads what must be known to decide about messages; at once if it is in memory. */
export function readFor(messages: readonly Asking[], config: StreamConfig, store: StreamStore): Maybe<Reads> {
  const subjects = new Set<string>();
  const filters = new Set<string>();
  for (const { subject, values } of messages) {
    if (values.size === 0) continue;
    const needed = neededMessage(values, subject, config);
    if (needed !== undefined) subjects.add(needed);
    const filter = values.get(HEADERS.expectedLastSubjectSeqSubject) ?? "";
    if (!isWithoutWildcards(filter)) filters.add(filter);
  }
  if (subjects.size === 0 && filters.size === 0) return NO_READS;
  const last = new Map<string, LastMessage>();
  const lastSeq = new Map<string, number>();
  const waits: Promise<void>[] = [];
  const take = <T>(found: Maybe<T>, use: (value: T) => void): void => {
    if (found instanceof Promise) waits.push(found.then(use));
    else use(found);
  };
  for (const subject of subjects) {
    const there = store.subject(subject);
    if (there === undefined) continue;
    take(store.get(there.lastSeq), (message) => {
      if (message !== undefined) last.set(subject, message);
    });
  }
  for (const filter of filters) {
    const matching = store.filter([filter]);
    take(store.previous(matching, store.state.lastSeq), (seq) => {
      lastSeq.set(filter, seq);
      matching.close();
    });
  }
  const reads = { last, lastSeq };
  return waits.length === 0 ? reads : Promise.all(waits).then(() => reads);
}
