/** The table of raw exchanges, against the embedded server. */
import { NatsServer } from "../../src/runtime/node/index.ts";
import { exchangesSuite } from "../support/exchanges-suite.ts";

exchangesSuite("raw exchanges", async () => {
  const server = await NatsServer.start({ listen: { port: 0 } });
  return { port: server.port!, close: () => server.close() };
});
