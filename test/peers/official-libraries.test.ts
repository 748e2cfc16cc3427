/** The official libraries for JetStream, key-value, objects and services on our connection, against a real nats-server. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../src/runtime/node/index.ts";
import { libraryTests } from "../support/library-suite.ts";
import { RealServer } from "../support/real-server.ts";

libraryTests("official libraries on our connection", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-js-"));
  const server = await RealServer.start(["-js", "-sd", folder]);
  const nc = await connect({ servers: server.url });
  return {
    nc,
    close: async () => {
      await nc.close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
});
