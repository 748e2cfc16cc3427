import { encodeText } from "../protocol/text.ts";

/**
 * Messages that say something about a request or a consumer: a header block with a status and no body (behaviour.md D.8, D.9).
 */

/** A header block that consists of a status line and headers. */
export function statusFrame(
  code: number,
  description: string,
  headers: readonly (readonly [name: string, value: string | number])[] = [],
): Uint8Array {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return encodeText(`NATS/1.0 ${code} ${description}\r\n${lines.join("")}\r\n`);
}

/** What a pull request that ends early still had to get. */
export interface PullRest {
  readonly messages: number;
  readonly bytes: number;
}

function withRest(code: number, description: string, { messages, bytes }: PullRest): Uint8Array {
  return statusFrame(code, description, [
    ["Nats-Pending-Messages", messages],
    ["Nats-Pending-Bytes", bytes],
  ]);
}

/** Each status that is always the same, or that has numbers. */
export const STATUS = {
  noMessages: (): Uint8Array => statusFrame(404, "No Messages"),
  requestTimeout: (rest: PullRest): Uint8Array => withRest(408, "Request Timeout", rest),
  interestExpired: (rest: PullRest): Uint8Array => withRest(408, "Interest Expired", rest),
  requestsPending: (): Uint8Array => statusFrame(408, "Requests Pending"),
  maxWaiting: (): Uint8Array => statusFrame(409, "Exceeded MaxWaiting"),
  pushBased: (): Uint8Array => statusFrame(409, "Consumer is push based"),
  consumerDeleted: (): Uint8Array => statusFrame(409, "Consumer Deleted"),
  leadershipChange: (): Uint8Array => statusFrame(409, "Leadership Change"),
  serverShutdown: (rest: PullRest): Uint8Array => withRest(409, "Server Shutdown", rest),
  maxBytes: (rest: PullRest): Uint8Array => withRest(409, "Message Size Exceeds MaxBytes", rest),
  batchCompleted: (rest: PullRest): Uint8Array => withRest(409, "Batch Completed", rest),
  requiredApiLevel: (): Uint8Array => statusFrame(412, "Required Api Level"),
  wrongPinId: (rest: PullRest): Uint8Array => withRest(423, "Nats-Wrong-Pin-Id", rest),
  flowControl: (): Uint8Array => statusFrame(100, "FlowControl Request"),
  tooManyRequests: (): Uint8Array => statusFrame(429, "Too Many Requests"),
  snapshotEnd: (): Uint8Array => encodeText("NATS/1.0 204\r\n\r\n"),
} as const;

/**
 * A consumer is alive, and this is how far it is.
 * @param stalled - the subject of the flow control that it waits for; "" for none.
 */
export function idleHeartbeat(lastConsumerSeq: number, lastStreamSeq: number, stalled: string): Uint8Array {
  const last: [string, string | number][] = [
    ["Nats-Last-Consumer", lastConsumerSeq],
    ["Nats-Last-Stream", lastStreamSeq],
  ];
  if (stalled !== "") last.push(["Nats-Consumer-Stalled", stalled]);
  return statusFrame(100, "Idle Heartbeat", last);
}
