/** What options become when they are right: defaults in place, blocks too. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULTS } from "../../src/server/options/defaults.ts";
import { resolveOptions } from "../../src/server/options/resolve.ts";

describe("resolved server options", () => {
  it("are the defaults where nothing is given", () => {
    assert.deepEqual(resolveOptions({}), DEFAULTS);
  });

  it("have nats-server's defaults", () => {
    const { maxPayload, maxPending, pingInterval, lameDuckDuration, writeTimeout, logtime } = resolveOptions(
      {},
    );
    assert.deepEqual(
      { maxPayload, maxPending, pingInterval, lameDuckDuration, writeTimeout, logtime },
      {
        maxPayload: 1_048_576,
        maxPending: 67_108_864,
        pingInterval: 120_000,
        lameDuckDuration: 120_000,
        writeTimeout: "default",
        logtime: true,
      },
    );
  });

  it("listen nowhere unless told to, and monitor where clients are listened for", () => {
    const none = resolveOptions({});
    assert.deepEqual([none.listen, none.http, none.websocket], [undefined, undefined, undefined]);
    const some = resolveOptions({ listen: { host: "0.0.0.0" }, http: {}, httpBasePath: "a/b/" });
    assert.deepEqual(some.listen, { host: "0.0.0.0", port: 4222 });
    assert.deepEqual(some.http, { host: "0.0.0.0", port: 8222 });
    assert.equal(some.httpBasePath, "/a/b");
    assert.equal(resolveOptions({ http: { host: "::1", port: 0 } }).http?.host, "::1");
  });

  it("have a system account, or none", () => {
    assert.equal(resolveOptions({}).systemAccount, "$SYS");
    assert.equal(resolveOptions({ systemAccount: "SYS" }).systemAccount, "SYS");
    assert.equal(resolveOptions({ noSystemAccount: true }).systemAccount, undefined);
  });

  it("give a client longer to authorize where there is a TLS handshake first", () => {
    assert.equal(resolveOptions({}).authTimeout, 2_000);
    assert.equal(resolveOptions({ authorization: { timeout: 500 } }).authTimeout, 500);
    const tls = { certFile: "c.pem", keyFile: "k.pem", timeout: 4_000 };
    assert.equal(resolveOptions({ tls }).authTimeout, 5_000);
  });

  it("have the defaults of the WebSocket listener", () => {
    const { websocket } = resolveOptions({ websocket: { port: 0, noTls: true } });
    assert.deepEqual(websocket, {
      host: "127.0.0.1",
      port: 0,
      noTls: true,
      sameOrigin: false,
      allowedOrigins: [],
      handshakeTimeout: 2_000,
      compression: false,
      headers: {},
    });
  });

  it("name ways in as the protocol does", () => {
    const users = [{ user: "a", allowedConnectionTypes: ["standard", "In_Process"] }];
    const resolved = resolveOptions({ authorization: { users } });
    assert.deepEqual(resolved.authorization?.users?.[0].allowedConnectionTypes, ["STANDARD", "IN_PROCESS"]);
  });
});
