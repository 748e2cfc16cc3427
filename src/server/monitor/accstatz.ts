import type { Account } from "../../broker/account.ts";
import { goTime } from "./go-format.ts";
import type { MonitorState } from "./state.ts";

/** What `/accstatz` may be asked for; the names are those of the system account's services. */
export interface AccstatzOptions {
  /** Only these. Default: all. */
  accounts?: readonly string[];
  /** Also those without connections. */
  include_unused?: boolean;
}

/** What the accounts of the server have sent and got. */
export function accstatz(state: MonitorState, options: AccstatzOptions = {}) {
  const { accounts: wanted = [] } = options;
  const accounts = [...state.broker.accounts.values()].filter(
    ({ name, sessions }) =>
      (wanted.length === 0 || wanted.includes(name)) && (options.include_unused || sessions.size > 0),
  );
  return {
    server_id: state.info.server_id,
    now: goTime(state.clock.now()),
    account_statz: accounts.map(accountStat),
  };
}

/** What an account has sent and got (nats-server `AccountStat`). */
export function accountStat(account: Account) {
  const { inMsgs, inBytes, outMsgs, outBytes } = account.traffic();
  const conns = account.sessions.size;
  return {
    acc: account.name,
    name: account.name,
    conns,
    leafnodes: 0,
    total_conns: conns,
    num_subscriptions: account.router.count,
    sent: dataStats(outMsgs, outBytes),
    received: dataStats(inMsgs, inBytes),
    slow_consumers: account.slowConsumers,
  };
}

/** There are no other servers that it could have come from or gone to. */
function dataStats(msgs: number, bytes: number) {
  const none = { msgs: 0, bytes: 0 };
  return { msgs, bytes, gateways: none, routes: none, leafs: none };
}
