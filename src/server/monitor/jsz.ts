import type { JetStreamAccount } from "../../jetstream/account/account.ts";
import type { JetStream } from "../../jetstream/jetstream.ts";
import { loadJszDetails } from "../on-demand.ts";
import { MonitorError } from "./errors.ts";
import { goTime, orOmit } from "./go-format.ts";
import { jetstreamConfig, jetstreamLimits, jetstreamStats } from "./jetstream-stats.ts";
import type { AccountDetail, DetailOptions } from "./jsz-details.ts";
import type { MonitorState } from "./state.ts";

const DEFAULT_LIMIT = 1_024;

/** What `/jsz` may be asked for; the names are those of the system account's services. */
export interface JszOptions extends DetailOptions {
  /** Only this account. */
  account?: string;
  accounts?: boolean;
  leader_only?: boolean;
  /** Of the accounts. */
  offset?: number;
  limit?: number;
}

/**
 * JetStream: what there is, and of accounts, streams and consumers what is asked for. Streams and consumers are written in pieces, between which
 * the server does other things.
 * @throws MonitorError when JetStream is off, and only the leader of a cluster is to answer.
 */
export async function jsz(state: MonitorState, options: JszOptions = {}) {
  const { jetstream } = state;
  const head = { server_id: state.info.server_id, now: goTime(state.clock.now()) };
  if (jetstream === undefined) {
    if (options.leader_only) throw new MonitorError("filtered response: not leader");
    return { ...OFF, ...head, disabled: true, config: { max_memory: 0, max_storage: 0 }, ...NONE, total: 0 };
  }
  return {
    ...jetstreamStats(jetstream),
    ...head,
    config: jetstreamConfig(jetstream),
    limits: jetstreamLimits(state.options.jetstream ?? {}),
    ...totals(jetstream, options.raft ?? false),
    account_details: orOmit(await details(state, shownAccounts(jetstream, options), options)),
    total: jetstream.accounts.size,
  };
}

const OFF = {
  memory: 0,
  storage: 0,
  reserved_memory: 0,
  reserved_storage: 0,
  accounts: 0,
  ha_assets: 0,
  api: { level: 0, total: 0, errors: 0, inflight: undefined },
};
const NONE = { streams: 0, consumers: 0, messages: 0, bytes: 0 };

/** Of all accounts, whichever are shown. @param raft - whether it is said how many this server leads, which is all. */
function totals({ accounts }: JetStream, raft: boolean) {
  const sum = { ...NONE };
  for (const account of accounts.values()) {
    sum.streams += account.streams.size;
    for (const { store, consumers } of account.streams.values()) {
      sum.consumers += consumers.count;
      sum.messages += store.state.messages;
      sum.bytes += store.state.bytes;
    }
  }
  return {
    streams: sum.streams,
    streams_leader: raft ? orOmit(sum.streams) : undefined,
    consumers: sum.consumers,
    consumers_leader: raft ? orOmit(sum.consumers) : undefined,
    messages: sum.messages,
    bytes: sum.bytes,
  };
}

/** The account that is asked for; all of a page when there is none of that name and accounts are asked for. */
function shownAccounts({ accounts }: JetStream, options: JszOptions): JetStreamAccount[] {
  const { account = "", offset = 0, limit = 0 } = options;
  const only = accounts.get(account);
  if (only !== undefined) return [only];
  const streams = options.streams || options.consumer;
  if (!options.accounts && !(streams && account === "")) return [];
  if (limit < 0) return [...accounts.values()];
  const sorted = [...accounts.values()].sort((a, b) => (a.context.name < b.context.name ? -1 : 1));
  const from = Math.max(0, offset);
  return sorted.slice(from, from + (limit || DEFAULT_LIMIT));
}

async function details(
  state: MonitorState,
  accounts: readonly JetStreamAccount[],
  options: DetailOptions,
): Promise<AccountDetail[]> {
  if (accounts.length === 0) return [];
  const { accountDetails } = await loadJszDetails();
  return accountDetails(state, accounts, { ...options, streams: options.streams || options.consumer });
}

/**
 * JetStream of one account, as the system account's service shows it.
 * @throws MonitorError when it has none.
 */
export async function jszAccount(state: MonitorState, name: string, options: DetailOptions) {
  const { jetstream } = state;
  if (jetstream === undefined) throw new MonitorError("jetstream not enabled");
  const account = jetstream.accounts.get(name);
  if (account === undefined) {
    const known = state.broker.accounts.has(name);
    throw new MonitorError(`account ${JSON.stringify(name)} not ${known ? "jetstream enabled" : "found"}`);
  }
  const { accountDetails } = await loadJszDetails();
  return (await accountDetails(state, [account], options))[0];
}
