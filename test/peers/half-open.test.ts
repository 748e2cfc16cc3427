/** Clients that shut their writing side and read on, with a real nats-server: what the suite says is what nats-server does. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { halfOpenSuite } from "../support/half-open-suite.ts";
import { RealServer } from "../support/real-server.ts";
import { certificate } from "../support/tls-files.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-half-open-"));
const file = join(folder, "tls.conf");
const { certFile, keyFile } = certificate("server");
writeFileSync(file, `tls { cert_file: ${JSON.stringify(certFile)}, key_file: ${JSON.stringify(keyFile)} }\n`);
after(() => rmSync(folder, { recursive: true }));

halfOpenSuite("nats-server", () => RealServer.start());
halfOpenSuite("nats-server, with TLS", () => RealServer.start(["-c", file]), { tls: true });
