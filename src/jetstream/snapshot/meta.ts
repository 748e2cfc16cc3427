import { encodeText } from "../../protocol/text.ts";
import { type ConsumerConfig, consumerConfig } from "../consumer/config.ts";
import { type Field, record } from "../json/codec.ts";
import { text } from "../json/scalars.ts";
import { type Timestamp, timestamp } from "../json/timestamps.ts";
import { sha256 } from "../sha256.ts";
import { type StreamConfig, streamConfig } from "../stream/config.ts";
import { HighwayHash } from "./highway-hash.ts";

/** What `meta.inf` says of a stream. */
export interface FileStreamInfo extends StreamConfig {
  readonly created: Timestamp;
}

/** What `meta.inf` says of a consumer. */
export interface FileConsumerInfo extends ConsumerConfig {
  readonly created: Timestamp;
  readonly consumer: string;
}

/** The file's form for a stream: the configuration, and when it was made. */
export const fileStreamInfo = record<FileStreamInfo>("FileStreamInfo", [
  ["Created", "created", timestamp],
  ...(streamConfig.fields as readonly unknown[] as readonly Field<FileStreamInfo>[]),
]);

/** The same for a consumer, with its name. */
export const fileConsumerInfo = record<FileConsumerInfo>("FileConsumerInfo", [
  ["Created", "created", timestamp],
  ["Name", "consumer", text],
  ...(consumerConfig.fields as readonly unknown[] as readonly Field<FileConsumerInfo>[]),
]);

/** A hash as nats-server uses it for a file: the key is made from a name. */
export function hashFor(name: string): HighwayHash {
  return new HighwayHash(sha256(encodeText(name)));
}

/** What `meta.sum` holds: the checksum of `meta.inf` in hex. The name is the stream's, or `<stream>/<consumer>`. */
export function metaSum(name: string, meta: Uint8Array): Uint8Array {
  const hash = hashFor(name);
  hash.update(meta, 0, meta.length);
  const sum = new Uint8Array(8);
  hash.digest(sum, 0);
  return encodeText(Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join(""));
}
