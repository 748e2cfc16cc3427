import { SnapshotError } from "./errors.ts";
import { VarintReader, VarintWriter } from "./varints.ts";

/** A place in a consumer's deliveries: the number it gave out, and the message's in the stream. */
export interface SequencePair {
  readonly consumer: number;
  readonly stream: number;
}

/** A message that was delivered and is not acknowledged. */
export interface PendingDelivery {
  /** The number that the consumer gave to its first delivery. */
  readonly consumerSeq: number;
  /** When it was delivered last, in ms since the epoch. */
  readonly time: number;
}

/** How far a consumer has come. */
export interface ConsumerState {
  readonly delivered: SequencePair;
  readonly ackFloor: SequencePair;
  /** By their sequences in the stream. */
  readonly pending: ReadonlyMap<number, PendingDelivery>;
  /** How often messages were delivered again, by their sequences in the stream. */
  readonly redelivered: ReadonlyMap<number, number>;
}

/**
 * The form of nats-server's `o.dat`: a magic byte, a version, and numbers of variable length. Sequences are what they are above the ack
 * floor; times are seconds before a moment.
 */
const MAGIC = 22;
const VERSION = 2;
/** As this was written by servers before 2.2, and without the numbers of deliveries. */
const OLD_VERSION = 1;

/** @param now - ms since the epoch. */
export function encodeConsumerState(state: ConsumerState, now: number): Uint8Array {
  const { delivered, ackFloor, pending, redelivered } = state;
  const to = new VarintWriter();
  to.byte(MAGIC);
  to.byte(VERSION);
  for (const number of [ackFloor.consumer, ackFloor.stream, delivered.consumer, delivered.stream]) {
    to.unsigned(number);
  }
  const above = [...pending].filter(([seq]) => seq > ackFloor.stream);
  to.unsigned(above.length);
  if (above.length > 0) {
    const base = Math.round(now / 1_000);
    to.signed(base);
    for (const [seq, { consumerSeq, time }] of above) {
      to.unsigned(seq - ackFloor.stream);
      to.unsigned(Math.max(0, consumerSeq - ackFloor.consumer));
      to.signed(base - Math.floor(time / 1_000));
    }
  }
  const again = [...redelivered].filter(([seq]) => seq > ackFloor.stream);
  to.unsigned(again.length);
  for (const [seq, count] of again) {
    to.unsigned(seq - ackFloor.stream);
    to.unsigned(count);
  }
  return to.bytes.slice();
}

/** @throws SnapshotError */
export function decodeConsumerState(bytes: Uint8Array): ConsumerState {
  if (bytes.length < 2 || bytes[0] !== MAGIC) throw corrupt();
  const version = bytes[1];
  if (version !== VERSION && version !== OLD_VERSION) {
    throw new SnapshotError(`unsupported version: ${version}`);
  }
  const from = new VarintReader(bytes, 2);
  const ackFloor = { consumer: from.unsigned(), stream: from.unsigned() };
  const delivered = { consumer: from.unsigned(), stream: from.unsigned() };
  if (version === OLD_VERSION) {
    delivered.consumer += Math.max(0, ackFloor.consumer - 1);
    delivered.stream += Math.max(0, ackFloor.stream - 1);
  }
  const pending = readPending(from, version, ackFloor);
  const redelivered = new Map<number, number>();
  for (let left = from.unsigned(); left > 0 && !from.failed; left--) {
    const seq = from.unsigned();
    const count = from.unsigned();
    if (seq > 0 && count > 0) redelivered.set(seq + ackFloor.stream, count);
  }
  const numbers = [ackFloor.consumer, ackFloor.stream, delivered.consumer, delivered.stream];
  if (from.failed || !numbers.every(Number.isSafeInteger)) throw corrupt();
  return { delivered, ackFloor, pending, redelivered };
}

function readPending(
  from: VarintReader,
  version: number,
  ackFloor: SequencePair,
): Map<number, PendingDelivery> {
  const pending = new Map<number, PendingDelivery>();
  const count = from.unsigned();
  const base = count > 0 ? from.signed() : 0;
  for (let left = count; left > 0 && !from.failed; left--) {
    const seq = from.unsigned() + ackFloor.stream;
    const consumerSeq = version === VERSION ? from.unsigned() + ackFloor.consumer : 0;
    const seconds = from.signed();
    if (from.failed || seq === 0 || !Number.isSafeInteger(seq)) throw corrupt();
    pending.set(seq, {
      consumerSeq,
      time: (version === VERSION ? base - seconds : base + seconds) * 1_000,
    });
  }
  return pending;
}

function corrupt(): SnapshotError {
  return new SnapshotError("corrupt state file");
}
