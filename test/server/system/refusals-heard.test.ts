/** Who hears of clients that are refused, with the embedded server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NatsServer } from "../../../src/runtime/node/index.ts";
import { REFUSALS_CONFIG, refusalsHeardSuite } from "../../support/refusals-heard-suite.ts";

refusalsHeardSuite("who hears of refused clients, with the embedded server", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, REFUSALS_CONFIG);
  const server = await NatsServer.fromConfigFile(file, { listen: { host: "127.0.0.1", port: 0 } });
  return {
    port: server.port!,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
});
