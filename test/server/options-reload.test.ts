/** What a reload may change, and what nats-server says of what it may not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { changedOptions } from "../../src/server/options/reload.ts";
import { resolveOptions } from "../../src/server/options/resolve.ts";
import type { ServerOptions } from "../../src/server/options/types.ts";

const LISTEN = { host: "127.0.0.1", port: 4222 };
const USERS = { users: [{ user: "a" }, { user: "b" }] };
const CERT = { certFile: "c.pem", keyFile: "k.pem" };
const WS = { host: "127.0.0.1", port: 80, noTls: true };

const CHANGES: readonly [before: ServerOptions, after: ServerOptions, changed: readonly string[]][] = [
  [{}, {}, []],
  [{ listen: LISTEN, serverTags: ["a"] }, { listen: { ...LISTEN }, serverTags: ["a"] }, []],
  [{}, { debug: true, trace: true }, ["debug", "trace"]],
  [{ pingInterval: 1_000 }, { maxPayload: 1_000 }, ["maxPayload", "pingInterval"]],
  [{}, { authorization: USERS }, ["authorization"]],
  [
    { authorization: USERS },
    { authorization: { users: [{ user: "a", password: "x" }, { user: "b" }] } },
    ["authorization"],
  ],
  [{ accounts: { A: {} } }, { accounts: { B: {} } }, ["accounts"]],
  [{}, { mappings: { a: "b" } }, ["mappings"]],
  [{ tls: CERT }, { tls: CERT }, ["tls"]],
  [{}, { tls: CERT }, ["tls"]],
  [{ listen: LISTEN }, { listen: { host: "127.0.0.1", port: 0 } }, []],
  [{ websocket: WS }, { websocket: { ...WS } }, []],
  [
    { websocket: { host: "h", port: 1, tls: CERT } },
    { websocket: { host: "h", port: 1, tls: { ...CERT, timeout: 9_000 } } },
    ["websocket"],
  ],
  [
    { authorization: USERS, noAuthUser: "a" },
    { authorization: { users: [{ user: "b" }] } },
    ["authorization", "noAuthUser"],
  ],
  [{ serverMetadata: { a: "b" } }, { serverMetadata: { a: "c" } }, ["serverMetadata"]],
];

const REFUSED: readonly [before: ServerOptions, after: ServerOptions, says: string][] = [
  [{ listen: LISTEN }, { listen: { ...LISTEN, port: 4223 } }, "Port: old=4222, new=4223"],
  [{ listen: LISTEN }, { listen: { ...LISTEN, host: "0.0.0.0" } }, "Host: old=127.0.0.1, new=0.0.0.0"],
  [{}, { http: { port: 8222 } }, "HTTPPort: old=0, new=8222"],
  [{ serverName: "a" }, { serverName: "b" }, "ServerName: old=a, new=b"],
  [{}, { maxPending: 2 ** 21 }, "MaxPending: old=67108864, new=2097152"],
  [{}, { maxSubscriptions: 5 }, "MaxSubs: old=0, new=5"],
  [{}, { lameDuckDuration: 90_000 }, "LameDuckDuration: old=2m0s, new=1m30s"],
  [{}, { noHeaderSupport: true }, "NoHeaderSupport: old=false, new=true"],
  [{ authorization: USERS }, { authorization: USERS, noAuthUser: "a" }, "NoAuthUser: old=, new=a"],
  [{ authorization: USERS, noAuthUser: "a" }, { authorization: USERS }, "NoAuthUser: old=a, new="],
  [{}, { systemAccount: "SYS" }, "SystemAccount: old=$SYS, new=SYS"],
  [{ websocket: WS }, { websocket: { ...WS, compression: true } }, "Websocket: old={...}, new={...}"],
  [{}, { websocket: WS }, "Websocket: old={...}, new={...}"],
  [{}, { logfileMaxNum: 5 }, "LogMaxFiles: old=0, new=5"],
];

describe("reload of options", () => {
  for (const [before, after, changed] of CHANGES) {
    it(`finds ${changed.join(", ") || "nothing"} changed: ${JSON.stringify(after)}`, () => {
      const found = changedOptions(resolveOptions(before), resolveOptions(after));
      assert.deepEqual(found.sort(), changed);
    });
  }
  for (const [before, after, says] of REFUSED) {
    it(`refuses ${says}`, () => {
      assert.throws(() => changedOptions(resolveOptions(before), resolveOptions(after)), {
        name: "ServerError",
        code: "RELOAD_FAILED",
        message: `config reload not supported for ${says}`,
      });
    });
  }
});
