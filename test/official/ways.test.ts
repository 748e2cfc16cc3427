/** The official clients against the embedded server: over TCP, TLS and WebSocket, and in process. */
import { wsconnect } from "@nats-io/nats-core";
import { connect as connectOfficial } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { connect as connectInProcess } from "../../src/runtime/node/nats-core.ts";
import { connectionSuite, OFFICIAL } from "../support/connection-suite.ts";
import { certificate, pem } from "../support/tls-files.ts";
import { websocketFactory } from "../support/websocket-client.ts";

connectionSuite("the official client over TCP", OFFICIAL, async () => {
  const server = await NatsServer.start({ listen: { port: 0 } });
  return {
    connect: (options) => connectOfficial({ ...options, servers: server.clientUrl, reconnect: false }),
    close: () => server.close(),
  };
});

connectionSuite("the official client over TLS", OFFICIAL, async () => {
  const server = await NatsServer.start({ listen: { port: 0 }, tls: certificate("server") });
  const tls = { ca: pem("ca.pem") };
  return {
    connect: (options) => connectOfficial({ ...options, servers: server.clientUrl, reconnect: false, tls }),
    close: () => server.close(),
  };
});

for (const compression of [false, true]) {
  const name = `the official client over ${compression ? "compressed " : ""}WebSocket`;
  connectionSuite(name, OFFICIAL, async () => {
    const server = await NatsServer.start({ websocket: { port: 0, noTls: true, compression } });
    return {
      connect: (options) =>
        wsconnect({
          ...options,
          servers: server.websocketUrl,
          reconnect: false,
          wsFactory: websocketFactory(),
        }),
      close: () => server.close(),
    };
  });
}

connectionSuite("the official client over WebSocket with TLS", OFFICIAL, async () => {
  const server = await NatsServer.start({ websocket: { port: 0, tls: certificate("server") } });
  const wsFactory = websocketFactory({ ca: pem("ca.pem") });
  return {
    connect: (options) =>
      wsconnect({ ...options, servers: server.websocketUrl, reconnect: false, wsFactory }),
    close: () => server.close(),
  };
});

connectionSuite("the official client in process", OFFICIAL, async () => {
  const server = await NatsServer.start();
  return {
    connect: (options) => connectInProcess({ ...options, inProcessServer: server, reconnect: false }),
    close: () => server.close(),
  };
});
