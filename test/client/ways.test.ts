/** Our client over every way in, against the embedded server. */
import { connect, NatsServer } from "../../src/runtime/node/index.ts";
import { connectionSuite, OURS } from "../support/connection-suite.ts";

connectionSuite("our client in process", OURS, async () => {
  const server = await NatsServer.start();
  return {
    connect: (options) => connect({ ...options, inProcessServer: server }),
    close: () => server.close(),
  };
});

connectionSuite("our client over TCP", OURS, async () => {
  const server = await NatsServer.start({ listen: { port: 0 } });
  return {
    connect: (options) => connect({ ...options, servers: server.clientUrl }),
    close: () => server.close(),
  };
});

connectionSuite("our client over a MessagePort", OURS, async () => {
  const server = await NatsServer.start();
  return {
    connect: (options) => connect({ ...options, messagePort: server.messagePort() }),
    close: () => server.close(),
  };
});
