import { LIST_LIMIT, NAMES_LIMIT, type Page, pageOf } from "../api/paging.ts";
import { consumersRequest, isPartialPurge, pauseRequest, unpinRequest } from "../api/requests.ts";
import type { ApiAddress } from "../api/subject.ts";
import { apiError } from "../errors.ts";
import { decodeJson, decodeRequest, isEmptyRequest } from "../json/decode.ts";
import { nanoseconds } from "../json/durations.ts";
import { writeText } from "../json/scalars.ts";
import { timestampMs, timestampNs, timestampOfNs, ZERO_TIME } from "../json/timestamps.ts";
import { storedConsumerMetadata } from "../metadata.ts";
import { isGroupName } from "./check.ts";
import { createConsumerRequest } from "./config.ts";
import type { Consumer } from "./consumer.ts";
import type { Consumers } from "./consumers.ts";
import type { ConsumerAddress } from "./create.ts";
import { type ConsumerInfo, consumerInfo, listedConsumerInfo } from "./info.ts";

/** What answers a request of the API: the fields of a JSON object, without its braces. */
type Answer = (
  consumers: Consumers,
  address: ApiAddress,
  body: Uint8Array,
  strict: boolean,
) => Promise<string>;

const ANSWERS: Readonly<Record<string, Answer>> = {
  "CONSUMER.CREATE": create,
  "CONSUMER.DURABLE.CREATE": create,
  "CONSUMER.INFO": async (consumers, address, body) => {
    if (!isEmptyRequest(body)) throw apiError(10038);
    return fieldsOf(await find(consumers, address).info());
  },
  "CONSUMER.DELETE": async (consumers, address, body) => {
    if (!isEmptyRequest(body)) throw apiError(10038);
    await consumers.delete(address.consumer);
    return '"success":true';
  },
  "CONSUMER.NAMES": names,
  "CONSUMER.LIST": listed,
  "CONSUMER.PAUSE": pause,
  "CONSUMER.UNPIN": unpin,
};

/**
 * Answers a request about the consumers of a stream that is there: `CONSUMER.` with CREATE, DURABLE.CREATE, INFO, DELETE, NAMES, LIST, PAUSE,
 * UNPIN. (MSG.NEXT and RESET each consumer hears itself.)
 * @param strict - whether fields that there are not are an error.
 * @returns the fields of the answer, without its type; "" for none.
 * @throws ApiError, RequestJsonError (rejects)
 */
export function answerConsumerRequest(
  consumers: Consumers,
  address: ApiAddress,
  body: Uint8Array,
  strict = true,
): Promise<string> {
  const answer = ANSWERS[address.request];
  if (answer === undefined) throw new Error(`${address.request} is not about the consumers of a stream`);
  return answer(consumers, address, body, strict);
}

function find(consumers: Consumers, { consumer: name }: ApiAddress): Consumer {
  const consumer = consumers.get(name);
  if (consumer === undefined) throw apiError(10014);
  return consumer;
}

/** A consumer's fields. */
function fieldsOf(info: ConsumerInfo): string {
  return consumerInfo.write(info).slice(1, -1);
}

async function create(
  consumers: Consumers,
  address: ApiAddress,
  body: Uint8Array,
  strict: boolean,
): Promise<string> {
  const request = decodeRequest(createConsumerRequest, body, strict);
  const { info } = await consumers.create(consumerAddress(address), request);
  return fieldsOf(info);
}

/** How the subject of a request names the consumer. */
export function consumerAddress({ request, stream, consumer, filter }: ApiAddress): ConsumerAddress {
  const named = consumer === "" ? "unnamed" : "named";
  return { form: request === "CONSUMER.DURABLE.CREATE" ? "durable" : named, stream, consumer, filter };
}

/** The offset of a list; a body that is no object or list asks for nothing. */
function offsetOf(body: Uint8Array, strict: boolean): number {
  return isPartialPurge(body) ? decodeRequest(consumersRequest, body, strict).offset : 0;
}

function paged({ total, offset, limit }: Page<unknown>, items: readonly string[]): string {
  return `"total":${total},"offset":${offset},"limit":${limit},"consumers":[${items.join(",")}]`;
}

async function names(
  consumers: Consumers,
  _address: ApiAddress,
  body: Uint8Array,
  strict: boolean,
): Promise<string> {
  const page = pageOf(consumers.names(), offsetOf(body, strict), NAMES_LIMIT);
  return paged(page, page.items.map(writeText));
}

async function listed(
  consumers: Consumers,
  _address: ApiAddress,
  body: Uint8Array,
  strict: boolean,
): Promise<string> {
  const page = pageOf(consumers.names(), offsetOf(body, strict), LIST_LIMIT);
  const infos: string[] = [];
  for (const name of page.items) {
    const consumer = consumers.get(name);
    if (consumer !== undefined) infos.push(listedConsumerInfo.write(await consumer.info()));
  }
  return paged(page, infos);
}

async function pause(
  consumers: Consumers,
  address: ApiAddress,
  body: Uint8Array,
  strict: boolean,
): Promise<string> {
  const asked = isPartialPurge(body) ? decodeRequest(pauseRequest, body, strict).pauseUntil : ZERO_TIME;
  const until = timestampOfNs(timestampNs(asked));
  const consumer = await consumers.pause(address.consumer, (old) => {
    const config = { ...old, pauseUntil: until === ZERO_TIME ? undefined : until };
    return { ...config, metadata: storedConsumerMetadata(config) };
  });
  const { paused, host } = consumer;
  const left = paused ? timestampMs(until) - host.account.clock.now() : 0;
  const remaining = left > 0 ? `,"pause_remaining":${nanoseconds(left)}` : "";
  return `"paused":${paused},"pause_until":"${until}"${remaining}`;
}

/** The priority group that `CONSUMER.UNPIN` is about. @throws ApiError, RequestJsonError */
export function groupToUnpin(body: Uint8Array): string {
  const { group } = decodeJson(unpinRequest, body);
  if (group === "") throw apiError(10025, { err: "consumer group not specified" });
  if (!isGroupName(group)) throw apiError(10162);
  return group;
}

async function unpin(consumers: Consumers, address: ApiAddress, body: Uint8Array): Promise<string> {
  const group = groupToUnpin(body);
  const consumer = find(consumers, address);
  if (!consumer.config.priorityGroups.includes(group)) throw apiError(10160);
  consumer.unpin(group);
  return "";
}
