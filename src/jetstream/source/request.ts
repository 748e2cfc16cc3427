import { API_SUBJECT } from "../../broker/account.ts";
import { encodeText } from "../../protocol/text.ts";
import {
  type ConsumerConfig,
  type CreateConsumerRequest,
  consumerConfig,
  createConsumerRequest,
} from "../consumer/config.ts";
import { ApiError, type ApiErrorCode } from "../errors.ts";
import { optional, record } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { int, text, uint64 } from "../json/scalars.ts";
import type { Timestamp } from "../json/timestamps.ts";
import { HEADERS, withHeader } from "../publish/headers.ts";
import type { ExternalStream, StreamSource } from "../stream/source.ts";

/** The level of the API that knows consumers of this kind. */
const LEVEL = "4";
/** How often an origin says that it is there, in ms. */
export const HEARTBEAT_MS = 1_000;
/** An origin that is not heard of for so long is asked anew, in ms; so long it keeps the consumer that nobody listens to. */
export const SILENCE_MS = 10_000;
const ACK_WAIT_MS = 22 * 3_600_000;

/** Where to begin in the origin. */
export type Beginning =
  | { readonly from: "all" }
  | { readonly from: "seq"; readonly seq: number }
  | { readonly from: "time"; readonly time: Timestamp };

/** What a consumer of an origin is asked for with. */
export interface ConsumerWish {
  readonly name: string;
  readonly source: StreamSource;
  readonly deliverSubject: string;
  readonly beginning: Beginning;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the origin's server knows consumers that streams are sourced through: one that does not gets an ordinary request. */
  readonly sourcing: boolean;
}

/** A request of the API of the origin. */
export interface OriginRequest {
  readonly subject: string;
  readonly headers: Uint8Array | undefined;
  readonly body: string;
}

/** The request for a consumer through which messages come in order, with flow control and heartbeats. */
export function consumerRequest(wish: ConsumerWish): OriginRequest {
  const { name, source, sourcing } = wish;
  const config = configOf(wish);
  const { filterSubject: filter } = config;
  const body: CreateConsumerRequest = { ...createConsumerRequest.zero(), streamName: source.name, config };
  const scope = filter === "" ? source.name : `${source.name}.${name}.${filter}`;
  return {
    subject: apiSubject(source.external, `CONSUMER.CREATE.${scope}`),
    headers: sourcing ? withHeader(undefined, HEADERS.requiredApiLevel, LEVEL) : undefined,
    body: createConsumerRequest.write(body),
  };
}

function configOf({
  name,
  source,
  deliverSubject,
  beginning,
  metadata,
  sourcing,
}: ConsumerWish): ConsumerConfig {
  const { filterSubject, subjectTransforms } = source;
  const filters = subjectTransforms.map(({ src }) => src);
  const single = filterSubject === "" && filters.length === 1;
  const policies = { all: "all", seq: "by_start_sequence", time: "by_start_time" } as const;
  return {
    ...consumerConfig.zero(),
    name,
    deliverSubject,
    deliverPolicy: policies[beginning.from],
    optStartSeq: beginning.from === "seq" ? beginning.seq : 0,
    optStartTime: beginning.from === "time" ? beginning.time : undefined,
    ackPolicy: "none",
    ackWait: ACK_WAIT_MS,
    maxDeliver: 1,
    filterSubject: single ? filters[0] : filterSubject,
    filterSubjects: single ? [] : filters,
    idleHeartbeat: HEARTBEAT_MS,
    flowControl: true,
    direct: true,
    sourcing,
    inactiveThreshold: SILENCE_MS,
    metadata,
  };
}

/** The request that has a consumer begin anew that there is already. */
export function resetRequest({ name, external }: StreamSource, consumer: string): OriginRequest {
  return {
    subject: apiSubject(external, `CONSUMER.RESET.${name}.${consumer}`),
    headers: undefined,
    body: "",
  };
}

/** The request that deletes a consumer. */
export function deleteRequest({ name, external }: StreamSource, consumer: string): OriginRequest {
  return {
    subject: apiSubject(external, `CONSUMER.DELETE.${name}.${consumer}`),
    headers: undefined,
    body: "",
  };
}

function apiSubject(external: ExternalStream | undefined, request: string): string {
  return `${external === undefined ? API_SUBJECT : external.api}.${request}`.replaceAll("..", ".");
}

/** Where messages of an origin are to be delivered. @param kind - of a mirror or a source. */
export function deliverSubject(external: ExternalStream | undefined, kind: "M" | "S", token: string): string {
  const prefix = external === undefined || external.deliver === "" ? "$JS" : external.deliver;
  return `${prefix}.${kind}.${token}`.replaceAll("..", ".");
}

/** What the API says of a consumer that it has made. */
export interface OriginConsumer {
  readonly error: ApiError | undefined;
  /** "" when the answer says nothing of a consumer. */
  readonly name: string;
  readonly deliverSubject: string;
  readonly ackPolicy: string;
  /** The last sequence that was delivered, or is not wanted: what comes is above. */
  readonly delivered: number;
}

interface Response {
  readonly error:
    | { readonly code: number; readonly errCode: number; readonly description: string }
    | undefined;
  readonly name: string;
  readonly config: ConsumerConfig;
  readonly delivered: { readonly streamSeq: number };
}

const response = record<Response>("JSApiConsumerCreateResponse", [
  [
    "error",
    "error",
    optional(
      record<NonNullable<Response["error"]>>("ApiError", [
        ["code", "code", int],
        ["err_code", "errCode", int],
        ["description", "description", text],
      ]),
    ),
  ],
  ["name", "name", text],
  ["config", "config", consumerConfig],
  [
    "delivered",
    "delivered",
    record<Response["delivered"]>("SequenceInfo", [["stream_seq", "streamSeq", uint64]]),
  ],
]);

/** Reads an answer; undefined for what cannot be read. */
export function readConsumerResponse(body: Uint8Array): OriginConsumer | undefined {
  try {
    const { error, name, config, delivered } = decodeJson(response, body);
    return {
      error: error && new ApiError(error.code, error.errCode as ApiErrorCode, error.description),
      name,
      deliverSubject: config.deliverSubject,
      ackPolicy: config.ackPolicy,
      delivered: delivered.streamSeq,
    };
  } catch (error) {
    if (error instanceof RequestJsonError) return undefined;
    throw error;
  }
}

/** The answer to flow control: how far the copy is, on disk. */
export function progress(consumerSeq: number, streamSeq: number): Uint8Array {
  return encodeText(
    `NATS/1.0\r\nNats-Last-Consumer: ${consumerSeq}\r\nNats-Last-Stream: ${streamSeq}\r\n\r\n`,
  );
}
