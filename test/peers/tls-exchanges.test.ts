/** How connections with TLS begin, with a real nats-server: what the table says is what nats-server does. */
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { TlsOptions } from "../../src/server/options/types.ts";
import { RealServer } from "../support/real-server.ts";
import { tlsExchangesSuite } from "../support/tls-exchanges.ts";
import { certificate, tlsFile } from "../support/tls-files.ts";

let files = 0;

tlsExchangesSuite("TLS with nats-server", false, async (tls, allowNonTls) => {
  const file = join(tmpdir(), `gnatlet-tls-${process.pid}-${files++}.conf`);
  await writeFile(file, `allow_non_tls: ${allowNonTls}\ntls {\n${block(tls)}\n}\n`);
  const server = await RealServer.start(["-D", "-c", file]);
  return { port: server.port, log: () => server.log, close: () => server.close() };
});

function block(tls: TlsOptions): string {
  const { certFile, keyFile } = certificate("server");
  const { handshakeFirst } = tls;
  const lines: [string, unknown][] = [
    ["cert_file", certFile],
    ["key_file", keyFile],
    ["ca_file", tlsFile("ca.pem")],
    ["verify", tls.verify],
    ["timeout", (tls.timeout ?? 0) / 1000],
    ["handshake_first", typeof handshakeFirst === "number" ? `${handshakeFirst}ms` : handshakeFirst],
    ["min_version", tls.minVersion],
    ["cipher_suites", tls.cipherSuites],
    ["curve_preferences", tls.curvePreferences],
    ["pinned_certs", tls.pinnedCerts],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join("\n");
}
