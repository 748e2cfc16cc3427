import { type ApiError, apiError } from "../errors.ts";
import { list, OMIT_EMPTY, optional, record } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { bool, int, text, uint64 } from "../json/scalars.ts";
import { type Timestamp, timestamp } from "../json/timestamps.ts";
import { isRequestSupported } from "../metadata.ts";
import { STATUS, statusFrame } from "../status-frames.ts";

/** What `STREAM.MSG.GET` and `DIRECT.GET` ask for (behaviour.md D.1, D.9). 0 and "" are what is not set. */
export interface MessageGet {
  readonly seq: number;
  /** The last message on a subject. */
  readonly lastBySubj: string;
  /** The next message on subjects that match, from `seq` or `startTime` on. */
  readonly nextBySubj: string;
  readonly batch: number;
  readonly maxBytes: number;
  readonly startTime: Timestamp | undefined;
  /** The last message on each of these subjects. */
  readonly multiLast: readonly string[];
  readonly upToSeq: number;
  readonly upToTime: Timestamp | undefined;
  /** Leaves out the headers. */
  readonly noHdr: boolean;
}

/** The request in JSON. */
export const messageGet = record<MessageGet>("JSApiMsgGetRequest", [
  ["seq", "seq", uint64, OMIT_EMPTY],
  ["last_by_subj", "lastBySubj", text, OMIT_EMPTY],
  ["next_by_subj", "nextBySubj", text, OMIT_EMPTY],
  ["batch", "batch", int, OMIT_EMPTY],
  ["max_bytes", "maxBytes", int, OMIT_EMPTY],
  ["start_time", "startTime", optional(timestamp), OMIT_EMPTY],
  ["multi_last", "multiLast", list(text), OMIT_EMPTY],
  ["up_to_seq", "upToSeq", uint64, OMIT_EMPTY],
  ["up_to_time", "upToTime", optional(timestamp), OMIT_EMPTY],
  ["no_hdr", "noHdr", bool, OMIT_EMPTY],
]);

/** The most subjects whose last messages can be asked for at once. */
export const MAX_MULTI_LAST = 1_024;

/** Why `STREAM.MSG.GET` cannot be served; undefined when it can. It gives one message. */
export function refusedGet(get: MessageGet): ApiError | undefined {
  const { seq, lastBySubj, nextBySubj, startTime } = get;
  const empty = seq === 0 && lastBySubj === "" && nextBySubj === "" && startTime === undefined;
  const bad = get.batch > 0 || get.maxBytes > 0 || empty || contradicts(get);
  return bad ? apiError(10003) : undefined;
}

function contradicts({ seq, lastBySubj, nextBySubj, startTime }: MessageGet): boolean {
  return (
    (seq > 0 && (lastBySubj !== "" || startTime !== undefined)) ||
    (lastBySubj !== "" && (startTime !== undefined || nextBySubj !== ""))
  );
}

/** What has become of a direct get: the request, or the status that refuses it. */
export type DirectGet =
  | { readonly get: MessageGet; readonly refused?: undefined }
  | { readonly refused: Uint8Array; readonly get?: undefined };

/**
 * Reads a direct get.
 * @param key - the subject behind the stream's name, whose last message is asked for; "" without.
 * @param requiredLevel - the header `Nats-Required-Api-Level`; "" without.
 */
export function readDirectGet(key: string, body: Uint8Array, requiredLevel: string): DirectGet {
  if (!isRequestSupported(requiredLevel)) return { refused: STATUS.requiredApiLevel() };
  if (key === "" && body.length === 0) return { refused: statusFrame(408, "Empty Request") };
  try {
    const get = body.length === 0 ? messageGet.zero() : decodeJson(messageGet, body);
    const fault = key === "" ? directFault(get) : hasMore(get) ? "Bad Request" : undefined;
    if (fault !== undefined) return { refused: statusFrame(408, fault) };
    return { get: key === "" ? get : { ...get, lastBySubj: key } };
  } catch (error) {
    if (error instanceof RequestJsonError) return { refused: statusFrame(408, "Malformed Request") };
    throw error;
  }
}

function directFault(get: MessageGet): string | undefined {
  const { seq, lastBySubj, nextBySubj, multiLast, startTime } = get;
  const asked =
    seq > 0 || lastBySubj !== "" || nextBySubj !== "" || multiLast.length > 0 || startTime !== undefined;
  if (!asked) return "Empty Request";
  const bad =
    contradicts(get) ||
    (lastBySubj !== "" && (get.batch > 0 || multiLast.length > 0)) ||
    (nextBySubj !== "" && multiLast.length > 0) ||
    (get.upToSeq > 0 && get.upToTime !== undefined);
  return bad ? "Bad Request" : undefined;
}

/** Whether a request that names a subject asks for more than to leave out headers. */
function hasMore(get: MessageGet): boolean {
  return (
    get.lastBySubj !== "" ||
    get.nextBySubj !== "" ||
    get.multiLast.length > 0 ||
    get.seq !== 0 ||
    get.batch !== 0 ||
    get.startTime !== undefined ||
    get.upToSeq !== 0 ||
    get.upToTime !== undefined
  );
}

/** The end of a batch. @param upToSeq - of a request for the last of several subjects, how far it looked. */
export function endOfBatch(pending: number, lastSeq: number, upToSeq?: number): Uint8Array {
  const headers: [string, number][] = [
    ["Nats-Num-Pending", pending],
    ["Nats-Last-Sequence", lastSeq],
  ];
  if (upToSeq !== undefined) headers.push(["Nats-UpTo-Sequence", upToSeq]);
  return statusFrame(204, "EOB", headers);
}

/** What a direct get does not give. */
export const DIRECT_STATUS = {
  notFound: (): Uint8Array => statusFrame(404, "Message Not Found"),
  noResults: (): Uint8Array => statusFrame(404, "No Results"),
  unreadable: (): Uint8Array => statusFrame(500, "Message Cannot Be Read"),
  tooMany: (): Uint8Array => statusFrame(413, "Too Many Results"),
} as const;
