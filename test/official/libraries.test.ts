/** The official libraries for JetStream, key-value, objects and services on our server: over TCP, and in process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as officialConnect } from "@nats-io/transport-node";
import { connect, NatsServer } from "../../src/runtime/node/index.ts";
import { libraryTests } from "../support/library-suite.ts";

libraryTests("official libraries over TCP, streams in files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-js-"));
  const server = await NatsServer.start({ listen: { port: 0 }, jetstream: { storeDir: folder } });
  const nc = await officialConnect({ servers: server.clientUrl });
  return {
    nc,
    close: async () => {
      await nc.close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
});

libraryTests("official libraries in process, streams in memory", async () => {
  const server = await NatsServer.start({ jetstream: true });
  const nc = await connect({ inProcessServer: server });
  return {
    nc,
    close: async () => {
      await nc.close();
      await server.close();
    },
  };
});
