import { encodeText } from "../../protocol/text.ts";
import type { Pacer } from "../../storage/pacer.ts";
import { ZERO_TIME } from "../json/timestamps.ts";
import { BlockBuilder } from "./block-builder.ts";
import { encodeConsumerState } from "./consumer-state.ts";
import { fileConsumerInfo, fileStreamInfo, metaSum } from "./meta.ts";
import { boundState, type SnapshotSource, storedMessages } from "./source.ts";
import { TAR_END, tarFill, tarHeader } from "./tar-writer.ts";

/** How large blocks become, in bytes: nats-server's own are of 1 to 8 MiB, and one is held in memory at a time. */
const BLOCK = 4 * 1024 * 1024;

/** A gap in the sequences beyond this ends a block: nats-server keeps a list of what is missing within one, and none between them. */
const MAX_GAP = 10_000;

/** The snapshot that every nats-server can restore: the files it would have made. What is given out is valid until the next. */
export async function* tarSnapshot(source: SnapshotSource, pacer: Pacer): AsyncGenerator<Uint8Array> {
  const { stream, now } = source;
  const meta = encodeText(fileStreamInfo.write(stream));
  yield* file("meta.inf", meta, now);
  yield* file("meta.sum", metaSum(stream.name, meta), now);
  yield* blocks(source, pacer);
  for (const { name, created, config, state } of source.consumers) {
    // A consumer in memory has no files: restored by them, it would deliver everything once more.
    if (config.memStorage) continue;
    const info = { ...config, created: created ?? ZERO_TIME, consumer: name };
    const consumerMeta = encodeText(fileConsumerInfo.write(info));
    yield* file(`obs/${name}/meta.inf`, consumerMeta, now);
    yield* file(`obs/${name}/meta.sum`, metaSum(`${stream.name}/${name}`, consumerMeta), now);
    const bounded = boundState(state, source.state.lastSeq);
    yield* file(`obs/${name}/o.dat`, encodeConsumerState(bounded, now), now);
    if (pacer.due) await pacer.rest();
  }
  yield TAR_END;
}

async function* blocks(source: SnapshotSource, pacer: Pacer): AsyncGenerator<Uint8Array> {
  const { state, stream, now } = source;
  const block = new BlockBuilder(stream.name);
  let last = 0;
  for await (const { seq, time, subject, headers, payload } of storedMessages(source, pacer)) {
    if (block.length >= BLOCK || (block.length > 0 && seq - last > MAX_GAP)) {
      yield* file(`msgs/${block.index}.blk`, block.bytes, now);
      block.next();
    }
    block.message(seq, time, subject, headers, payload);
    last = seq;
  }
  if (last < state.lastSeq) {
    if (block.length > 0 && state.lastSeq - last > MAX_GAP) {
      yield* file(`msgs/${block.index}.blk`, block.bytes, now);
      block.next();
    }
    block.erased(state.lastSeq, state.lastTime);
  }
  if (block.length > 0) yield* file(`msgs/${block.index}.blk`, block.bytes, now);
}

function* file(name: string, bytes: Uint8Array, time: number): Generator<Uint8Array> {
  yield tarHeader(name, bytes.length, time);
  yield bytes;
  yield tarFill(bytes.length);
}
