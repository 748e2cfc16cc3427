import type { Runtime } from "../seams/runtime.ts";
import { Connection } from "./connection.ts";
import { buildAuthenticator, errors } from "./core.ts";
import { CONNECT_TIMEOUT_MS, type ConnectOptions, type Target, targetsOf } from "./options.ts";

/**
 * Connects to the first server that takes the client.
 * Rejects with the error of the last one tried, or errors.InvalidArgumentError when the options cannot be.
 */
export async function connectWith(options: ConnectOptions, runtime: Runtime): Promise<Connection> {
  const targets = targetsOf(options);
  const settled: ConnectOptions = { ...options, authenticator: buildAuthenticator(options) };
  let failure: unknown;
  for (const target of targets) {
    try {
      return await connectTo(target, settled, runtime);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function connectTo(target: Target, options: ConnectOptions, runtime: Runtime): Promise<Connection> {
  const connection = new Connection(options, runtime, nameOf(target));
  const timer = runtime.clock.after(options.timeout ?? CONNECT_TIMEOUT_MS, () =>
    connection.abort(new errors.TimeoutError()),
  );
  try {
    await connection.open(target);
    return connection;
  } catch (error) {
    if (error instanceof Error && (error as { code?: unknown }).code === "ECONNREFUSED") {
      throw new errors.ConnectionError("connection refused", { cause: error });
    }
    throw error;
  } finally {
    timer.cancel();
  }
}

function nameOf(target: Target): string {
  switch (target.kind) {
    case "in-process":
      return "in-process";
    case "port":
      return "message-port";
    case "tcp":
      return `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
  }
}
