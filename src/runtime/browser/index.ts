import { connectWith } from "../../client/connect.ts";
import type { Connection } from "../../client/connection.ts";
import type { ConnectOptions } from "../../client/options.ts";
import { browserRuntime } from "./runtime.ts";

/**
 * The client alone, for browsers and whatever else has the web's interfaces: connects to a NATS server over a WebSocket
 * (`{ servers: "wss://host" }`), to one in another thread (`{ messagePort }`), to one in this program (`{ inProcessServer }`), or over
 * streams of the program's own (`{ dial }`).
 *
 * Rejects with the official client's errors: ConnectionError, TimeoutError, AuthorizationError, InvalidArgumentError.
 */
export function connect(options: ConnectOptions = {}): Promise<Connection> {
  return connectWith(options, browserRuntime());
}

/** The official client's name for it. */
export const wsconnect = connect;

export type { Connection, ConnectionStats } from "../../client/connection.ts";
export { ReconnectBufferExceededError, WriteBufferExceededError } from "../../client/errors.ts";
export * from "../../client/from-core.ts";
export type { ClientMsg } from "../../client/msg.ts";
export type { ConnectOptions, Dial, InProcessServer } from "../../client/options.ts";
export type { ClientSubscription, SubscriptionOptions } from "../../client/subscription.ts";
export type { Duplex } from "../../seams/dial.ts";
export type { Port } from "../../seams/port.ts";
export { VERSION } from "../../seams/version.ts";
