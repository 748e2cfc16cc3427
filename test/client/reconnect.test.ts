/** Our client against the embedded server, when the network fails. */
import { NatsServer } from "../../src/runtime/node/index.ts";
import { reconnectSuite } from "../support/reconnect-suite.ts";

reconnectSuite("our client, when the network fails", async () => {
  const server = await NatsServer.start({ listen: { port: 0 } });
  return { port: server.port!, close: () => server.close() };
});
