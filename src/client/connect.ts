import type { ClientRuntime } from "../seams/runtime.ts";
import { Connection } from "./connection.ts";
import { loadConnector } from "./on-demand.ts";
import { type ConnectOptions, settle } from "./options.ts";

/**
 * Connects to a server that takes the client.
 * Rejects with the error of the last one tried, or errors.InvalidArgumentError when the options cannot be.
 * @param load - {@link loadConnector}, or what takes no time instead, for simulations.
 */
export async function connectWith(
  options: ConnectOptions,
  runtime: ClientRuntime,
  load = loadConnector,
): Promise<Connection> {
  const connection = new Connection(settle(options, runtime), runtime, options, load);
  await connection.open();
  return connection;
}
