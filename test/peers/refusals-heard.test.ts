/** Who hears of clients that are refused, with a real nats-server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealServer } from "../support/real-server.ts";
import { REFUSALS_CONFIG, refusalsHeardSuite } from "../support/refusals-heard-suite.ts";

refusalsHeardSuite("who hears of refused clients, with nats-server", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, REFUSALS_CONFIG);
  const server = await RealServer.start(["-c", file]);
  return {
    port: server.port,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
});
