import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { describe, it } from "node:test";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import type { TlsOptions } from "../../src/server/options/types.ts";
import { CLIENT_SPKI, identity, pem, tlsFile } from "./tls-files.ts";
import { until } from "./waiting.ts";

/** What a client does: TLS after INFO, at once, or never. */
type Approach = "after INFO" | "at once" | "plain" | "plain after INFO";

/** How connections to a listener with TLS begin: the same table is run against this server and against a real nats-server. */
interface TlsExchange {
  readonly name: string;
  /** In place of the defaults, which are one certificate and a timeout of 300 ms. */
  readonly tls?: Partial<TlsOptions>;
  readonly allowNonTls?: boolean;
  readonly approach: Approach;
  readonly client?: ConnectionOptions;
  /** What the client sends; default `CONNECT` and `PING`, which is the end of it when the answer has come. */
  readonly send?: string;
  /** What the client gets. INFO is shown with its fields on TLS. */
  readonly gets: string;
  /** What the server's log says of it, without the label. */
  readonly log: readonly string[];
  /** What this server does otherwise, and why. */
  readonly ours?: { readonly gets?: string; readonly log?: readonly string[]; readonly why: string };
}

const BEGUN = "Starting TLS client connection handshake";
const FAILED = "Client connection closed: TLS Handshake Failure";
const CREATED = "Client connection created";
const LEFT = "Client connection closed: Client Closed";
const REQUIRED = "INFO tls_required\n";
const SECURED = "<TLSv1.3 TLS_AES_128_GCM_SHA256 localhost>";
const DONE = [
  CREATED,
  BEGUN,
  "TLS handshake complete",
  "TLS version 1.3, cipher suite TLS_AES_128_GCM_SHA256",
  LEFT,
];
const NOT_TLS = [
  CREATED,
  BEGUN,
  "TLS handshake error: tls: first record does not look like a TLS handshake",
  FAILED,
];
const LATE = [CREATED, BEGUN, "TLS handshake error: i/o timeout", FAILED];
const NO_READ_ERROR = {
  log: [CREATED, BEGUN, "TLS handshake timeout", FAILED],
  why: "Go's read and the timer race to be late first; here there is only the timer",
};
const ALICE = identity("client");
const STRANGER = identity("stranger");
const STRANGER_LOG =
  "TLS handshake error: tls: failed to verify certificate: x509: certificate signed by unknown authority (CN=stranger,O=Gnatlet Tests SHA-256: <hash>)";
const NO_ALERT = "Node checks client certificates after the handshake, when there is no alert any more";

export const TLS_EXCHANGES: readonly TlsExchange[] = [
  {
    name: "INFO, then the handshake",
    approach: "after INFO",
    gets: `${REQUIRED}${SECURED}PONG\n`,
    log: DONE,
  },
  {
    name: "TLS 1.2",
    approach: "after INFO",
    client: { maxVersion: "TLSv1.2" },
    gets: `${REQUIRED}<TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 localhost>PONG\n`,
    log: [...DONE.slice(0, 3), "TLS version 1.2, cipher suite TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", LEFT],
  },
  {
    name: "TLS 1.2 where 1.3 is the least",
    tls: { minVersion: "1.3" },
    approach: "after INFO",
    client: { maxVersion: "TLSv1.2" },
    gets: `${REQUIRED}<ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION>`,
    log: [
      CREATED,
      BEGUN,
      "TLS handshake error: tls: client offered only unsupported versions: [303 302 301]",
      FAILED,
    ],
    ours: {
      log: [CREATED, BEGUN, "TLS handshake error: tls: client offered only unsupported versions", FAILED],
      why: "Node does not tell what the client offered",
    },
  },
  {
    name: "a cipher suite that is asked for",
    tls: { cipherSuites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"], curvePreferences: ["CurveP384"] },
    approach: "after INFO",
    client: { maxVersion: "TLSv1.2" },
    gets: `${REQUIRED}<TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 localhost>PONG\n`,
    log: [...DONE.slice(0, 3), "TLS version 1.2, cipher suite TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", LEFT],
  },
  {
    name: "no cipher suite in common",
    tls: { cipherSuites: ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"] },
    approach: "after INFO",
    client: { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
    gets: `${REQUIRED}<ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE>`,
    log: [
      CREATED,
      BEGUN,
      "TLS handshake error: tls: no cipher suite supported by both client and server; client offered: [c02b ff]",
      FAILED,
    ],
    ours: {
      log: [
        CREATED,
        BEGUN,
        "TLS handshake error: tls: no cipher suite supported by both client and server",
        FAILED,
      ],
      why: "Node does not tell what the client offered",
    },
  },
  {
    name: "the CAs for clients' certificates are not sent along",
    tls: { caFile: tlsFile("ca.pem") },
    approach: "after INFO",
    client: { ca: pem("other-ca.pem") },
    gets: `${REQUIRED}<UNABLE_TO_VERIFY_LEAF_SIGNATURE><closed>`,
    log: [CREATED, BEGUN, "TLS handshake error: EOF", FAILED],
  },
  { name: "a client that speaks in the clear", approach: "plain", gets: `${REQUIRED}<closed>`, log: NOT_TLS },
  {
    name: "a client that speaks HTTP",
    approach: "plain",
    send: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    gets: `${REQUIRED}<closed>`,
    log: NOT_TLS,
  },
  {
    name: "a client that says nothing",
    approach: "plain",
    send: "",
    gets: `${REQUIRED}<closed>`,
    log: LATE,
    ours: NO_READ_ERROR,
  },
  {
    name: "verify, and a certificate",
    tls: { verify: true },
    approach: "after INFO",
    client: ALICE,
    gets: `INFO tls_required tls_verify\n${SECURED}PONG\n`,
    log: DONE,
  },
  {
    name: "verify, and none",
    tls: { verify: true },
    approach: "after INFO",
    gets: `INFO tls_required tls_verify\n${SECURED}<ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED>`,
    log: [CREATED, BEGUN, "TLS handshake error: tls: client didn't provide a certificate", FAILED],
  },
  {
    name: "verify, and none, in TLS 1.2",
    tls: { verify: true },
    approach: "after INFO",
    client: { maxVersion: "TLSv1.2" },
    gets: "INFO tls_required tls_verify\n<ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE>",
    log: [CREATED, BEGUN, "TLS handshake error: tls: client didn't provide a certificate", FAILED],
  },
  {
    name: "verify, and a certificate of somebody else",
    tls: { verify: true },
    approach: "after INFO",
    client: STRANGER,
    gets: `INFO tls_required tls_verify\n${SECURED}<ERR_SSL_TLSV1_ALERT_UNKNOWN_CA>`,
    log: [CREATED, BEGUN, STRANGER_LOG, FAILED],
    ours: { gets: `INFO tls_required tls_verify\n${SECURED}<closed>`, why: NO_ALERT },
  },
  {
    name: "a pinned certificate",
    tls: { verify: true, pinnedCerts: [CLIENT_SPKI.toUpperCase()] },
    approach: "after INFO",
    client: ALICE,
    gets: `INFO tls_required tls_verify\n${SECURED}PONG\n`,
    log: DONE,
  },
  {
    name: "a certificate that is not pinned",
    tls: { verify: true, pinnedCerts: ["0".repeat(64)] },
    approach: "after INFO",
    client: ALICE,
    gets: `INFO tls_required tls_verify\n${SECURED}<closed>`,
    log: [
      CREATED,
      BEGUN,
      `Failed pinned cert test for key id: ${CLIENT_SPKI}`,
      "TLS handshake error: certificate not pinned",
      FAILED,
    ],
  },
  {
    name: "the handshake first",
    tls: { handshakeFirst: true },
    approach: "at once",
    gets: `${SECURED}${REQUIRED}PONG\n`,
    log: DONE,
  },
  {
    name: "the handshake first, and a client in the clear",
    tls: { handshakeFirst: true },
    approach: "plain",
    gets: "<closed>",
    log: NOT_TLS,
  },
  {
    name: "the handshake first, and a client that waits",
    tls: { handshakeFirst: true },
    approach: "plain",
    send: "",
    gets: "<closed>",
    log: LATE,
    ours: NO_READ_ERROR,
  },
  {
    name: "auto, and a client that begins",
    tls: { handshakeFirst: "auto" },
    approach: "at once",
    gets: `${SECURED}${REQUIRED}PONG\n`,
    log: DONE,
  },
  {
    name: "auto, and a client that waits for INFO",
    tls: { handshakeFirst: "auto" },
    approach: "after INFO",
    gets: `${REQUIRED}${SECURED}PONG\n`,
    log: DONE,
  },
  {
    name: "a time to wait for the handshake, and a client that waits for INFO",
    tls: { handshakeFirst: 20 },
    approach: "after INFO",
    gets: `${REQUIRED}${SECURED}PONG\n`,
    log: DONE,
  },
  {
    name: "without TLS where that is allowed",
    allowNonTls: true,
    approach: "plain",
    gets: "INFO tls_available\nPONG\n",
    log: [CREATED, LEFT],
  },
  {
    name: "with TLS where it is not required",
    allowNonTls: true,
    approach: "after INFO",
    gets: `INFO tls_available\n${SECURED}PONG\n`,
    log: DONE,
  },
  {
    name: "the handshake first where TLS is not required",
    allowNonTls: true,
    tls: { handshakeFirst: true },
    approach: "at once",
    gets: `${SECURED}INFO tls_required tls_available\nPONG\n`,
    log: DONE,
  },
  {
    name: "auto where TLS is not required, and a client in the clear",
    allowNonTls: true,
    tls: { handshakeFirst: "auto" },
    approach: "plain after INFO",
    gets: "INFO tls_available\nPONG\n",
    log: [CREATED, LEFT],
  },
];

/** A server that the table is run against. */
export interface TlsServer {
  readonly port: number;
  /** What it has logged, a line each, with labels. */
  log(): string[];
  close(): Promise<void>;
}

/** Sorts as the other array is, for lines whose order is chance. */
function inOrderOf(wanted: readonly string[]): (a: string, b: string) => number {
  return (a, b) => wanted.indexOf(a) - wanted.indexOf(b);
}

/** Runs the table. */
export function tlsExchangesSuite(
  name: string,
  ours: boolean,
  start: (tls: TlsOptions, allowNonTls: boolean) => Promise<TlsServer>,
): void {
  describe(name, () => {
    for (const exchange of TLS_EXCHANGES) {
      it(exchange.name, async () => {
        const server = await start({ timeout: 300, ...exchange.tls }, exchange.allowNonTls ?? false);
        try {
          const own = ours ? exchange.ours : undefined;
          const { got, from } = await visit(server.port, exchange);
          assert.equal(got, own?.gets ?? exchange.gets);
          const log = (): string[] =>
            server
              .log()
              .filter((line) => line.startsWith(`127.0.0.1:${from} - `))
              .map(maskLog)
              .filter((line) => ours || line !== "TLS handshake timeout");
          const wanted = own?.log ?? exchange.log;
          await until(() => log().length >= wanted.length, `there is all of ${wanted.join(", ")}`);
          const shown = log();
          // A real server's timer writes its lines before or after the rest.
          if (exchange.log === LATE && !ours) shown.sort(inOrderOf(wanted));
          assert.deepEqual(shown, wanted);
        } finally {
          await server.close();
        }
      });
    }
  });
}

function maskLog(line: string): string {
  return line
    .replace(/^.* - cid:\d+ (- "[^"]*" )?- /, "")
    .replace(/SHA-256: [0-9a-f]{64}/, "SHA-256: <hash>")
    .replace(/read tcp \S+: i\/o timeout/, "i/o timeout");
}

/** Connects, does what the exchange says, and tells what came. */
async function visit(port: number, exchange: TlsExchange): Promise<{ got: string; from: number }> {
  const socket = connectSocket({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const from = socket.localPort!;
  let got = "";
  let ended = false;
  const fail = (error: Error & { code?: string }): void => {
    // Whether a reset comes before the end is chance.
    if (error.code !== "ECONNRESET" && error.code !== "EPIPE") got += `<${error.code}>`;
  };
  const end = (): void => {
    ended = true;
    if (!/<ERR_\w+>$/.test(got)) got += "<closed>";
  };
  const take = (bytes: Buffer): void => {
    got += bytes
      .toString("latin1")
      .replaceAll("\r\n", "\n")
      .replace(/INFO (\{.*\}) \n/, tlsFields);
  };
  const talk = (on: typeof socket): void => {
    on.write(exchange.send ?? 'CONNECT {"verbose":false}\r\nPING\r\n');
  };
  let tls: TLSSocket | undefined;
  const secure = (): void => {
    socket.removeAllListeners();
    tls = connectTls({ socket, ca: pem("ca.pem"), servername: "localhost", ...exchange.client });
    tls.on("secureConnect", () => {
      const cipher = tls!.getCipher() as unknown as { standardName: string };
      got += `<${tls!.getProtocol()} ${cipher.standardName} ${tls!.getPeerCertificate().subject.CN}>`;
      talk(tls!);
    });
    tls.on("data", take).on("error", fail).on("close", end);
  };
  socket.on("data", take).on("error", fail).on("close", end);
  if (exchange.approach === "at once") secure();
  else if (exchange.approach === "plain") talk(socket);
  else if (exchange.approach === "plain after INFO") socket.once("data", () => talk(socket));
  else socket.once("data", secure);
  await until(() => ended || got.endsWith("PONG\n"), `the end of it; until now there is ${got}`);
  (tls ?? socket).destroy();
  socket.destroy();
  return { got, from };
}

function tlsFields(_line: string, json: string): string {
  const info = JSON.parse(json) as Record<string, unknown>;
  const fields = ["tls_required", "tls_verify", "tls_available"].filter((field) => info[field] === true);
  return `${["INFO", ...fields].join(" ")}\n`;
}
