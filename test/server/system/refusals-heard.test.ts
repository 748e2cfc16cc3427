/** Who hears of clients that are refused, with the embedded server. */
import { startOurs } from "../../support/configured-server.ts";
import { REFUSALS_CONFIG, refusalsHeardSuite } from "../../support/refusals-heard-suite.ts";

refusalsHeardSuite("who hears of refused clients, with the embedded server", () =>
  startOurs(REFUSALS_CONFIG),
);
