/** Start and end: several servers in one process, ports, and programs that end by themselves. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { connect, NatsServer, ServerError } from "../../src/runtime/node/index.ts";
import { RawClient } from "../support/raw-client.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { soon } from "../support/waiting.ts";

describe("a server's life", () => {
  it("opens no socket unless asked to", async () => {
    await using server = await NatsServer.start();
    await using client = await connect({ inProcessServer: server });
    await client.flush();
    assert.equal(server.port, undefined);
    assert.equal(server.clientUrl, undefined);
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((kind) => /TCP/.test(kind)),
      [],
    );
  });

  it("takes a free port for 0, and tells it", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 } });
    assert.ok(server.port! > 0);
    assert.equal(server.clientUrl, `nats://127.0.0.1:${server.port}`);
    const raw = await RawClient.openUngreeted(server.port!);
    const info = JSON.parse((await raw.take(/^INFO .*\r\n/)).slice(5));
    assert.equal(info.port, server.port);
    assert.equal(info.host, "127.0.0.1");
    raw.close();
  });

  it("is one of many in a process, each for itself", async () => {
    const servers = await Promise.all(
      Array.from({ length: 20 }, () => NatsServer.start({ listen: { port: 0 } })),
    );
    assert.equal(new Set(servers.map((server) => server.id)).size, 20);
    const clients = await Promise.all(servers.map((server) => connect({ servers: server.clientUrl })));
    const got: number[] = [];
    for (const [i, client] of clients.entries()) client.subscribe("x", { callback: () => void got.push(i) });
    await Promise.all(clients.map((client) => client.flush()));
    clients[7].publish("x");
    await Promise.all(clients.map((client) => client.flush()));
    assert.deepEqual(got, [7]);
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(servers.map((server) => server.close()));
  });

  it("closes once, however often it is told to", async () => {
    const server = await NatsServer.start({ listen: { port: 0 } });
    const client = await connect({ inProcessServer: server });
    const remote = await connect({ servers: server.clientUrl, reconnect: false });
    const port = server.port!;
    const all = [server.close(), server.close(), server[Symbol.asyncDispose]()];
    await Promise.all(all);
    await server.close();
    assert.ok(server.closed);
    assert.ok((await soon(client.closed(), "the end of the client")) instanceof Error);
    assert.ok((await soon(remote.closed(), "the end of the client")) instanceof Error);
    await assert.rejects(connect({ inProcessServer: server }), ServerError);
    assert.throws(() => server.messagePort(), ServerError);
    await assert.rejects(
      new Promise((resolve, reject) => {
        connectSocket({ port, host: "127.0.0.1" }).once("connect", resolve).once("error", reject);
      }),
      /ECONNREFUSED/,
    );
  });

  it("is closing for whoever hears of it, and for the log", async () => {
    const logger = new RecordingLogger();
    let server: NatsServer | undefined;
    logger.notice = (text) => {
      logger.lines.push(text);
      void server?.close();
    };
    server = await NatsServer.start({ logger });
    logger.lines.splice(0);
    let problem: unknown;
    const nothing = (): void => {};
    const closed = (): void => {
      try {
        server?.inProcessConn();
      } catch (error) {
        problem = error;
      }
    };
    const ends = { info: nothing, msg: nothing, ok: nothing, err: nothing, ping: nothing, pong: nothing };
    server.inProcessConn().open({ ...ends, flush: nothing, closed });
    await server.close();
    assert.ok(problem instanceof ServerError);
    assert.equal(problem.code, "SERVER_CLOSED");
    assert.deepEqual(logger.lines, ["Initiating Shutdown...", "Server Exiting.."]);
  });

  it("does not open its log again once it is closed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
    const logFile = join(folder, "log");
    const server = await NatsServer.start({ logFile });
    await server.close();
    rmSync(logFile);
    server.reopenLog();
    assert.ok(!existsSync(logFile));
    rmSync(folder, { recursive: true });
  });

  it("leaves nothing open when the last of its listeners cannot be opened", async () => {
    await using first = await NatsServer.start({ listen: { port: 0 } });
    const logger = new RecordingLogger();
    await assert.rejects(
      NatsServer.start({
        listen: { port: first.port! },
        http: { port: 0 },
        websocket: { port: 0, noTls: true },
        logger,
      }),
      (error) => error instanceof ServerError && error.code === "LISTEN_FAILED" && error.option === "listen",
    );
    const websocket = logger.lines.find((line) => line.startsWith("Listening for websocket clients"));
    const port = Number(websocket?.match(/\d+$/)?.[0]);
    const socket = connectSocket({ host: "127.0.0.1", port });
    assert.equal(
      ((await soon(once(socket, "error"), "the refusal"))[0] as NodeJS.ErrnoException).code,
      "ECONNREFUSED",
    );
  });

  it("delivers what was published before the end, to clients over TCP as well", async () => {
    const server = await NatsServer.start({ listen: { port: 0 } });
    const publisher = await connect({ inProcessServer: server });
    const reader = await RawClient.open(server.port!);
    await reader.ask('CONNECT {"verbose":false}\r\nSUB x 1\r\nPING\r\n');
    const payload = "y".repeat(100_000);
    for (let i = 0; i < 100; i++) publisher.publish("x", payload);
    await server.close();
    assert.equal((await reader.end()).length, 100 * `MSG x 1 100000\r\n${payload}\r\n`.length);
  });

  it("may be closed inside a callback", async () => {
    const server = await NatsServer.start();
    const client = await connect({ inProcessServer: server });
    const closed = new Promise<void>((resolve) => {
      client.subscribe("stop", { callback: () => void server.close().then(resolve) });
    });
    client.publish("stop");
    await soon(closed, "the end of the server");
    assert.ok(client.isClosed());
  });
});

/** Runs a program; its end is what is tested, so it has 10 s for it. */
async function run(source: string): Promise<string> {
  // The built library, as a program has it: the loader for TypeScript has handlers of its own.
  const file = new URL("../../dist/runtime/node/index.js", import.meta.url).href;
  const program = `import { NatsServer, connect } from ${JSON.stringify(file)};\n${source}`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    timeout: 10_000,
  });
  return stdout;
}

describe("a program that embeds a server", () => {
  it("ends by itself after close, with clients of every kind", async () => {
    const out = await run(`
      const server = await NatsServer.start({ listen: { port: 0 } });
      const clients = [
        await connect({ inProcessServer: server }),
        await connect({ servers: server.clientUrl, reconnect: false }),
        await connect({ messagePort: server.messagePort() }),
      ];
      for (const client of clients) client.subscribe("x", { callback: (_, msg) => msg.respond("y") });
      for (const client of clients) await client.request("x");
      await server.close();
      for (const client of clients) await client.closed();
      console.log(process.getActiveResourcesInfo().filter((kind) => !/TTY|Pipe|FSReq/.test(kind)).join());
    `);
    assert.equal(out, "\n");
  });

  it("ends by itself when the clients have left and the server is closed", async () => {
    const out = await run(`
      const server = await NatsServer.start({ listen: { port: 0 } });
      const nc = await connect({ servers: server.clientUrl });
      await nc.request("x").catch(() => {});
      await nc[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      console.log("done");
    `);
    assert.equal(out, "done\n");
  });

  it("has no signal handlers and no listeners of ours", async () => {
    const out = await run(`
      const server = await NatsServer.start({ listen: { port: 0 } });
      console.log(process.eventNames().filter((name) => /SIG|uncaught|unhandled|beforeExit/.test(String(name))).join());
      await server.close();
    `);
    assert.equal(out, "\n");
  });
});
