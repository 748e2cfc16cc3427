import type { Pacer } from "../../storage/pacer.ts";
import type { LostMessages, StoredMessage, StreamState, StreamStore } from "../../storage/store.ts";
import type { StreamStateInfo } from "../stream/state.ts";
import type { ConsumerState } from "./consumer-state.ts";
import { SnapshotError } from "./errors.ts";
import type { FileStreamInfo } from "./meta.ts";
import type { SnapshotConsumer } from "./sink.ts";

/** What a snapshot is made of. */
export interface SnapshotSource {
  readonly stream: FileStreamInfo;
  /** As they were when the snapshot began. */
  readonly consumers: readonly SnapshotConsumer[];
  readonly store: StreamStore;
  /** Whether the stream has ended. */
  closed(): boolean;
  /** As it was when the snapshot began: what came later is none of it. */
  readonly state: StreamState;
  /** The same, as the API shows it. */
  readonly stateInfo: StreamStateInfo;
  /** In ms since the epoch. */
  readonly now: number;
}

/**
 * The messages that a stream had when `state` was taken, and still has, in order.
 * @throws SnapshotError when one is found that cannot be read, or the stream ends.
 */
export async function* storedMessages(
  { store, state, closed }: Pick<SnapshotSource, "store" | "state" | "closed">,
  pacer: Pacer,
): AsyncGenerator<StoredMessage> {
  const all = store.filter([]);
  try {
    for (let seq = state.firstSeq; seq <= state.lastSeq; seq++) {
      const next = store.next(all, seq);
      seq = typeof next === "number" ? next : await next;
      if (seq === 0 || seq > state.lastSeq) return;
      const lost = lostBytes(store);
      const found = store.get(seq);
      const message = found instanceof Promise ? await found : found;
      if (message !== undefined) yield message;
      else if (lostBytes(store) !== lost)
        throw new SnapshotError(`couldn't load message ${seq}: it is damaged`);
      if (pacer.due) await pacer.rest();
      if (closed()) throw new SnapshotError("stream closed");
    }
  } finally {
    all.close();
  }
}

/** How many messages of a stream are lost to damage; those that nobody has tried to read yet are not known. */
export function countLost({ lost }: StreamState): number {
  return lost === undefined ? 0 : lost.ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

function lostBytes(store: StreamStore): LostMessages["bytes"] {
  return store.state.lost?.bytes ?? 0;
}

/** A consumer's state without what came after `lastSeq`: its messages are not in the snapshot. */
export function boundState(state: ConsumerState, lastSeq: number): ConsumerState {
  const bounded = ({ consumer, stream }: ConsumerState["delivered"]): ConsumerState["delivered"] => ({
    consumer,
    stream: Math.min(stream, lastSeq),
  });
  return {
    delivered: bounded(state.delivered),
    ackFloor: bounded(state.ackFloor),
    pending: new Map([...state.pending].filter(([seq]) => seq <= lastSeq)),
    redelivered: new Map([...state.redelivered].filter(([seq]) => seq <= lastSeq)),
  };
}
