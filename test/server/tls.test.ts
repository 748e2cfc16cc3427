/** TLS on the listener for clients: the official client, several certificates, new certificates, limits, wrong options. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { describe, it } from "node:test";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { connect as connectOfficial } from "@nats-io/transport-node";
import { connect, NatsServer, ServerError } from "../../src/runtime/node/index.ts";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import { resolveTls } from "../../src/server/options/resolve-tls.ts";
import type { ServerOptions, TlsOptions } from "../../src/server/options/types.ts";
import { Server } from "../../src/server/server.ts";
import { RawClient } from "../support/raw-client.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { certificate, identity, pem, tlsFile } from "../support/tls-files.ts";
import { until } from "../support/waiting.ts";

/** A server that lets tests replace its TLS. */
class ReloadableServer extends Server {
  static async start(options: ServerOptions): Promise<ReloadableServer> {
    const server = new ReloadableServer(checkedSettings(options), nodeRuntime());
    await server.open();
    return server;
  }

  renewTls(tls: TlsOptions | undefined): Promise<void> {
    return this.replaceTls(tls && resolveTls(tls, "tls"), false);
  }

  renewWebsocketTls(tls: TlsOptions): Promise<void> {
    return this.replaceWebsocketTls(tls);
  }
}

/** The common name of the certificate that a client is shown who asks for a name, after INFO. */
async function shownName(port: number, servername: string): Promise<string> {
  const socket = connectSocket({ host: "127.0.0.1", port });
  await once(socket, "data");
  const tls = connectTls({ socket, ca: pem("ca.pem"), servername, checkServerIdentity: () => undefined });
  await once(tls, "secureConnect");
  const name = tls.getPeerCertificate().subject.CN;
  tls.destroy();
  return String(name);
}

async function invalid(tls: TlsOptions, message: RegExp): Promise<void> {
  await assert.rejects(NatsServer.start({ listen: { port: 0 }, tls }), (error: ServerError) => {
    assert.ok(error instanceof ServerError);
    assert.equal(error.code, "INVALID_OPTION");
    assert.match(error.message, message);
    return true;
  });
}

/** Whether a client that comes again, with the same certificate, goes on with the session that it was given before. */
async function resumes(port: number, options: ConnectionOptions): Promise<boolean> {
  const open = async (session?: Buffer): Promise<TLSSocket> => {
    const socket = connectSocket({ host: "127.0.0.1", port });
    await once(socket, "data");
    const tls = connectTls({ socket, ca: pem("ca.pem"), servername: "localhost", ...options, session });
    await once(tls, "secureConnect");
    return tls;
  };
  const first = await open();
  let session: Buffer | undefined;
  first.on("session", (given) => {
    session = given;
  });
  first.write("CONNECT {}\r\nPING\r\n");
  await once(first, "data");
  session ??= first.getSession();
  const second = await open(session);
  const reused = second.isSessionReused();
  first.destroy();
  second.destroy();
  return reused;
}

describe("TLS", () => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`looks at a client's certificate each time it comes, as it may have expired since (${maxVersion})`, async () => {
      const own = { ...identity("client"), maxVersion };
      for (const verify of [true, false]) {
        const tls = { ...certificate("server"), caFile: tlsFile("ca.pem"), verify };
        await using server = await NatsServer.start({ listen: { port: 0 }, tls });
        assert.equal(await resumes(server.port ?? 0, own), !verify);
      }
    });
  }

  it("lets the official client in, which shows its certificate", async () => {
    await using server = await NatsServer.start({
      listen: { port: 0 },
      tls: { ...certificate("server"), caFile: tlsFile("ca.pem"), verify: true },
    });
    const tls = { ca: pem("ca.pem"), ...identity("client") };
    const client = await connectOfficial({ servers: server.clientUrl, reconnect: false, tls });
    assert.equal(client.info?.tls_required, true);
    assert.equal(client.info?.tls_verify, true);
    await client.flush();
    await client.close();
    const shown = { ca: pem("ca.pem"), ...identity("stranger") };
    await assert.rejects(connectOfficial({ servers: server.clientUrl, reconnect: false, tls: shown }));
  });

  for (const handshakeFirst of [true, "auto"] as const) {
    it(`lets the official client in that begins with the handshake: ${handshakeFirst}`, async () => {
      await using server = await NatsServer.start({
        listen: { port: 0 },
        tls: { ...certificate("server"), handshakeFirst },
      });
      const tls = { ca: pem("ca.pem"), handshakeFirst: true };
      const client = await connectOfficial({ servers: server.clientUrl, reconnect: false, tls });
      await client.flush();
      await client.close();
    });
  }

  it("may be left out in this process", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 }, tls: certificate("server") });
    for (const client of [
      await connect({ inProcessServer: server }),
      await connect({ messagePort: server.messagePort() }),
    ]) {
      await client.flush();
      assert.equal(client.info?.tls_required, undefined);
      assert.equal(client.info?.tls_available, true);
      await client.close();
    }
  });

  it("shows the certificate that the client asks for, else the first", async () => {
    await using server = await NatsServer.start({
      listen: { port: 0 },
      tls: { certs: [certificate("server"), certificate("example")] },
    });
    assert.equal(await shownName(server.port!, "localhost"), "localhost");
    assert.equal(await shownName(server.port!, "nats.example"), "nats.example");
    assert.equal(await shownName(server.port!, "a.nats.example"), "nats.example");
    assert.equal(await shownName(server.port!, "elsewhere"), "localhost");
  });

  it("takes new certificates for new connections, and keeps the old ones when the new are wrong", async () => {
    await using server = await ReloadableServer.start({ listen: { port: 0 }, tls: certificate("server") });
    const tls = { ca: pem("ca.pem") };
    const before = await connectOfficial({ servers: server.clientUrl, reconnect: false, tls });
    assert.equal(await shownName(server.port!, "localhost"), "localhost");
    await server.renewTls(certificate("renewed"));
    assert.equal(await shownName(server.port!, "localhost"), "renewed");
    await assert.rejects(server.renewTls({ certFile: tlsFile("nowhere.pem"), keyFile: "x" }), ServerError);
    assert.equal(await shownName(server.port!, "localhost"), "renewed");
    await before.flush();
    await before.close();
  });

  it("may begin and end while the server runs, on the same port", async () => {
    await using server = await ReloadableServer.start({ listen: { port: 0 } });
    const port = server.port!;
    const early = await RawClient.open(port);
    await server.renewTls(certificate("server"));
    assert.equal(server.port, port);
    assert.equal(await shownName(port, "localhost"), "localhost");
    assert.equal(await early.ask('CONNECT {"verbose":false}\r\nPING\r\n'), "PONG\r\n");
    await server.renewTls(undefined);
    const late = await RawClient.openUngreeted(port);
    assert.doesNotMatch(await late.take(/^INFO .*\r\n/), /tls_/);
    assert.equal(await late.ask('CONNECT {"verbose":false}\r\nPING\r\n'), "PONG\r\n");
    early.close();
    late.close();
  });

  it("takes new certificates for WebSockets, too", async () => {
    await using server = await ReloadableServer.start({
      websocket: { port: 0, tls: certificate("server") },
    });
    const shown = async (): Promise<string> => {
      const port = Number(new URL(server.websocketUrl!).port);
      const tls = connectTls({
        port,
        host: "127.0.0.1",
        ca: pem("ca.pem"),
        checkServerIdentity: () => undefined,
      });
      await once(tls, "secureConnect");
      const name = tls.getPeerCertificate().subject.CN;
      tls.destroy();
      return String(name);
    };
    assert.equal(await shown(), "localhost");
    await server.renewWebsocketTls(certificate("renewed"));
    assert.equal(await shown(), "renewed");
  });

  it("refuses connections that are too many for a second, and says so in the log", async () => {
    const logger = new RecordingLogger();
    await using server = await NatsServer.start({
      listen: { port: 0 },
      tls: { ...certificate("server"), connectionRateLimit: 1 },
      debug: true,
      logger,
    });
    assert.equal(await shownName(server.port!, "localhost"), "localhost");
    const late = await RawClient.open(server.port!);
    assert.equal(await late.end(), "-ERR 'Connection throttling is active. Please try again later.'\r\n");
    const line = "warn: Rejected 1 connections due to TLS rate limiting";
    await until(() => logger.levels.includes(line), "the log tells of it");
    assert.ok(logger.lines.some((text) => text.endsWith("closed: Maximum Connections Exceeded")));
  });

  it("counts connections before the handshake", async () => {
    await using server = await NatsServer.start({
      listen: { port: 0 },
      tls: { ...certificate("server"), handshakeFirst: true },
      maxConnections: 1,
    });
    const first = await RawClient.openUngreeted(server.port!);
    await until(() => server.stats().connections === 1, "the first is there");
    const second = await RawClient.openUngreeted(server.port!);
    assert.equal(await second.end(), "-ERR 'maximum connections exceeded'\r\n");
    first.close();
  });

  it("ends at once while clients are in the middle of the handshake", async () => {
    for (const handshakeFirst of [false, true, 5_000]) {
      const server = await NatsServer.start({
        listen: { port: 0 },
        tls: { ...certificate("server"), handshakeFirst, timeout: 60_000 },
        allowNonTls: handshakeFirst === false,
      });
      const client = await RawClient.openUngreeted(server.port!);
      await until(() => server.stats().connections === 1, "the client is there");
      await server.close();
      await client.end();
    }
  });

  it("says which option or file is wrong", async () => {
    const server = certificate("server");
    await invalid({}, /"tls.certFile" must name a file/);
    await invalid({ certFile: "x" }, /"tls.keyFile" must name the file of the key/);
    await invalid(
      { ...server, certFile: "/nowhere.pem" },
      /"tls": cannot read certificate file \/nowhere.pem/,
    );
    const mixed = { certFile: tlsFile("server.pem"), keyFile: tlsFile("client-key.pem") };
    await invalid(mixed, /error parsing X509 certificate\/key pair .*key values mismatch/);
    await invalid({ ...server, caFile: "/nowhere.pem" }, /cannot read CA certificates file/);
    await invalid({ ...server, caFile: tlsFile("make.sh") }, /failed to parse root ca certificate/);
    await invalid({ ...server, certs: [] }, /"tls.certs" must not be given together/);
    await invalid(
      { ...server, cipherSuites: ["TLS_RSA_WITH_RC4_128_SHA"] },
      /"tls.cipherSuites\[0\]" must be one of .*, not "TLS_RSA_WITH_RC4/,
    );
    await invalid(
      { ...server, curvePreferences: ["CurveP1"] },
      /"tls.curvePreferences\[0\]" .* not "CurveP1"/,
    );
    await invalid({ ...server, minVersion: "1.1" as "1.2" }, /"tls.minVersion" must be one of 1.2, 1.3/);
    await invalid({ ...server, handshakeFirst: "no" as "auto" }, /"tls.handshakeFirst" must be true/);
    await invalid({ ...server, handshakeFirst: 0 }, /"tls.handshakeFirst" must be a whole number from 1/);
    await invalid({ ...server, pinnedCerts: ["abc"] }, /"tls.pinnedCerts" must be SHA-256/);
    await invalid({ ...server, timeout: 0.5 }, /"tls.timeout" must be a whole number/);
    await invalid({ ...server, color: 1 } as TlsOptions, /"tls.color" is not an option/);
  });
});
