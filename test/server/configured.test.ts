/** The raw exchanges with a configured server. */

import { CONFIGURED } from "../support/configured-exchanges.ts";
import { startOurs } from "../support/configured-server.ts";
import { exchangesSuite } from "../support/exchanges-suite.ts";

for (const { name, config, exchanges } of CONFIGURED) {
  exchangesSuite(name, () => startOurs(config), exchanges);
}
