import type { ConnectionOptions, NatsConnection } from "@nats-io/nats-core";
import { NatsConnectionImpl } from "@nats-io/nats-core/internal";
import { VERSION } from "../../seams/version.ts";
import {
  InProcessProtocolHandler,
  type InProcessServerOfBytes,
  InProcessTransport,
} from "../nats-core-transport.ts";
import { NodeTasks } from "./tasks.ts";

/** Options of the official client, and the server in this program that it connects to. */
export interface NatsCoreConnectOptions extends Omit<ConnectionOptions, "servers" | "port" | "tls"> {
  /** A `NatsServer`. */
  inProcessServer: InProcessServerOfBytes;
}

/** The official library makes its connections by a static method, with its own protocol handler; this is what it does. */
const OfficialConnection = NatsConnectionImpl as unknown as new (
  options: ConnectionOptions,
) => NatsConnectionImpl;

/**
 * The official client (`@nats-io/nats-core`) on a server in this program: its own connection, protocol and parser, on a transport that is
 * memory. It lives beside connections over other transports. Rejects as the official `connect` does.
 */
export async function connect(options: NatsCoreConnectOptions): Promise<NatsConnection> {
  const { inProcessServer, ...rest } = options;
  if (typeof inProcessServer?.inProcessConn !== "function") {
    throw new TypeError("option inProcessServer must be a NatsServer");
  }
  const tasks = new NodeTasks();
  const connection = new OfficialConnection(rest);
  connection.protocol = new InProcessProtocolHandler(
    connection.options,
    connection,
    () => new InProcessTransport(inProcessServer, tasks, VERSION),
    () => new InProcessTransport(undefined, tasks, VERSION),
  );
  await connection.protocol.dialLoop();
  return connection;
}
