/** Our client against a real nats-server, when the network fails. */
import { RealServer } from "../support/real-server.ts";
import { reconnectSuite } from "../support/reconnect-suite.ts";

reconnectSuite("our client with nats-server, when the network fails", () => RealServer.start());
