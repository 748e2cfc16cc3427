import { isLiteralSubject, subjectsCollide } from "../../protocol/subject.ts";
import { MonitorError } from "./errors.ts";
import { goTime, orOmit } from "./go-format.ts";
import type { MonitorState } from "./state.ts";
import { page, type SubDetail, subDetail } from "./sub-detail.ts";
import { sublistStats } from "./sublist-stats.ts";

/** How many subscriptions are listed when nobody says. */
const DEFAULT_LIMIT = 1_024;

/** What `/subsz` may be asked for; the names are those of the system account's services. */
export interface SubszOptions {
  offset?: number;
  limit?: number;
  /** Whether to list the subscriptions. */
  subscriptions?: boolean;
  /** Only of this account. */
  account?: string;
  /** Only those that a message on this subject would reach. */
  test?: string;
}

/**
 * Subscriptions of the server.
 * @throws MonitorError when `test` is not a subject to publish on.
 */
export function subsz(state: MonitorState, options: SubszOptions = {}) {
  const { test = "", account = "" } = options;
  const offset = Math.max(0, options.offset ?? 0);
  const limit = (options.limit ?? 0) > 0 ? options.limit! : DEFAULT_LIMIT;
  if (test !== "" && !isLiteralSubject(test)) {
    throw new MonitorError(`invalid test subject, must be valid publish subject: ${test}`);
  }
  const accounts = [...state.broker.accounts.values()].filter(
    ({ name }) => account === "" || name === account,
  );
  const list: SubDetail[] = [];
  if (options.subscriptions) {
    for (const { router } of accounts) {
      for (const subscription of router.all()) {
        if (test === "" || subjectsCollide(subscription.subject, test))
          list.push(subDetail(subscription.record()));
      }
    }
  }
  return {
    server_id: state.info.server_id,
    now: goTime(state.clock.now()),
    ...sublistStats(accounts),
    total: list.length,
    offset,
    limit,
    subscriptions_list: orOmit(page(list, offset, limit)),
  };
}
