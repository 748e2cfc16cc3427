/**
 * Which request a subject below `$JS.API` is (behaviour.md D.1).
 */

import { API_PREFIX } from "../../broker/account.ts";

/** What each token behind a request's name is; "filter" takes all that are left. */
type Parameter = "stream" | "consumer" | "filter" | "account";

/** Who answers a request: any server, only one in a cluster, or only the system account of one. */
type Served = "always" | "cluster" | "system";

/** What a request's subject looks like, and who answers it. */
export interface ApiRequestRow {
  /** What stands behind the name, in one of these ways. */
  readonly forms: readonly (readonly Parameter[])[];
  /** The end of the answer's type. */
  readonly response: string;
  readonly served: Served;
}

const STREAM: readonly Parameter[] = ["stream"];
const CONSUMER: readonly Parameter[] = ["stream", "consumer"];

function row(
  forms: readonly (readonly Parameter[])[],
  response: string,
  served: Served = "always",
): ApiRequestRow {
  return { forms, response, served };
}

/** Every request, by the tokens of its name. Those of messages (`MSG.NEXT`, `DIRECT.GET`) are answered by messages. */
export const API_REQUESTS = {
  INFO: row([[]], "account_info_response"),
  "STREAM.CREATE": row([STREAM], "stream_create_response"),
  "STREAM.UPDATE": row([STREAM], "stream_update_response"),
  "STREAM.NAMES": row([[]], "stream_names_response"),
  "STREAM.LIST": row([[]], "stream_list_response"),
  "STREAM.INFO": row([STREAM], "stream_info_response"),
  "STREAM.DELETE": row([STREAM], "stream_delete_response"),
  "STREAM.PURGE": row([STREAM], "stream_purge_response"),
  "STREAM.MSG.GET": row([STREAM], "stream_msg_get_response"),
  "STREAM.MSG.DELETE": row([STREAM], "stream_msg_delete_response"),
  "STREAM.SNAPSHOT": row([STREAM], "stream_snapshot_response"),
  "STREAM.RESTORE": row([STREAM], "stream_restore_response"),
  "CONSUMER.CREATE": row([STREAM, CONSUMER, [...CONSUMER, "filter"]], "consumer_create_response"),
  "CONSUMER.DURABLE.CREATE": row([CONSUMER], "consumer_create_response"),
  "CONSUMER.NAMES": row([STREAM], "consumer_names_response"),
  "CONSUMER.LIST": row([STREAM], "consumer_list_response"),
  "CONSUMER.INFO": row([CONSUMER], "consumer_info_response"),
  "CONSUMER.DELETE": row([CONSUMER], "consumer_delete_response"),
  "CONSUMER.PAUSE": row([CONSUMER], "consumer_pause_response"),
  "CONSUMER.UNPIN": row([CONSUMER], "consumer_unpin_response"),
  "CONSUMER.RESET": row([CONSUMER], "consumer_reset_response"),
  "CONSUMER.MSG.NEXT": row([CONSUMER], ""),
  "DIRECT.GET": row([STREAM, ["stream", "filter"]], ""),
  "STREAM.LEADER.STEPDOWN": row([STREAM], "stream_leader_stepdown_response", "cluster"),
  "STREAM.PEER.REMOVE": row([STREAM], "stream_remove_peer_response", "cluster"),
  "CONSUMER.LEADER.STEPDOWN": row([CONSUMER], "consumer_leader_stepdown_response", "cluster"),
  "META.LEADER.STEPDOWN": row([[]], "meta_leader_stepdown_response", "system"),
  "SERVER.REMOVE": row([[]], "meta_server_remove_response", "system"),
  "ACCOUNT.PURGE": row([["account"]], "account_purge_response", "system"),
  "ACCOUNT.STREAM.MOVE": row([["account", "stream"]], "stream_update_response", "system"),
  "ACCOUNT.STREAM.CANCEL_MOVE": row([["account", "stream"]], "stream_update_response", "system"),
} as const satisfies Readonly<Record<string, ApiRequestRow>>;

/** The name of a request. */
export type ApiRequestName = keyof typeof API_REQUESTS;

/** A request that a subject asks for; parts that it does not have are "". */
export interface ApiAddress {
  readonly request: ApiRequestName;
  readonly served: Served;
  readonly stream: string;
  readonly consumer: string;
  readonly filter: string;
  readonly account: string;
}

const TYPE_PREFIX = "io.nats.jetstream.api.v1.";

/** The type of the answer to what is no request. */
export const SYSTEM_RESPONSE = `${TYPE_PREFIX}system_response`;

/** The most tokens that a request's name has. */
const LONGEST_NAME = 3;

/** The request that a subject asks for; undefined when there is none such. */
export function parseApiSubject(subject: string): ApiAddress | undefined {
  if (!subject.startsWith(API_PREFIX)) return undefined;
  const tokens = subject.slice(API_PREFIX.length).split(".");
  for (let length = Math.min(LONGEST_NAME, tokens.length); length > 0; length--) {
    const name = tokens.slice(0, length).join(".");
    if (Object.hasOwn(API_REQUESTS, name)) return addressOf(name as ApiRequestName, tokens.slice(length));
  }
  return undefined;
}

function addressOf(request: ApiRequestName, given: readonly string[]): ApiAddress | undefined {
  if (given.includes("")) return undefined;
  const { forms, served }: ApiRequestRow = API_REQUESTS[request];
  for (const form of forms) {
    const open = form.at(-1) === "filter";
    if (open ? given.length < form.length : given.length !== form.length) continue;
    const found = { stream: "", consumer: "", filter: "", account: "" };
    form.forEach((parameter, i) => {
      found[parameter] = parameter === "filter" ? given.slice(i).join(".") : given[i];
    });
    return { request, served, ...found };
  }
  return undefined;
}

/** The `type` of the answer to a request; "" when messages answer it. */
export function responseType(request: ApiRequestName): string {
  const { response } = API_REQUESTS[request];
  return response === "" ? "" : TYPE_PREFIX + response;
}
