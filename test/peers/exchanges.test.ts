/** The table of raw exchanges, against a real nats-server: what the table says is what nats-server does. */
import { exchangesSuite } from "../support/exchanges-suite.ts";
import { RealServer } from "../support/real-server.ts";

exchangesSuite("raw exchanges with nats-server", () => RealServer.start());
