import { encodeText } from "../../protocol/text.ts";
import type { Pacer } from "../../storage/pacer.ts";
import { streamState } from "../stream/state.ts";
import { ARCHIVE_MAGIC, type ArchiveEntry, CONSUMER_PREFIX, STATE_ENTRY } from "./archive-format.ts";
import { consumerJson, stateToJson } from "./archive-json.ts";
import { boundState, type SnapshotSource, storedMessages } from "./source.ts";
import { VarintWriter } from "./varints.ts";

/**
 * The snapshot that servers from 2.15 on restore. It is for streams in memory: older ones restore no such at all. What is given out is valid until the next.
 */
export async function* archiveSnapshot(source: SnapshotSource, pacer: Pacer): AsyncGenerator<Uint8Array> {
  const { consumers, state, now } = source;
  const heads = new VarintWriter();
  yield encodeText(ARCHIVE_MAGIC);
  const info = streamState.write({ ...source.stateInfo, consumerCount: consumers.length });
  yield* json(heads, STATE_ENTRY, info, now);
  for (const { name, config, state: consumer } of consumers) {
    const written = consumerJson.write({ config, state: stateToJson(boundState(consumer, state.lastSeq)) });
    yield* json(heads, CONSUMER_PREFIX + name, written, now);
    if (pacer.due) await pacer.rest();
  }
  for await (const { seq, time, subject, headers, payload } of storedMessages(source, pacer)) {
    yield head(heads, { name: subject, time, seq, headers: headers?.length ?? 0, payload: payload.length });
    if (headers !== undefined) yield headers;
    yield payload;
  }
  yield head(heads, { name: "", time: 0, seq: 0, headers: 0, payload: 0 });
}

function* json(heads: VarintWriter, name: string, text: string, time: number): Generator<Uint8Array> {
  const payload = encodeText(text);
  yield head(heads, { name, time, seq: 0, headers: 0, payload: payload.length });
  yield payload;
}

function head(to: VarintWriter, { name, time, seq, headers, payload }: ArchiveEntry): Uint8Array {
  const bytes = encodeText(name);
  to.clear();
  to.unsigned(bytes.length);
  to.time(time);
  to.unsigned(seq);
  to.unsigned(headers);
  to.unsigned(payload);
  to.append(bytes);
  return to.bytes;
}
