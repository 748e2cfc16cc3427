/** How connections with TLS begin, from raw bytes. */
import { NatsServer } from "../../src/runtime/node/index.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { tlsExchangesSuite } from "../support/tls-exchanges.ts";
import { certificate, tlsFile } from "../support/tls-files.ts";

tlsExchangesSuite("TLS with the embedded server", true, async (tls, allowNonTls) => {
  const logger = new RecordingLogger();
  const server = await NatsServer.start({
    listen: { port: 0 },
    tls: { ...certificate("server"), caFile: tlsFile("ca.pem"), ...tls },
    allowNonTls,
    debug: true,
    logger,
  });
  return { port: server.port!, log: () => logger.lines, close: () => server.close() };
});
