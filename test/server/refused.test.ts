/** How connections end whose clients publish too much at once. */
import { NatsServer } from "../../src/runtime/node/index.ts";
import { refusedSuite } from "../support/refused-suite.ts";

refusedSuite("a payload that is too large, with the embedded server", async () => {
  const server = await NatsServer.start({ listen: { port: 0 } });
  return { port: server.port!, close: () => server.close() };
});
