/** Addresses of servers, and the order in which they are tried. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "@nats-io/nats-core";
import { parseAddress } from "../../src/client/server-address.ts";
import { ServerPool } from "../../src/client/server-pool.ts";
import { simulatedRuntime } from "../support/simulated.ts";

describe("a server's address", () => {
  const READ: [text: string, scheme: string, hostname: string, port: number, listen: string][] = [
    ["localhost", "nats", "localhost", 4222, "localhost:4222"],
    ["localhost:80", "nats", "localhost", 80, "localhost:80"],
    [" nats://h:1 ", "nats", "h", 1, "h:1"],
    ["tcp://h", "nats", "h", 4222, "h:4222"],
    ["TLS://h:443", "tls", "h", 443, "h:443"],
    ["ws://h", "ws", "h", 80, "h:80"],
    ["wss://h/a/b?c=d", "wss", "h", 443, "h:443"],
    ["1.2.3.4:5", "nats", "1.2.3.4", 5, "1.2.3.4:5"],
    ["::1", "nats", "::1", 4222, "[::1]:4222"],
    ["[::1]:5", "nats", "::1", 5, "[::1]:5"],
    ["nats://[2001:db8::2]:80", "nats", "2001:db8::2", 80, "[2001:db8::2]:80"],
    ["::ffff:35.234.43.228", "nats", "35.234.43.228", 4222, "35.234.43.228:4222"],
    ["[::ffff:127.0.0.1]:5", "nats", "127.0.0.1", 5, "127.0.0.1:5"],
  ];
  for (const [text, scheme, hostname, port, listen] of READ) {
    it(`is read from ${JSON.stringify(text)}`, () => {
      const address = parseAddress(text, "nats");
      assert.deepEqual(
        [address.scheme, address.hostname, address.port, address.listen],
        [scheme, hostname, port, listen],
      );
    });
  }

  it("may hold credentials and a path", () => {
    assert.deepEqual(parseAddress("u:p%40@h", "nats").credentials, { user: "u", pass: "p@" });
    assert.deepEqual(parseAddress("nats://tok@h", "nats").credentials, { auth_token: "tok" });
    assert.equal(parseAddress("wss://h/a/b?c=d", "nats").path, "/a/b?c=d");
    assert.equal(parseAddress("h", "wss").port, 443);
  });

  it("is refused when it is none", () => {
    for (const text of ["http://h", "nats://:x:", "h:99999", "a b"])
      assert.throws(() => parseAddress(text, "nats"), errors.InvalidArgumentError, text);
  });
});

describe("a pool of servers", () => {
  const listens = (pool: ServerPool): string =>
    pool
      .snapshot()
      .map(({ listen }) => listen[0])
      .join("");

  it("is tried in its order, or shuffled", () => {
    const pool = new ServerPool(undefined, "nats");
    pool.replace(["a", "b", "c"]);
    let order = "";
    for (let i = 0; i < 6; i++) order += pool.select(i, 0)!.listen[0];
    assert.equal(order, "abcabc");
    const orders = new Set<string>();
    const { random } = simulatedRuntime();
    for (let i = 0; i < 200; i++) {
      const shuffled = new ServerPool(random, "nats");
      shuffled.replace(["a", "b", "c"]);
      orders.add(listens(shuffled));
    }
    assert.equal(orders.size, 6);
  });

  it("gives no server that was tried a short time ago, and says when one can be", () => {
    const pool = new ServerPool(undefined, "nats");
    pool.replace(["a", "b"]);
    pool.select(1_000, 50)!.lastConnect = 1_000;
    pool.select(1_000, 50)!.lastConnect = 1_010;
    assert.equal(pool.select(1_040, 50), undefined);
    assert.equal(pool.untilDue(1_040, 50), 10);
    assert.equal(pool.select(1_050, 50)?.listen, "a:4222");
  });

  it("keeps what it knows of servers that stay", () => {
    const pool = new ServerPool(undefined, "nats");
    pool.replace(["a", "b"]);
    const a = pool.select(1, 0)!;
    a.didConnect = true;
    a.reconnects = 3;
    pool.replace(["c", "a", "a"]);
    assert.equal(listens(pool), "ca");
    assert.deepEqual(
      pool.snapshot().map(({ didConnect, reconnects }) => [didConnect, reconnects]),
      [
        [false, 0],
        [true, 3],
      ],
    );
    assert.equal(pool.current?.listen, "a:4222");
    assert.throws(() => Object.assign(pool.snapshot()[0], { listen: "x" }), TypeError);
  });

  it("gives those that are discovered the name that their cluster is reached by", () => {
    const pool = new ServerPool(undefined, "nats");
    pool.replace(["tls://nats.example:4222"]);
    pool.select(1, 0);
    pool.discover(["192.0.2.1:4222", "other.example:4222"]);
    assert.ok(pool.servers.every(({ scheme }) => scheme === "tls"));
    assert.equal(pool.find("192.0.2.1:4222")?.tlsName, "nats.example");
    assert.equal(pool.find("nats.example:4222")?.gossiped, false);
  });
});
