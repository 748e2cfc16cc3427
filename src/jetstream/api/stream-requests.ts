import type { Session } from "../../broker/session.ts";
import { messageOf } from "../../protocol/message-of.ts";
import type { StoredMessage } from "../../storage/store.ts";
import { apiError } from "../errors.ts";
import { decodeRequest, isEmptyRequest } from "../json/decode.ts";
import { writeText } from "../json/scalars.ts";
import { timestamp, timestampOf } from "../json/timestamps.ts";
import { streamConfigRequest } from "../stream/config.ts";
import { findMessage } from "../stream/direct-gets.ts";
import { type StateDetails, streamInfo } from "../stream/info.ts";
import type { Stream } from "../stream/stream.ts";
import type { ApiRequest } from "./api.ts";
import type { ClientInfo } from "./events.ts";
import { messageGet, refusedGet } from "./message-get.ts";
import { LIST_LIMIT, NAMES_LIMIT, type Page, pageOf, SUBJECTS_LIMIT } from "./paging.ts";
import {
  isPartialPurge,
  messageDeleteRequest,
  refusedByStream,
  refusedPurge,
  streamInfoRequest,
  streamListRequest,
  streamNamesRequest,
  streamPurgeRequest,
} from "./requests.ts";
import type { ApiRequestName } from "./subject.ts";

/** What answers need of the server. */
export interface ServerFacts {
  /** The name of the server, which leads all its streams. */
  readonly name: string;
  /** Whether requests may not hold fields that there are not. */
  readonly strict: boolean;
  /** A client as events describe it. */
  clientInfo(session: Session): ClientInfo | null;
}

/** Serves a request about streams: the members of the answer, as JSON. */
export type StreamRequest = (request: ApiRequest, server: ServerFacts) => string | Promise<string>;

/** The requests about streams. @throws ApiError, RequestJsonError */
export const STREAM_REQUESTS: Readonly<Partial<Record<ApiRequestName, StreamRequest>>> = {
  "STREAM.CREATE": async ({ address, body, account }, { strict }) => {
    const request = decodeRequest(streamConfigRequest, body, strict);
    const stream = await account.create(address.stream, request);
    return `${infoOf(stream, { domain: "" })},"did_create":true`;
  },
  "STREAM.UPDATE": async ({ address, body, account }, { strict }) => {
    const request = decodeRequest(streamConfigRequest, body, strict);
    return infoOf(await account.update(address.stream, request), {});
  },
  "STREAM.DELETE": async ({ address, body, account }) => {
    if (!isEmptyRequest(body)) throw apiError(10038);
    await account.delete(address.stream);
    return '"success":true';
  },
  "STREAM.NAMES": names,
  "STREAM.LIST": list,
  "STREAM.INFO": info,
  "STREAM.PURGE": purge,
  "STREAM.MSG.GET": getMessage,
  "STREAM.MSG.DELETE": deleteMessage,
};

/** What is said of a stream: its own domain unless told otherwise, and no leader. */
function infoOf(
  stream: Stream,
  extras: { domain?: string; leader?: string; dynamic?: boolean; details?: StateDetails },
): string {
  const { account } = stream;
  const { domain = account.domain, leader = "", dynamic = true, details } = extras;
  return streamInfo(stream, { now: account.clock.now(), domain, leader, dynamic, details });
}

function names({ body, account }: ApiRequest, { strict }: ServerFacts): string {
  const { offset, subject } = isPartialPurge(body)
    ? decodeRequest(streamNamesRequest, body, strict)
    : streamNamesRequest.zero();
  const online = account.filtered(subject).map(({ config }) => config.name);
  const all = subject === "" ? [...online, ...account.offline.keys()].sort() : online;
  const page = pageOf(all, offset, NAMES_LIMIT);
  const items = page.items.length === 0 ? "null" : `[${page.items.map(writeText).join(",")}]`;
  return `${paged(page)},"streams":${items}`;
}

function paged({ total, offset, limit }: { total: number; offset: number; limit: number }): string {
  return `"total":${total},"offset":${offset},"limit":${limit}`;
}

async function list({ body, account }: ApiRequest, { strict }: ServerFacts): Promise<string> {
  const { offset, subject } = isPartialPurge(body)
    ? decodeRequest(streamListRequest, body, strict)
    : streamListRequest.zero();
  const offline = subject === "" ? [...account.offline.keys()] : [];
  const streams = account.filtered(subject);
  await Promise.all(streams.map((stream) => stream.settled()?.catch(() => {})));
  const all = [...streams.map(({ config }) => config.name), ...offline].sort();
  const page = pageOf(all, offset, LIST_LIMIT);
  const online = page.items.flatMap((name) => account.streams.get(name) ?? []);
  const items = online.map((stream) => `{${infoOf(stream, { dynamic: false })}}`);
  const missing = page.items.filter((name) => account.offline.has(name));
  const reasons = missing.map((name) => `${writeText(name)}:${writeText(account.offline.get(name) ?? "")}`);
  const rest =
    missing.length === 0
      ? ""
      : `,"missing":[${missing.map(writeText).join(",")}],"offline":{${reasons.join(",")}}`;
  return `${paged(page)},"streams":[${items.join(",")}]${rest}`;
}

function info(
  { address, body, account }: ApiRequest,
  { name, strict }: ServerFacts,
): string | Promise<string> {
  const request = isPartialPurge(body)
    ? decodeRequest(streamInfoRequest, body, strict)
    : streamInfoRequest.zero();
  const stream = account.stream(address.stream);
  const { deletedDetails: deleted, subjectsFilter, offset } = request;
  const answer = (page?: Page<[subject: string, messages: number]>): string => {
    const details = { deleted, subjects: page && Object.fromEntries(page.items) };
    const head =
      page === undefined || page.total === 0
        ? { total: 0, offset: 0, limit: 0 }
        : { ...page, offset: Math.max(0, offset) };
    return `${paged(head)},${infoOf(stream, { leader: name, details })}`;
  };
  const wait = stream.settled()?.catch(() => {});
  if (subjectsFilter === "") return wait === undefined ? answer() : wait.then(() => answer());
  const page = (): ReturnType<typeof subjectsPage> => subjectsPage(stream, subjectsFilter, offset);
  return (wait === undefined ? page() : wait.then(page)).then(answer);
}

async function subjectsPage({ store }: Stream, pattern: string, offset: number) {
  const found: [subject: string, messages: number][] = [];
  const filter = store.filter([pattern]);
  await store.eachSubject(filter, ({ subject, messages }) => found.push([subject, messages]));
  filter.close();
  // Those that have come and gone meanwhile may be there twice.
  const all = [...new Map(found)].sort(([a], [b]) => (a < b ? -1 : 1));
  return pageOf(all, offset, SUBJECTS_LIMIT);
}

async function purge({ address, body, account }: ApiRequest, { strict }: ServerFacts): Promise<string> {
  const request = isPartialPurge(body)
    ? decodeRequest(streamPurgeRequest, body, strict)
    : streamPurgeRequest.zero();
  const refused = refusedPurge(request);
  if (refused !== undefined) throw refused;
  const stream = account.stream(address.stream);
  const denied = refusedByStream(stream.config);
  if (denied !== undefined) throw denied;
  return `"success":true,"purged":${await stream.purge(request)}`;
}

function getMessage(
  { address, body, account }: ApiRequest,
  { strict }: ServerFacts,
): string | Promise<string> {
  if (isEmptyRequest(body)) throw apiError(10003);
  const get = decodeRequest(messageGet, body, strict);
  const refused = refusedGet(get);
  if (refused !== undefined) throw refused;
  const stream = account.stream(address.stream);
  const answer = (message: StoredMessage | undefined): string => {
    if (message === undefined) throw apiError(10037);
    return messageJson(message, get.noHdr);
  };
  const wait = stream.settled();
  if (wait !== undefined)
    return wait.catch(() => {}).then(async () => answer(await findMessage(stream.store, get)));
  const found = findMessage(stream.store, get);
  return found instanceof Promise ? found.then(answer) : answer(found);
}

function messageJson({ subject, seq, headers, payload, time }: StoredMessage, noHdr: boolean): string {
  const parts = [`"subject":${writeText(subject)}`, `"seq":${seq}`];
  if (headers !== undefined && !noHdr) parts.push(`"hdrs":"${base64(headers)}"`);
  if (payload.length > 0) parts.push(`"data":"${base64(payload)}"`);
  parts.push(`"time":${timestamp.write(timestampOf(time))}`);
  return `"message":{${parts.join(",")}}`;
}

/** Bytes in base64. */
function base64(bytes: Uint8Array): string {
  let text = "";
  // Engines take only so many arguments in one call.
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return btoa(text);
}

async function deleteMessage(
  { address, body, account }: ApiRequest,
  { strict }: ServerFacts,
): Promise<string> {
  if (isEmptyRequest(body)) throw apiError(10003);
  const { seq, noErase } = decodeRequest(messageDeleteRequest, body, strict);
  const stream = account.stream(address.stream);
  const { sealed, denyDelete } = stream.config;
  if (sealed) throw apiError(10109);
  if (denyDelete) throw apiError(10057, { err: "message delete not permitted" });
  if (!stream.remove(seq, !noErase)) throw apiError(10043, { seq });
  try {
    await stream.store.flush();
  } catch (error) {
    throw apiError(10057, { err: messageOf(error) });
  }
  return '"success":true';
}
