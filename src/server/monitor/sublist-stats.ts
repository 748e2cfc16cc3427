import type { Account } from "../../broker/account.ts";

/** Numbers about the subject trees of accounts (nats-server `SublistStats`). */
export function sublistStats(accounts: Iterable<Account>) {
  let cacheHits = 0;
  let totalFanout = 0;
  const sum = {
    num_subscriptions: 0,
    num_cache: 0,
    num_inserts: 0,
    num_removes: 0,
    num_matches: 0,
    cache_hit_rate: 0,
    max_fanout: 0,
    avg_fanout: 0,
  };
  for (const { router } of accounts) {
    const stats = router.stats();
    sum.num_subscriptions += stats.subscriptions;
    sum.num_cache += stats.cache;
    sum.num_inserts += stats.inserts;
    sum.num_removes += stats.removes;
    sum.num_matches += stats.matches;
    sum.max_fanout = Math.max(sum.max_fanout, stats.maxFanout);
    cacheHits += stats.cacheHits;
    totalFanout += stats.totalFanout;
  }
  if (sum.num_matches > 0) sum.cache_hit_rate = cacheHits / sum.num_matches;
  if (sum.num_cache > 0) sum.avg_fanout = totalFanout / sum.num_cache;
  return sum;
}
