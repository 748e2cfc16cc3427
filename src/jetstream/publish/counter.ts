import { encodeText } from "../../protocol/text.ts";
import { record } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { mapOf, text } from "../json/scalars.ts";

/** A counter's message: its body, and the header in which it keeps what came from other streams. */
export interface CounterMessage {
  readonly payload: Uint8Array;
  /** The value of `Nats-Counter-Sources`; "" without. */
  readonly sources: string;
}

/** Where a message came from that is taken from another stream. */
export interface CounterOrigin {
  readonly stream: string;
  readonly subject: string;
  /** The other stream's count, as its message's body. */
  readonly payload: Uint8Array;
}

/** What is stored for a counter that has been changed. */
export interface CounterResult {
  /** The new count. */
  readonly value: string;
  /** The new body: `{"val":"5"}`. */
  readonly payload: Uint8Array;
  /** What the header `Nats-Incr` becomes; undefined when it stays. */
  readonly incr: string | undefined;
  /** What `Nats-Counter-Sources` becomes; undefined without sources. */
  readonly sources: string | undefined;
}

const counterValue = record<{ val: string }>("CounterValue", [["val", "val", text]]);
const counterSources = mapOf(mapOf(text));

/** The number of `Nats-Incr`: decimal, as large as it likes, with or without a sign; undefined when it is none. */
export function parseIncrement(value: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(value)) return undefined;
  return BigInt(value.startsWith("+") ? value.slice(1) : value);
}

/**
 * Changes a counter (ADR-49).
 * @param last - the subject's last message; undefined for a new counter.
 * @param origin - for a message that was taken from another stream: the count grows by what that stream's count has grown.
 * @returns undefined when a message is no counter's.
 */
export function countUp(
  incr: bigint,
  last: CounterMessage | undefined,
  origin: CounterOrigin | undefined,
): CounterResult | undefined {
  try {
    let sources =
      last === undefined || last.sources === "" ? {} : decodeJson(counterSources, encodeText(last.sources));
    const count = last === undefined ? 0n : valueIn(last.payload);
    let added = incr;
    if (origin !== undefined) {
      const theirs = valueIn(origin.payload);
      const ofStream = Object.hasOwn(sources, origin.stream) ? sources[origin.stream] : {};
      const before = Object.hasOwn(ofStream, origin.subject) ? ofStream[origin.subject] : "";
      added = theirs - (parseIncrement(before) ?? 0n);
      sources = { ...sources, [origin.stream]: { ...ofStream, [origin.subject]: String(theirs) } };
    }
    const value = String(count + added);
    return {
      value,
      payload: encodeText(`{"val":"${value}"}`),
      incr: origin === undefined ? undefined : String(added),
      sources: Object.keys(sources).length === 0 ? undefined : counterSources.write(sources),
    };
  } catch (error) {
    if (error instanceof RequestJsonError) return undefined;
    throw error;
  }
}

function valueIn(payload: Uint8Array): bigint {
  return parseIncrement(decodeJson(counterValue, payload).val) ?? 0n;
}

/** Where a message was taken from, by its header `Nats-Stream-Source`, whose parts are set apart by spaces. */
export function originOf(header: string, subject: string, payload: Uint8Array): CounterOrigin {
  const [stream, , , , origin = subject] = header.split(" ");
  return { stream, subject: origin, payload };
}
