/** Whom the embedded server lets in, seen from our client. */
import { startOurs } from "../support/configured-server.ts";
import { credentialsSuite } from "../support/credentials-suite.ts";

credentialsSuite("Gnatlet", startOurs);
