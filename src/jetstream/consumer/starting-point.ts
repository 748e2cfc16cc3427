import type { StreamStore } from "../../storage/store.ts";
import { storedFromMs } from "../json/timestamps.ts";
import type { StreamConfig } from "../stream/config.ts";
import { type ConsumerConfig, filtersOf } from "./config.ts";

/** Where a new consumer begins. */
export interface StartingPoint {
  readonly seq: number;
  /** With "last_per_subject": the last message on each subject up to this sequence comes before all that is behind it; else 0. */
  readonly lastUpTo: number;
}

/** Finds out where a consumer begins (nats-server `selectStartingSeqNo`). */
export async function startingPoint(
  config: ConsumerConfig,
  stream: StreamConfig,
  store: StreamStore,
): Promise<StartingPoint> {
  const { deliverPolicy, optStartSeq } = config;
  if (deliverPolicy === "last_per_subject" && stream.maxMsgsPerSubject !== 1) {
    return startOfLast(config, store);
  }
  const { firstSeq, lastSeq } = store.state;
  if (optStartSeq > 0) return { seq: Math.max(optStartSeq, firstSeq), lastUpTo: 0 };
  const wanted = await wantedSeq(config, store);
  return { seq: Math.max(1, firstSeq, Math.min(wanted, lastSeq + 1)), lastUpTo: 0 };
}

async function wantedSeq(config: ConsumerConfig, store: StreamStore): Promise<number> {
  const { firstSeq, lastSeq } = store.state;
  switch (config.deliverPolicy) {
    case "last":
      return lastMatch(config, store);
    case "new":
      return lastSeq + 1;
    case "by_start_time":
      return seqAtTime(config, store);
    default:
      return firstSeq;
  }
}

async function lastMatch(config: ConsumerConfig, store: StreamStore): Promise<number> {
  const filter = store.filter(filtersOf(config));
  try {
    return await store.previous(filter, store.state.lastSeq);
  } finally {
    filter.close();
  }
}

/** The first message from a time on; if the consumer wants only some, not before the first that there is of those. */
async function seqAtTime(config: ConsumerConfig, store: StreamStore): Promise<number> {
  const seq = store.seqAt(storedFromMs(config.optStartTime!));
  const { firstSeq, lastSeq } = store.state;
  let nearest = lastSeq;
  for (const pattern of filtersOf(config)) {
    const filter = store.filter([pattern]);
    try {
      const first = await store.next(filter, firstSeq);
      if (first >= seq && first < nearest) nearest = first;
    } finally {
      filter.close();
    }
  }
  return filtersOf(config).length > 0 && nearest > seq && nearest < lastSeq ? nearest : seq;
}

async function startOfLast(config: ConsumerConfig, store: StreamStore): Promise<StartingPoint> {
  const { firstSeq, lastSeq } = store.state;
  const [first] = await lastOfEach(config, store, lastSeq);
  return { seq: Math.max(1, firstSeq, first ?? lastSeq), lastUpTo: lastSeq };
}

/** The last messages on each subject that a consumer wants, up to a sequence. */
export async function lastOfEach(
  config: ConsumerConfig,
  store: StreamStore,
  upTo: number,
): Promise<number[]> {
  const filter = store.filter(filtersOf(config));
  try {
    return (await store.lastOfEach(filter, upTo)) ?? [];
  } finally {
    filter.close();
  }
}
