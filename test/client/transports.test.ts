/** Our client over every transport, against the embedded server. */
import { startOurs } from "../support/configured-server.ts";
import { transportSuites } from "../support/transport-suites.ts";

transportSuites("Gnatlet", startOurs);
