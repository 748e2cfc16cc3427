/** The raw exchanges with a configured server, against a real nats-server. */

import { CONFIGURED } from "../support/configured-exchanges.ts";
import { startReal } from "../support/configured-server.ts";
import { exchangesSuite } from "../support/exchanges-suite.ts";

for (const { name, config, exchanges } of CONFIGURED) {
  exchangesSuite(`${name}, with nats-server`, () => startReal(config), exchanges);
}
