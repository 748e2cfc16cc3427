import { API_PREFIX, NO_LIMITS } from "../broker/account.ts";
import type { Broker } from "../broker/broker.ts";
import { AccountMappings, type MappingRule } from "../broker/mappings.ts";
import type { Runtime } from "../seams/runtime.ts";
import { Authorization } from "./authorization.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";

/** Makes a broker's accounts and users what the options say, from now on; returns who may connect, undefined for everybody. */
export function applyAccounts(
  broker: Broker,
  options: ResolvedServerOptions,
  runtime: Pick<Runtime, "passwords" | "random">,
): Authorization | undefined {
  const { accounts, accountMappings, systemAccount } = options;
  const domain = domainMappings(options.jetstream?.domain);
  for (const name of [...Object.keys(accounts), ...accountMappings.keys()]) broker.account(name);
  for (const account of broker.accounts.values()) {
    const { limits, msgTrace } = accounts[account.name] ?? {};
    account.limits = { ...NO_LIMITS, ...limits };
    account.trace = msgTrace && { dest: msgTrace.dest, sampling: msgTrace.sampling ?? 100 };
    const rules = [...domain, ...(accountMappings.get(account.name) ?? [])];
    account.mappings = rules.length === 0 ? undefined : new AccountMappings(rules, runtime.random);
  }
  if (!mayAsk(options)) {
    broker.authenticator = undefined;
    return undefined;
  }
  const authorization = new Authorization(options, {
    passwords: runtime.passwords,
    account: (name) => (name === undefined ? broker.globalAccount : broker.account(name)),
    systemAccount,
  });
  broker.authenticator = authorization.needed ? authorization : undefined;
  return authorization;
}

/** How JetStream is reached by the name of its domain. */
function domainMappings(domain: string | undefined): readonly MappingRule[] {
  if (domain === undefined) return [];
  const api = `$JS.${domain}.API`;
  const rule = (source: string, destination: string): MappingRule => ({
    source,
    destinations: [{ destination, weight: 100 }],
  });
  return [rule(`${api}.$KV.>`, "$KV.>"), rule(`${api}.$OBJ.>`, "$OBJ.>"), rule(`${api}.>`, `${API_PREFIX}>`)];
}

/** Whether there is anything in the options that may make clients say who they are. */
function mayAsk({ authorization, accounts, noAuthUser, websocket }: ResolvedServerOptions): boolean {
  if (authorization !== undefined || noAuthUser !== undefined || websocket !== undefined) return true;
  return Object.values(accounts).some(({ users }) => users !== undefined);
}
