/** Our client over every transport, against a real nats-server. */
import { startReal } from "../support/configured-server.ts";
import { transportSuites } from "../support/transport-suites.ts";

transportSuites("nats-server", startReal);
