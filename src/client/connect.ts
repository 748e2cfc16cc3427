import type { ClientRuntime } from "../seams/runtime.ts";
import { Connection } from "./connection.ts";
import { type ConnectOptions, settle } from "./options.ts";

/** Loads what finds servers and greets them: a connection within the program does without until it is lost. */
export type LoadConnector = () => Promise<typeof import("./connector.ts")>;

const loadConnector: LoadConnector = () => import("./connector.ts");

/**
 * Connects to a server that takes the client.
 * Rejects with the error of the last one tried, or errors.InvalidArgumentError when the options cannot be.
 */
export async function connectWith(
  options: ConnectOptions,
  runtime: ClientRuntime,
  load: LoadConnector = loadConnector,
): Promise<Connection> {
  const connection = new Connection(settle(options, runtime), runtime, options, load);
  await connection.open();
  return connection;
}
