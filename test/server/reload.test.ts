/** Reading the configuration file again while the server runs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import bcrypt from "bcryptjs";
import { NatsServer, ServerError } from "../../src/runtime/node/index.ts";
import { WorkerPasswords } from "../../src/runtime/node/passwords.ts";
import { RawClient } from "../support/raw-client.ts";
import { certificate } from "../support/tls-files.ts";
import { soon, until } from "../support/waiting.ts";
import { RawWebsocket } from "../support/websocket-client.ts";

const PORT = "listen: 127.0.0.1:-1\n";
const PING = "PING\r\n";

function connectAs(user: string): string {
  return `CONNECT {"verbose":false,"pedantic":false,"user":"${user}","pass":"p"}\r\n`;
}

describe("reload", () => {
  let folder: string;
  let file: string;
  let log: string[];
  let server: NatsServer;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
    file = join(folder, "nats.conf");
    log = [];
  });

  afterEach(async () => {
    mock.restoreAll();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  async function start(config: string): Promise<void> {
    writeFileSync(file, PORT + config);
    const say = (text: string): void => void log.push(text);
    const logger = { notice: say, warn: say, error: say, debug() {}, trace() {} };
    server = await NatsServer.fromConfigFile(file, { logger });
  }

  async function reload(config: string): Promise<void> {
    writeFileSync(file, PORT + config);
    await server.reload();
  }

  it("tells clients of a new max_payload, and holds them to it", async () => {
    await start("max_payload: 100");
    const client = await RawClient.open(server.port!);
    await client.ask(`CONNECT {"verbose":false,"protocol":1}\r\n${PING}${PING}`);
    await reload("max_payload: 10");
    const info = JSON.parse(
      (await client.take(/INFO .*max_payload":10,.*\r\n/)).replace(/^[\s\S]*INFO /, ""),
    );
    assert.equal(info.max_payload, 10);
    assert.equal(
      await client.ask("PUB x 11\r\nhello world\r\n"),
      "-ERR 'Maximum Payload Violation'\r\n<closed>",
    );
    assert.ok(log.includes("Reloaded: max_payload = 10"));
    assert.match(log.join("\n"), /Using configuration file: .*nats\.conf \(sha256:/);
    assert.match(log.join("\n"), /Reloaded server configuration \(sha256:/);
  });

  it("sends away users that are no more, and keeps the others as they are now", async () => {
    const users = (...list: string[]): string => `authorization { users: [ ${list.join(", ")} ] }`;
    await start(users("{user: a, password: p}", "{user: b, password: p}", "{user: c, password: p}"));
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => RawClient.open(server.port!)));
    await a.ask(connectAs("a") + PING);
    await b.ask(`${connectAs("b")}SUB keep 1\r\nSUB lose 2\r\n${PING}`);
    await c.ask(connectAs("c") + PING);
    await reload(
      users(
        "{user: b, password: p, permissions: {subscribe: keep, publish: keep}}",
        "{user: c, password: new}",
      ),
    );
    assert.equal(await a.ask(""), "<closed>");
    assert.equal(await c.ask(""), "-ERR 'Authorization Violation'\r\n<closed>");
    assert.equal(
      await b.ask(`PUB keep 0\r\n\r\nPUB lose 0\r\n\r\n${PING}`),
      `-ERR 'Permissions Violation for Subscription to "lose" (sid "2")'\r\n` +
        `MSG keep 1 0\r\n\r\n-ERR 'Permissions Violation for Publish to "lose"'\r\nPONG\r\n`,
    );
    assert.ok(log.includes("Reloaded: authorization users"));
    b.close();
  });

  it("begins to ask who a client is, and stops to", async () => {
    await start("");
    const before = await RawClient.open(server.port!);
    await before.ask(`CONNECT {"verbose":false}\r\n${PING}`);
    await reload("authorization { user: a, password: p }");
    assert.equal(await before.ask(""), "-ERR 'Authorization Violation'\r\n<closed>");
    const client = await RawClient.open(server.port!);
    assert.match(await client.ask(connectAs("a") + PING), /^PONG/);
    await reload("");
    assert.equal(await client.ask(`PUB x 0\r\n\r\n${PING}`), "PONG\r\n");
    client.close();
  });

  /** Has the next password checked only when the function that it gives is called. */
  function holdCheck(): { begun(): boolean; letGo(): void } {
    let letGo: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const { verify } = WorkerPasswords.prototype;
    const mocked = mock.method(
      WorkerPasswords.prototype,
      "verify",
      async function (this: WorkerPasswords, ...given: Parameters<typeof verify>) {
        await held;
        return verify.apply(this, given);
      },
    );
    return { begun: () => mocked.mock.callCount() > 0, letGo: () => letGo!() };
  }

  /** A server that a client has told its password, which is being checked until it is let go. */
  async function checking(): Promise<{ client: RawClient; letGo(): void }> {
    const { begun, letGo } = holdCheck();
    await start(`authorization { users: [ {user: a, password: "${bcrypt.hashSync("p", 4)}"} ] }`);
    const client = await RawClient.open(server.port!);
    client.send(connectAs("a") + PING);
    await until(begun, "the password is checked");
    return { client, letGo };
  }

  it("refuses who was let in by rules that hold no more when his password has been checked", async () => {
    const { client, letGo } = await checking();
    await reload("authorization { users: [ {user: b, password: p} ] }");
    letGo();
    assert.equal(await client.end(), "-ERR 'Authorization Violation'\r\n");
  });

  it("lets in whose password is being checked when nobody is asked any more", async () => {
    const { client, letGo } = await checking();
    const silent = await RawClient.open(server.port!);
    await reload("");
    letGo();
    assert.equal(await client.take(/PONG\r\n/), "PONG\r\n");
    assert.equal(await client.ask(`SUB x 1\r\nPUB x 0\r\n\r\n${PING}`), "MSG x 1 0\r\n\r\nPONG\r\n");
    assert.equal(
      await silent.ask(`CONNECT {"verbose":false}\r\nSUB x 1\r\nPUB x 0\r\n\r\n${PING}`),
      "MSG x 1 0\r\n\r\nPONG\r\n",
    );
    const unsaid = await RawClient.open(server.port!);
    assert.equal(await unsaid.ask(`SUB y 1\r\n${PING}`), "+OK\r\nPONG\r\n");
    for (const each of [client, silent, unsaid]) each.close();
  });

  it("sends away whose password or token has another hash, and keeps the others", async () => {
    const hash = (password: string): string => bcrypt.hashSync(password, 4);
    const [one, other] = [hash("p"), hash("q")];
    const users = (a: string): string =>
      `authorization { users: [ {user: a, password: "${a}"}, {user: b, password: "${one}"} ] }`;
    await start(users(one));
    const [a, b] = await Promise.all([1, 2].map(() => RawClient.open(server.port!)));
    assert.equal(await a.ask(connectAs("a") + PING), "PONG\r\n");
    assert.equal(await b.ask(connectAs("b") + PING), "PONG\r\n");
    await reload(users(other));
    assert.equal(await a.end(), "-ERR 'Authorization Violation'\r\n");
    assert.equal(await b.ask(PING), "PONG\r\n");
    await reload(`authorization { token: "${one}" }`);
    assert.equal(await b.end(), "");
    const c = await RawClient.open(server.port!);
    const said = 'CONNECT {"verbose":false,"auth_token":"p","user":"a","pass":"wrong"}\r\n';
    assert.equal(await c.ask(said + PING), "PONG\r\n");
    // Nobody has checked what it says of that user.
    await reload(users(other));
    assert.equal(await c.end(), "-ERR 'Authorization Violation'\r\n");
  });

  it("keeps who is nobody over WebSocket, where there is a user for such", async () => {
    const config =
      "authorization { users: [ {user: a, password: p} ] }\n" +
      'websocket { listen: "127.0.0.1:-1", no_tls: true, no_auth_user: a }\n';
    await start(config);
    const client = await RawWebsocket.open(server.websocketUrl!);
    const said = `CONNECT {"verbose":false}\r\n${PING}`;
    assert.equal(await client.ask(said), "PONG\r\n");
    await reload(`${config}max_payload: 10`);
    assert.equal(await client.ask(PING), "PONG\r\n");
    client.close();
  });

  it("changes mappings and limits of accounts", async () => {
    await start("mappings { a: b }");
    const client = await RawClient.open(server.port!);
    await client.ask(`CONNECT {"verbose":false}\r\nSUB > 1\r\n${PING}`);
    assert.match(await client.ask(`PUB a 0\r\n\r\n${PING}`), /^MSG b 1/);
    await reload("mappings { c: d }");
    assert.match(await client.ask(`PUB a 0\r\n\r\n${PING}`), /^MSG a 1/);
    assert.match(await client.ask(`PUB c 0\r\n\r\n${PING}`), /^MSG d 1/);
    await reload("");
    assert.match(await client.ask(`PUB c 0\r\n\r\n${PING}`), /^MSG c 1/);
    client.close();
  });

  it("closes connections that are too many for a smaller max_connections", async () => {
    await start("");
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(server.port!)));
    for (const client of clients) await client.ask(`CONNECT {"verbose":false}\r\n${PING}`);
    await reload("max_connections: 2");
    const answers = await Promise.all(clients.map((client) => client.ask(PING)));
    assert.deepEqual(answers.sort(), [
      "-ERR 'maximum connections exceeded'\r\n<closed>",
      "PONG\r\n",
      "PONG\r\n",
    ]);
    for (const client of clients) client.close();
  });

  it("changes nothing when one of the changes cannot be made", async () => {
    await start("max_payload: 100");
    const client = await RawClient.open(server.port!);
    await client.ask(`CONNECT {"verbose":false,"protocol":1}\r\n${PING}${PING}`);
    for (const [config, problem] of [
      ["max_payload: 10\nserver_name: other", /config reload not supported for ServerName: old=, new=other/],
      ["max_payload: 10\nmax_subs: 5", /config reload not supported for MaxSubs: old=0, new=5/],
      ["max_payload: 10\nnonsense: 5", /nats\.conf:3:1: unknown field "nonsense"/],
      ["max_payload: [", /Parse error on line 2/],
      ["max_payload: 10\nlisten: 127.0.0.1:1", /config reload not supported for Port/],
    ] as const) {
      await assert.rejects(
        reload(config),
        (error) => {
          assert.ok(error instanceof ServerError);
          assert.equal(error.code, "RELOAD_FAILED");
          assert.match(error.message, problem);
          return true;
        },
        config,
      );
    }
    assert.equal(await client.ask(`PUB x 11\r\nhello world\r\n${PING}`), "PONG\r\n");
    client.close();
  });

  /** The block `tls` for a certificate. */
  function tls(name: string): string {
    const { certFile, keyFile } = certificate(name);
    return `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
  }

  it("is none for a server that is closed, or closes meanwhile", async () => {
    for (const closesFirst of [true, false]) {
      await start("");
      const port = server.port!;
      if (closesFirst) await server.close();
      const reloaded = assert.rejects(reload(tls("server")), (error) => {
        return error instanceof ServerError && error.code === "RELOAD_FAILED" && /closed/.test(error.message);
      });
      await Promise.all([reloaded, server.close()]);
      const socket = connectSocket({ host: "127.0.0.1", port });
      const [refusal] = await soon(once(socket, "error"), "the refusal");
      assert.equal((refusal as NodeJS.ErrnoException).code, "ECONNREFUSED");
    }
  });

  it("does not open a listener again that lame duck mode has closed", async () => {
    await start("lame_duck_duration: 30s");
    const port = server.port!;
    const client = await RawClient.open(port);
    void server.lameDuck();
    await reload(`lame_duck_duration: 30s\n${tls("server")}`);
    const socket = connectSocket({ host: "127.0.0.1", port });
    const [refusal] = await soon(once(socket, "error"), "the refusal");
    assert.equal((refusal as NodeJS.ErrnoException).code, "ECONNREFUSED");
    client.close();
  });

  it("keeps the certificates for clients when those for WebSocket are wrong", async () => {
    const websocket = (block: string): string => `websocket { listen: "127.0.0.1:-1"\n${block} }`;
    await start(`${tls("server")}\n${websocket(tls("server"))}`);
    const wrong = tls("server").replace("server-key.pem", "client-key.pem");
    await assert.rejects(reload(`${websocket(wrong)}\nmax_payload: 10`), /websocket\.tls/);
    const client = await RawClient.openUngreeted(server.port!);
    assert.equal(JSON.parse((await client.take(/^INFO .*\r\n/)).slice(5)).tls_required, true);
    client.close();
  });

  it("writes a new pid file, and runs on without one that cannot be written", async () => {
    await start("");
    await reload(`pid_file: "${join(folder, "pid")}"`);
    assert.equal(readFileSync(join(folder, "pid"), "utf8"), String(process.pid));
    await reload(`pid_file: "${join(folder, "none", "pid")}"`);
    assert.match(log.join("\n"), /Could not write pidfile/);
  });

  it("is not for a server without a file", async () => {
    server = await NatsServer.start();
    await assert.rejects(
      server.reload(),
      /can only reload config when a file is provided using -c or --config/,
    );
  });
});
