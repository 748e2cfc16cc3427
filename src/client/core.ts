/**
 * What the client takes from the official client's core library: types, headers, errors, authenticators. Everything else of
 * a connection is our own.
 */
export type {
  Authenticator,
  ConnectionOptions,
  Msg,
  NatsConnection,
  Payload,
  PermissionViolationError,
  PublishOptions,
  ReconnectToServerHandler,
  RequestManyOptions,
  RequestOptions,
  Server,
  ServerInfo,
  Stats,
  Status,
  Subscription,
} from "@nats-io/nats-core";
export { buildAuthenticator, createInbox, errors, headers } from "@nats-io/nats-core";
export { Features, type MsgHdrsImpl, parseSemVer } from "@nats-io/nats-core/internal";

/** A version in its parts: the official client's type, which it does not export. */
export interface SemVer {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
}

/** Where a server is that nothing else is said of. */
export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 4222;
