/** Our client against a real nats-server; and the official client, which shows that the suite asks nothing of our own making. */
import { connect as connectOfficial } from "@nats-io/transport-node";
import { connect } from "../../src/runtime/node/index.ts";
import { connectionSuite, OFFICIAL, OURS } from "../support/connection-suite.ts";
import { RealServer } from "../support/real-server.ts";

connectionSuite("our client with nats-server", OURS, async () => {
  const server = await RealServer.start();
  return { connect: (options) => connect({ ...options, servers: server.url }), close: () => server.close() };
});

connectionSuite("the official client with nats-server", OFFICIAL, async () => {
  const server = await RealServer.start();
  return {
    connect: (options) => connectOfficial({ ...options, servers: server.url, reconnect: false }),
    close: () => server.close(),
  };
});
