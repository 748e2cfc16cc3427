/** Very many connections, and fewer descriptors than connections: on the command in a process of its own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { Command, GNATLET } from "../support/command.ts";
import { memoryOf } from "../support/process-memory.ts";
import { RawClient } from "../support/raw-client.ts";
import { soon, until } from "../support/waiting.ts";

const PLAIN = 'CONNECT {"verbose":false,"pedantic":false}\r\n';
/** How many connections are being made at a time: less than the listener's backlog. */
const AT_A_TIME = 500;

/** Opens a connection, and waits for the server's INFO. */
async function open(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  await once(socket, "data");
  return socket;
}

async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Math.min(AT_A_TIME, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => open(port)))));
  }
  return sockets;
}

describe("more connections than usual", () => {
  it("10,000 idle connections take bounded memory, and the others are served as before", async () => {
    await using server = await Command.serve(GNATLET, []);
    const { port } = server;
    const before = memoryOf(server.pid);
    const sockets = await openMany(port, 10_000);
    for (const socket of sockets) socket.write(`${PLAIN}SUB crowd.${socket.localPort} 1\r\n`);
    const client = await RawClient.open(port);
    assert.equal(
      await client.ask(`${PLAIN}SUB x 1\r\nPUB x 2\r\nhi\r\nPING\r\n`),
      "MSG x 1 2\r\nhi\r\nPONG\r\n",
    );
    const after = memoryOf(server.pid);
    if (before !== undefined && after !== undefined) {
      assert.ok(after - before < 400e6, `${(after - before) / 1e6} MB for 10,000 connections`);
    }
    // One of them is as good as any other.
    const last = sockets[sockets.length - 1];
    const got = once(last, "data");
    client.send(`PUB crowd.${last.localPort} 2\r\nho\r\n`);
    const [bytes] = (await soon(got, "a message to one of the crowd")) as [Buffer];
    assert.match(bytes.toString(), /^MSG crowd\.\d+ 1 2\r\nho\r\n/);
    for (const socket of sockets) socket.destroy();
    await client.ask("PING\r\n");
    client.close();
  });

  it("a full descriptor table costs nobody who is in, and there is room again when some go", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
    const poor = join(folder, "gnatlet.sh");
    writeFileSync(poor, `#!/bin/sh\nulimit -n 64\nexec "${process.execPath}" "${GNATLET}" "$@"\n`, {
      mode: 0o755,
    });
    await using server = await Command.serve(poor, []);
    const { port } = server;
    const witness = await RawClient.open(port);
    assert.equal(await witness.ask(`${PLAIN}SUB x 1\r\nPING\r\n`), "PONG\r\n");
    const sockets: Socket[] = [];
    let greeted = 0;
    for (let i = 0; i < 100; i++) {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      socket.once("data", () => greeted++);
      sockets.push(socket);
    }
    await until(() => greeted > 10, "some are in");
    if (process.platform === "linux")
      await server.logged(
        /\[ERR\] Temporary Client Accept Error\(accept tcp 127\.0\.0\.1:\d+: accept4: too many open files\)/,
      );
    for (let i = 0; i < 20; i++) {
      assert.equal(await witness.ask("PUB x 2\r\nhi\r\nPING\r\n"), "MSG x 1 2\r\nhi\r\nPONG\r\n");
    }
    assert.ok(greeted < 64, `${greeted} are in`);
    for (const socket of sockets) socket.destroy();
    // It takes the server a moment to see that they have gone.
    let fresh: Socket | undefined;
    await until(() => {
      if (fresh === undefined || fresh.destroyed)
        fresh = connect({ host: "127.0.0.1", port }).on("error", () => {});
      return fresh.bytesRead > 0;
    }, "there is a place again");
    fresh!.destroy();
    witness.close();
    assert.equal(server.child.exitCode, null);
    rmSync(folder, { recursive: true });
  });
});
