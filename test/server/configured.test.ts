/** The raw exchanges with a configured server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { CONFIGURED } from "../support/configured-exchanges.ts";
import { exchangesSuite } from "../support/exchanges-suite.ts";

for (const { name, config, exchanges } of CONFIGURED) {
  exchangesSuite(name, () => startWith(config), exchanges);
}

async function startWith(config: string) {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, config);
  const server = await NatsServer.fromConfigFile(file, { listen: { host: "127.0.0.1", port: 0 } });
  return {
    port: server.port!,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
