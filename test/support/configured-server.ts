import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { RealServer } from "./real-server.ts";

/** A server with a configuration in nats-server's language, on a free port. */
export interface ConfiguredServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a server, ours or the real one, with a configuration. */
export type StartConfigured = (config: string) => Promise<ConfiguredServer>;

/** The embedded one. */
export const startOurs: StartConfigured = (config) =>
  withFile(config, async (file) => {
    const server = await NatsServer.fromConfigFile(file, { listen: { host: "127.0.0.1", port: 0 } });
    return { port: server.port!, close: () => server.close() };
  });

/** A real nats-server. */
export const startReal: StartConfigured = (config) =>
  withFile(config, (file) => RealServer.start(["-c", file]));

async function withFile(
  config: string,
  start: (file: string) => Promise<ConfiguredServer>,
): Promise<ConfiguredServer> {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, config);
  const server = await start(file);
  return {
    port: server.port,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
