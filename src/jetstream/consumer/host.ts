import type { StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import type { StreamConfig } from "../stream/config.ts";

/** What consumers need of the stream that they are consumers of. */
export interface ConsumerHost {
  readonly account: AccountContext;
  /** As it is now. */
  readonly config: StreamConfig;
  /** Messages above its `syncedSeq` must not be delivered. */
  readonly store: StreamStore;
  /** Whether the stream has been closed or deleted: nothing may be asked of it any more. */
  readonly closed: boolean;
  /** Where things of the stream are kept in `account.disk` or `account.memory`: names of consumers come below it. */
  readonly place: readonly string[];
  /**
   * The consumer does not need a message any more (it was acknowledged, or delivered as often as it may be): streams that
   * keep messages for consumers remove it when no other needs it.
   */
  released(seq: number): void;
  /**
   * Who needs what has changed (a consumer has gone, begins anew or has changed its filters): the stream looks at its messages again.
   * @param patterns - of the subjects that this is about; empty for all.
   */
  needsChanged(patterns: readonly string[]): void;
}
