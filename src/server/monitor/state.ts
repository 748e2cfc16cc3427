import type { Broker } from "../../broker/broker.ts";
import type { JetStream } from "../../jetstream/jetstream.ts";
import type { ServerInfo } from "../../protocol/info.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Host } from "../../seams/host.ts";
import type { ListenAddress } from "../../seams/listener.ts";
import type { Logger } from "../../seams/logger.ts";
import type { Tasks } from "../../seams/tasks.ts";
import type { ResolvedServerOptions } from "../options/resolve.ts";

/** The listener for clients over WebSocket, as monitoring shows it. */
export interface WebsocketAddress {
  readonly address: ListenAddress | undefined;
  /** When its certificate expires, in ms since the epoch; undefined without TLS. */
  readonly tlsNotAfter: number | undefined;
}

/** What the views of monitoring read. All of it is as it is now. */
export interface MonitorState {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly host: Host;
  readonly log: Logger;
  readonly options: ResolvedServerOptions;
  /** What `INFO` says of the server. */
  readonly info: ServerInfo;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly configLoadedAt: number;
  /** Of the configuration file; "" without one. */
  readonly configDigest: string;
  /** The name of the system account; undefined without one. */
  readonly systemAccount: string | undefined;
  /** Where monitoring listens; undefined where it does not. */
  readonly http: ListenAddress | undefined;
  readonly https: ListenAddress | undefined;
  /** Where clients connect over WebSocket; undefined where they do not. */
  readonly websocket: WebsocketAddress | undefined;
  /** When the certificate for clients expires, in ms since the epoch; undefined without TLS. */
  readonly tlsNotAfter: number | undefined;
  /** How often each path was asked for. */
  readonly requests: ReadonlyMap<string, number>;
  /** JetStream; undefined where it is off. */
  readonly jetstream: JetStream | undefined;
  /** Whether the server takes connections. */
  readonly ready: boolean;
}
