/** Who hears of clients that are refused, with a real nats-server. */
import { startReal } from "../support/configured-server.ts";
import { REFUSALS_CONFIG, refusalsHeardSuite } from "../support/refusals-heard-suite.ts";

refusalsHeardSuite("who hears of refused clients, with nats-server", () => startReal(REFUSALS_CONFIG));
