import { showDuration } from "../../protocol/durations.ts";
import { decodePayload, encodeText } from "../../protocol/text.ts";
import { type Field, OMIT_EMPTY, record } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { bool, duration, int, int64, text } from "../json/scalars.ts";
import { statusFrame } from "../status-frames.ts";
import { type ConsumerConfig, isPush } from "./config.ts";

/** What a client asks a pull consumer for (behaviour.md D.8). Spans are in ms; 0 and "" are what is not set. */
export interface PullRequest extends PullOptions {
  /** Whether it was no JSON: such a request is served whatever priority groups the consumer has. */
  readonly plain: boolean;
}

/** What a request in JSON says. */
export interface PullOptions {
  readonly expires: number;
  /** How many messages; below 1 it is one. */
  readonly batch: number;
  readonly maxBytes: number;
  readonly noWait: boolean;
  readonly idleHeartbeat: number;
  readonly group: string;
  readonly minPending: number;
  readonly minAckPending: number;
  /** Of the client that is pinned. */
  readonly id: string;
  /** 0 comes first, 9 last. */
  readonly priority: number;
}

const GROUP: readonly Field<PullOptions>[] = [
  ["group", "group", text, OMIT_EMPTY],
  ["min_pending", "minPending", int64, OMIT_EMPTY],
  ["min_ack_pending", "minAckPending", int64, OMIT_EMPTY],
  ["id", "id", text, OMIT_EMPTY],
  ["priority", "priority", int, OMIT_EMPTY],
];

const pullRequest = record<PullOptions>(
  "JSApiConsumerGetNextRequest",
  [
    ["expires", "expires", duration, OMIT_EMPTY],
    ["batch", "batch", int, OMIT_EMPTY],
    ["max_bytes", "maxBytes", int, OMIT_EMPTY],
    ["no_wait", "noWait", bool, OMIT_EMPTY],
    ["idle_heartbeat", "idleHeartbeat", duration, OMIT_EMPTY],
  ],
  ["PriorityGroup", GROUP],
);

/** What has become of the body of a request: the request, or the status that refuses it. */
export type PullRead =
  | { readonly request: PullRequest; readonly refused?: undefined }
  | { readonly refused: Uint8Array; readonly request?: undefined };

/** Reads the body of a pull request: nothing or nonsense for one message, a number of messages, or JSON. */
export function readPullRequest(body: Uint8Array): PullRead {
  const trimmed = decodePayload(body, 0, body.length).trim();
  const one = { ...pullRequest.zero(), batch: 1, plain: true };
  if (!trimmed.startsWith("{")) {
    const isNumber = /^[+-]?\d+$/.test(trimmed) && Math.abs(Number(trimmed)) < 2 ** 63;
    return { request: isNumber ? { ...one, batch: Number(trimmed) } : one };
  }
  try {
    const request = plainOptions(trimmed) ?? decodeJson(pullRequest, encodeText(trimmed));
    const { idleHeartbeat, expires } = request;
    if (idleHeartbeat > 0 && idleHeartbeat * 2 > expires)
      return { refused: badRequest("heartbeat value too large") };
    return { request: { ...request, plain: false } };
  } catch (error) {
    if (error instanceof RequestJsonError) return { refused: badRequest(error.message) };
    throw error;
  }
}

/** A number that is no whole one, or that a `number` may not hold. */
const UNUSUAL_NUMBER = /:\s*-?\d*[.eE\d]{16}|:\s*-?\d+[.eE]|:\s*-0/;
const NS_PER_MS = 1_000_000;

/**
 * Reads a request as nearly all are, which takes the platform's parser a fraction of the time; undefined when it is not quite so, and has to be
 * read as Go reads it.
 */
function plainOptions(text: string): PullOptions | undefined {
  if (UNUSUAL_NUMBER.test(text)) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  const options: { -readonly [K in keyof PullOptions]: PullOptions[K] } = pullRequest.zero();
  for (const [name, value] of Object.entries(given as object) as [string, unknown][]) {
    if (name === "no_wait" && typeof value === "boolean") options.noWait = value;
    else if (name === "group" && typeof value === "string") options.group = value;
    else if (name === "id" && typeof value === "string") options.id = value;
    else if (typeof value !== "number") return undefined;
    else if (name === "batch") options.batch = value;
    else if (name === "expires") options.expires = spanOf(value);
    else if (name === "idle_heartbeat") options.idleHeartbeat = spanOf(value);
    else if (name === "max_bytes") options.maxBytes = value;
    else if (name === "min_pending") options.minPending = value;
    else if (name === "min_ack_pending") options.minAckPending = value;
    else if (name === "priority") options.priority = value;
    else return undefined;
  }
  return options;
}

/** Nanoseconds as ms, rounded as the codec of spans does. */
function spanOf(ns: number): number {
  return Math.trunc(ns / NS_PER_MS) + (ns % NS_PER_MS) / NS_PER_MS;
}

function badRequest(why: string): Uint8Array {
  return statusFrame(400, `Bad Request - ${why}`);
}

/**
 * Checks a request against the consumer that it is for, in nats-server's order (`processNextMsgRequest`).
 * @param pinnedId - the id of the client that is pinned now; "" for none.
 * @returns the status that refuses it; undefined when it may be served.
 */
export function refusedPull(
  request: PullRequest,
  config: ConsumerConfig,
  pinnedId: string,
): Uint8Array | undefined {
  if (isPush(config)) return statusFrame(409, "Consumer is push based");
  return (
    beyondLimits(request, config) ?? (request.plain ? undefined : outsideGroup(request, config, pinnedId))
  );
}

function beyondLimits(request: PullRequest, config: ConsumerConfig): Uint8Array | undefined {
  const { maxBatch, maxExpires, maxBytes } = config;
  if (maxBatch > 0 && request.batch > maxBatch)
    return statusFrame(409, `Exceeded MaxRequestBatch of ${maxBatch}`);
  if (maxExpires > 0 && request.expires > maxExpires) {
    return statusFrame(409, `Exceeded MaxRequestExpires of ${showDuration(maxExpires)}`);
  }
  if (maxBytes > 0 && request.maxBytes > maxBytes)
    return statusFrame(409, `Exceeded MaxRequestMaxBytes of ${maxBytes}`);
  return undefined;
}

function outsideGroup(
  request: PullRequest,
  config: ConsumerConfig,
  pinnedId: string,
): Uint8Array | undefined {
  const { priorityPolicy, priorityGroups } = config;
  const { group, id, priority } = request;
  const overflows = request.minPending !== 0 || request.minAckPending !== 0;
  if (overflows && priorityPolicy !== "overflow") return badRequest("Not a Overflow Priority consumer");
  if (id !== "" && priorityPolicy !== "pinned_client")
    return badRequest("Not a Pinned Client Priority consumer");
  if (priority < 0 || priority > 9) return badRequest("Priority must be between 0 and 9");
  if (priorityPolicy === "none") return undefined;
  if (group === "") return badRequest("Priority Group missing");
  if (!priorityGroups.includes(group)) return badRequest("Invalid Priority Group");
  if (pinnedId !== "" && id !== "" && id !== pinnedId) return statusFrame(423, "Nats-Pin-Id mismatch");
  return undefined;
}
