import type { Account } from "../../broker/account.ts";
import type { MappingRule, WeightedDestination } from "../../broker/mappings.ts";
import { MonitorError } from "./errors.ts";
import { goTime, orOmit } from "./go-format.ts";
import type { MonitorState } from "./state.ts";
import { sublistStats } from "./sublist-stats.ts";

/** What `/accountz` may be asked for; the name is that of the system account's services. */
export interface AccountzOptions {
  /** All about this account, instead of the names of all. */
  account?: string;
}

/**
 * The accounts of the server, or one of them.
 * @throws MonitorError when there is no such account.
 */
export function accountz(state: MonitorState, options: AccountzOptions = {}) {
  const { account: name = "" } = options;
  const { accounts } = state.broker;
  const account = accounts.get(name);
  if (name !== "" && account === undefined) throw new MonitorError(`Account ${name} does not exist`);
  return {
    server_id: state.info.server_id,
    now: goTime(state.clock.now()),
    system_account: state.systemAccount,
    accounts: name === "" ? [...accounts.keys()] : undefined,
    account_detail: account === undefined ? undefined : accountInfo(state, account),
  };
}

/** All about an account (nats-server `AccountInfo`). */
export function accountInfo(state: MonitorState, account: Account) {
  return {
    account_name: account.name,
    update_time: goTime(state.configLoadedAt),
    is_system: account.name === state.systemAccount ? true : undefined,
    expired: false,
    complete: true,
    jetstream_enabled: state.jetstream?.accounts.has(account.name) ?? false,
    leafnode_connections: 0,
    client_connections: account.sessions.size,
    subscriptions: account.router.count,
    mappings: mappings(state.options.accountMappings.get(account.name) ?? []),
    name_tag: account.name,
    sublist_stats: sublistStats([account]),
  };
}

/** Where messages go, by what they are published on: the share that goes nowhere else stays (nats-server `AddWeightedMappings`). */
function mappings(rules: readonly MappingRule[]) {
  if (rules.length === 0) return undefined;
  return Object.fromEntries(rules.map((rule) => [rule.source, destinations(rule)]));
}

function destinations({ source, destinations: all }: MappingRule) {
  const own = all.filter(({ cluster = "" }) => cluster === "");
  const total = own.reduce((sum, { weight }) => sum + weight, 0);
  if (total < 100 && !all.some(({ destination }) => destination === source))
    own.push({ destination: source, weight: 100 - total });
  own.sort((a, b) => a.weight - b.weight);
  return [...own, ...all.filter(({ cluster = "" }) => cluster !== "")].map(mapDest);
}

function mapDest({ destination, weight, cluster = "" }: WeightedDestination) {
  return { subject: destination, weight, cluster: orOmit(cluster) };
}
