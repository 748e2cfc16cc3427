/** The raw exchanges with a configured server, against a real nats-server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONFIGURED } from "../support/configured-exchanges.ts";
import { exchangesSuite } from "../support/exchanges-suite.ts";
import { RealServer } from "../support/real-server.ts";

for (const { name, config, exchanges } of CONFIGURED) {
  exchangesSuite(`${name}, with nats-server`, () => startWith(config), exchanges);
}

async function startWith(config: string) {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, config);
  const server = await RealServer.start(["-c", file]);
  return {
    port: server.port,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
