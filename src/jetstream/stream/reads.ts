import type { Maybe, StreamStore } from "../../storage/store.ts";
import { type LastMessage, neededMessage, type PublishContext } from "../publish/check.ts";
import { HEADERS, type HeaderValues } from "../publish/headers.ts";
import { isWithoutWildcards } from "../subjects.ts";
import type { StreamConfig } from "./config.ts";
import type { WriterParts } from "./writer.ts";

/** What has to be read before a message can be decided about. */
export interface Read {
  readonly last: LastMessage | undefined;
  /** On the subjects with wildcards that the message expects something of. */
  readonly lastSeq: number;
}

const NOTHING: Read = { last: undefined, lastSeq: 0 };

/** Reads what a message needs: nothing, for nearly all. Rejects with an error of the disk. */
export function readFor(
  store: StreamStore,
  subject: string,
  values: HeaderValues,
  config: StreamConfig,
): Maybe<Read> {
  if (values.size === 0) return NOTHING;
  const needed = neededMessage(values, subject, config);
  const filter = comparedWith(values, subject);
  const last = needed === undefined ? undefined : lastMessage(store, needed);
  const lastSeq = isWithoutWildcards(filter) ? 0 : lastSeqOn(store, filter);
  if (last instanceof Promise || lastSeq instanceof Promise) {
    return Promise.all([last, lastSeq]).then(([message, seq]) => ({ last: message, lastSeq: seq }));
  }
  return last === undefined && lastSeq === 0 ? NOTHING : { last, lastSeq };
}

/** The subject whose last sequence the message expects; its own may have wildcards as well. "" when it expects nothing. */
function comparedWith(values: HeaderValues, subject: string): string {
  if ((values.get(HEADERS.expectedLastSubjectSeq) ?? "") === "") return "";
  return values.get(HEADERS.expectedLastSubjectSeqSubject) || subject;
}

/** The last message on a subject, or on all that match one with wildcards; undefined for none. */
export function lastMessage(store: StreamStore, subject: string): Maybe<LastMessage | undefined> {
  const seq = isWithoutWildcards(subject) ? store.subject(subject)?.lastSeq : lastSeqOn(store, subject);
  if (seq instanceof Promise) return seq.then((found) => (found === 0 ? undefined : store.get(found)));
  return seq ? store.get(seq) : undefined;
}

function lastSeqOn(store: StreamStore, filter: string): Maybe<number> {
  const subjects = store.filter([filter]);
  const found = store.previous(subjects, store.state.lastSeq);
  if (found instanceof Promise) return found.finally(() => subjects.close());
  subjects.close();
  return found;
}

/** What a message is checked against. */
export function publishContext(
  { account, store, duplicates }: WriterParts,
  config: StreamConfig,
  { lastSeq }: Read,
  now: number,
): PublishContext {
  return {
    config,
    lastSeq: store.state.lastSeq,
    lastMsgId: duplicates.lastId,
    lastSeqOf: (filter) => (isWithoutWildcards(filter) ? (store.subject(filter)?.lastSeq ?? 0) : lastSeq),
    duplicateOf: (id) => duplicates.seqOf(id, now),
    maxPayload: account.maxPayload(),
    now,
    zones: account.zones,
  };
}
