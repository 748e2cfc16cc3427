import { connectWith } from "../../client/connect.ts";
import type { Connection } from "../../client/connection.ts";
import type { ConnectOptions } from "../../client/options.ts";
import { nodeRuntime } from "./runtime.ts";

/**
 * Connects to a NATS server: one in this program (`{ inProcessServer }`), one in another thread (`{ messagePort }`), or any one
 * over TCP (`{ servers: "nats://host:port" }`; default 127.0.0.1:4222).
 *
 * Rejects with the official client's errors: ConnectionError, TimeoutError, AuthorizationError, InvalidArgumentError.
 */
export function connect(options: ConnectOptions = {}): Promise<Connection> {
  return connectWith(options, nodeRuntime());
}

/**
 * The same for WebSockets alone, under the official client's name: servers without a scheme are `wss://`.
 */
export function wsconnect(options: ConnectOptions = {}): Promise<Connection> {
  const { dial: _, ...webSockets } = nodeRuntime();
  return connectWith(options, webSockets);
}

export type { Connection, ConnectionStats } from "../../client/connection.ts";
export { ReconnectBufferExceededError, WriteBufferExceededError } from "../../client/errors.ts";
export * from "../../client/from-core.ts";
export type { ClientMsg } from "../../client/msg.ts";
export type { ConnectOptions, Dial, InProcessServer } from "../../client/options.ts";
export type { ClientSubscription, SubscriptionOptions } from "../../client/subscription.ts";
export { ConfigError, type ConfigProblem } from "../../config/errors.ts";
export type { Duplex, TlsClientOptions } from "../../seams/dial.ts";
export type { Logger } from "../../seams/logger.ts";
export type { Port } from "../../seams/port.ts";
export { VERSION } from "../../seams/version.ts";
export type { InProcessConn } from "../../server/connections.ts";
export { ServerError, type ServerErrorCode } from "../../server/errors.ts";
export type { ListenOptions, ServerOptions } from "../../server/options/types.ts";
export type { ServerStats } from "../../server/stats.ts";
export { NatsServer } from "./nats-server.ts";
