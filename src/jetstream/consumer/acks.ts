import { copyBytes, writeDecimal } from "../../protocol/bytes.ts";
import { DurationError, parseDuration } from "../../protocol/durations.ts";
import type { ReplyWriter } from "../../protocol/message.ts";
import { decodeText, encodeText } from "../../protocol/text.ts";
import { record } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { duration } from "../json/scalars.ts";

/**
 * Acknowledgements (behaviour.md D.13): what clients send, and the subjects that they send it to.
 */

/** What an acknowledgement says. */
export type Ack =
  | { readonly kind: "ack" }
  /** Not now: again at once, or after so many ms. A delay that cannot be read is none, and is to be logged. */
  | { readonly kind: "nak"; readonly delay: number | undefined; readonly unreadable: string | undefined }
  /** Work goes on. */
  | { readonly kind: "progress" }
  /** Acknowledged, and the next is wanted: the body of a pull request. */
  | { readonly kind: "next"; readonly request: Uint8Array }
  /** Never again. */
  | { readonly kind: "term"; readonly reason: string };

const nakOptions = record<{ delay: number }>("ConsumerNakOptions", [["delay", "delay", duration]]);

/** Reads the body of an acknowledgement; undefined when it is none, and only answered. */
export function readAck(body: Uint8Array): Ack | undefined {
  const word = decodeText(body, 0, Math.min(body.length, 5));
  if (body.length === 0 || (word === "+ACK" && body.length === 4) || (word === "+OK" && body.length === 3)) {
    return { kind: "ack" };
  }
  if (word.startsWith("+NXT")) return { kind: "next", request: body.subarray(4) };
  if (word.startsWith("-NAK")) return readNak(body.subarray(4));
  if (word === "+WPI" && body.length === 4) return { kind: "progress" };
  if (word === "+TERM") return { kind: "term", reason: decodeText(body, 5, body.length).trim() };
  return undefined;
}

function readNak(argument: Uint8Array): Ack {
  const text = decodeText(argument, 0, argument.length).trim();
  if (text === "") return { kind: "nak", delay: undefined, unreadable: undefined };
  try {
    const delay = text.startsWith("{") ? decodeJson(nakOptions, argument).delay : parseDuration(text);
    return { kind: "nak", delay, unreadable: undefined };
  } catch (error) {
    const unreadable = error instanceof RequestJsonError || error instanceof DurationError;
    if (!unreadable) throw error;
    return { kind: "nak", delay: undefined, unreadable: text };
  }
}

/** What the subject of an acknowledgement says about the message. */
export interface Delivery {
  readonly streamSeq: number;
  readonly consumerSeq: number;
  /** How often it has been delivered. */
  readonly deliveries: number;
  /** When it was stored, in nanoseconds since the epoch. */
  readonly time: bigint;
  /** How many messages wait behind it. */
  readonly pending: number;
}

const V1_TOKENS = 9;
const V2_TOKENS = 11;
const ACK_PREFIX = "$JS.ACK.";
const FLOW_PREFIX = "$JS.FC.";
const DOT = 46;
const ZERO = 48;
/** The most bytes of what comes after the prefix of a reply subject: five numbers of 16 digits, four dots, and three zeros that make nanoseconds of microseconds. */
const NUMBERS_BYTES = 5 * 16 + 7;

/** Who a consumer is in the subjects of the second form: the domain ("" for none), and what stands for the account. */
export interface AckRealm {
  readonly domain: string;
  readonly accountHash: string;
}

/** The reply subject of a message that is being delivered. Each delivery has one: as a text it would cost a fifth of the whole. */
class AckReply implements ReplyWriter {
  length = 0;
  /** What comes before the numbers, and room for those. */
  readonly #bytes: Uint8Array;
  readonly #start: number;

  /** @param prefix - what comes before the numbers. */
  constructor(prefix: string) {
    const bytes = encodeText(prefix);
    this.#start = bytes.length;
    this.#bytes = new Uint8Array(bytes.length + NUMBERS_BYTES);
    this.#bytes.set(bytes);
  }

  /** Becomes that of another delivery. @param micros - when the message was stored, in µs since the epoch. */
  set(deliveries: number, seq: number, consumerSeq: number, micros: number, pending: number): void {
    const bytes = this.#bytes;
    let at = writeDecimal(deliveries, bytes, this.#start);
    bytes[at++] = DOT;
    at = writeDecimal(seq, bytes, at);
    bytes[at++] = DOT;
    at = writeDecimal(consumerSeq, bytes, at);
    bytes[at++] = DOT;
    at = writeDecimal(micros, bytes, at);
    bytes[at++] = ZERO;
    bytes[at++] = ZERO;
    bytes[at++] = ZERO;
    bytes[at++] = DOT;
    this.length = writeDecimal(pending, bytes, at);
  }

  get text(): string {
    return decodeText(this.#bytes, 0, this.length);
  }

  write(target: Uint8Array, at: number): number {
    copyBytes(this.#bytes, 0, this.length, target, at);
    return at + this.length;
  }
}

/** Makes the subjects of one consumer. Without a realm they have the first form. */
export class AckSubjects {
  readonly #ack: string;
  readonly #flow: string;
  readonly #reply: AckReply;
  /** What the consumer listens on for acknowledgements, of both forms. */
  readonly filters: readonly string[];
  /** What comes before the numbers in each of them. */
  readonly prefixes: readonly string[];
  /** What the consumer listens on for answers to flow control, of both forms. */
  readonly flowFilters: readonly string[];

  constructor(stream: string, consumer: string, realm: AckRealm, useSecondForm = false) {
    const first = `${stream}.${consumer}`;
    const second = `${realm.domain || "_"}.${realm.accountHash}.${first}`;
    const used = useSecondForm ? second : first;
    this.#ack = `${ACK_PREFIX}${used}.`;
    this.#flow = `${FLOW_PREFIX}${used}.`;
    this.#reply = new AckReply(this.#ack);
    this.prefixes = [`${ACK_PREFIX}${first}.`, `${ACK_PREFIX}${second}.`];
    this.filters = [`${ACK_PREFIX}${first}.*.*.*.*.*`, `${ACK_PREFIX}${second}.*.*.*.*.>`];
    this.flowFilters = [`${FLOW_PREFIX}${first}.*`, `${FLOW_PREFIX}${second}.*`];
  }

  /** Where a message is acknowledged: its reply subject. */
  reply({ deliveries, streamSeq, consumerSeq, time, pending }: Delivery): string {
    return `${this.#ack}${deliveries}.${streamSeq}.${consumerSeq}.${time}.${pending}`;
  }

  /** The same, for delivering: it is good until the next one is asked for. @param time - in ms since the epoch; what is finer than a µs is lost. */
  replyTo(seq: number, consumerSeq: number, deliveries: number, time: number, pending: number): ReplyWriter {
    this.#reply.set(deliveries, seq, consumerSeq, Math.round(time * 1_000), pending);
    return this.#reply;
  }

  /** Where flow control is answered. */
  flowControl(token: string): string {
    return this.#flow + token;
  }
}

/** Reads the subject of an acknowledgement, of either form; undefined when it is none, or has no numbers where they belong. */
export function parseAckSubject(subject: string): Delivery | undefined {
  const tokens = subject.split(".");
  const fits = tokens.length === V1_TOKENS || tokens.length >= V2_TOKENS;
  if (!fits || tokens[0] !== "$JS" || tokens[1] !== "ACK") return undefined;
  const at = tokens.length === V1_TOKENS ? 4 : 6;
  const numbers = tokens.slice(at, at + 5);
  if (!numbers.every((token) => /^\d+$/.test(token))) return undefined;
  const [deliveries, streamSeq, consumerSeq, , pending] = numbers.map(Number);
  return { deliveries, streamSeq, consumerSeq, time: BigInt(numbers[3]), pending };
}

/** The percentage of acknowledgements that are told as metrics, of a `sample_freq` that has been checked: "30" or "30%". */
export function samplePercentage(sampleFreq: string): number {
  return sampleFreq === "" ? 0 : Number(sampleFreq.replace(/%$/, ""));
}

/** Whether to tell of this one. @param fraction - from 0 up to but not including 1, by chance. */
export function isSampled(percentage: number, fraction: number): boolean {
  if (percentage <= 0) return false;
  return percentage >= 100 || Math.floor(fraction * 100) <= percentage;
}
