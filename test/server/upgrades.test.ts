/** Requests to the WebSocket listener, from raw bytes. */
import { NatsServer } from "../../src/runtime/node/index.ts";
import { upgradesSuite } from "../support/upgrades.ts";

upgradesSuite("upgrades with the embedded server", true, async (options) => {
  const server = await NatsServer.start({ websocket: { port: 0, noTls: true, ...options } });
  return { port: Number(new URL(server.websocketUrl!).port), close: () => server.close() };
});
