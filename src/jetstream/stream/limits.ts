import { apiError } from "../errors.ts";
import type { StorageType, StreamConfig } from "./config.ts";
import type { AccountLimits, StreamContext } from "./context.ts";

/** How many bytes are promised to streams by their `max_bytes`. */
export interface Reservations {
  /** To the other streams of the account with this storage. */
  readonly account: number;
  /** To all streams of the server with this storage, this one's included once it exists. */
  readonly server: number;
  /** How many the server has. */
  readonly serverMax: number;
}

/** What is asked of the account and the server before a stream gets its limits. */
export interface LimitsContext extends StreamContext {
  reservations(stream: Pick<StreamConfig, "name" | "storage">): Reservations;
}

/** The configuration whose limits are asked for, and how many bytes are to be promised in addition. */
type Wanted = Pick<StreamConfig, "name" | "maxConsumers" | "storage">;

/**
 * Checks that account and server can give what a stream wants (nats-server `checkAllLimits`, D.16).
 * @param addBytes - to be promised in addition; without a limit (below 0) there must at least be one byte.
 * @param heldBytes - what the account has promised to this stream before.
 * @throws ApiError
 */
export function checkLimits(
  wanted: Wanted,
  addBytes: number,
  heldBytes: number,
  context: LimitsContext,
): void {
  const { maxConsumers } = context.account;
  if (wanted.maxConsumers > 0 && maxConsumers > 0 && wanted.maxConsumers > maxConsumers)
    throw apiError(10026);
  const bytes = addBytes < 0 ? 1 : addBytes;
  const { account, server, serverMax } = context.reservations(wanted);
  const limit = storageLimit(context.account, wanted.storage);
  const beyondAccount = limit >= 0 && account + heldBytes + bytes > limit;
  if (beyondAccount || server + bytes > serverMax)
    throw apiError(wanted.storage === "memory" ? 10028 : 10047);
}

function storageLimit(limits: AccountLimits, storage: StorageType): number {
  return storage === "memory" ? limits.maxMemory : limits.maxStore;
}
