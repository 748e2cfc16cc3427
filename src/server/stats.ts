import type { Broker } from "../broker/broker.ts";

/** Numbers about a running server. */
export interface ServerStats {
  /** Connections now, and ever. */
  readonly connections: number;
  readonly totalConnections: number;
  readonly subscriptions: number;
  /** Messages and bytes from clients, and to them. */
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
  /** Clients that were cut off because they read too slowly. */
  readonly slowConsumers: number;
}

/** The numbers as they are now. */
export function statsOf(broker: Broker): ServerStats {
  const { sessions, totalConnections, subscriptions, slowConsumers } = broker;
  return {
    connections: sessions.size,
    totalConnections,
    subscriptions,
    slowConsumers,
    ...broker.traffic(),
  };
}
