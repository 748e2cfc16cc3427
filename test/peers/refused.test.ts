/** How connections end whose clients publish too much at once, with a real nats-server. */
import { RealServer } from "../support/real-server.ts";
import { refusedSuite } from "../support/refused-suite.ts";

refusedSuite("a payload that is too large, with nats-server", () => RealServer.start());
