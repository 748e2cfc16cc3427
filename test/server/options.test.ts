/** Options that cannot be are refused by an error that names the option and what it may be. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NatsServer, ServerError, type ServerOptions } from "../../src/runtime/node/index.ts";

const WRONG: readonly [options: unknown, option: string, says: RegExp][] = [
  [{ maxPayload: 0 }, "maxPayload", /whole number from 1 to/],
  [{ maxPayload: "1MB" }, "maxPayload", /whole number.*not "1MB"/],
  [{ maxPayload: 2 ** 27, maxPending: 2 ** 26 }, "maxPayload", /at most maxPending \(67108864\)/],
  [{ maxConnections: 1.5 }, "maxConnections", /whole number/],
  [{ pingInterval: Number.NaN }, "pingInterval", /whole number/],
  [{ listen: { port: 65_536 } }, "listen.port", /from 0 to 65535, not 65536/],
  [{ listen: { port: -1 } }, "listen.port", /from 0 to 65535/],
  [{ listen: { hots: "x" } }, "listen.hots", /is not an option; there are host, port/],
  [{ listen: 4222 }, "listen", /must be an object, not 4222/],
  [{ listen: { host: "" } }, "listen.host", /an address or a name/],
  [{ serverName: "a b" }, "serverName", /without spaces/],
  [{ clientAdvertise: "a:b:c" }, "clientAdvertise", /must be "host" or "host:port"/],
  [{ clientAdvertise: "::1" }, "clientAdvertise", /IPv6 address in brackets/],
  [{ noHeaderSupport: "yes" }, "noHeaderSupport", /true or false/],
  [{ logger: {} }, "logger", /must have a method "notice"/],
  [{ max_payload: 1 }, "max_payload", /is not an option; there are .*maxPayload/],
  [{ mappings: [] }, "mappings", /must be an object/],
  [{ mappings: { "a..b": "c" } }, 'mappings["a..b"]', /Subject "a..b" is not a valid subject/],
  [
    { mappings: { a: "b.$1" } },
    'mappings["a"]',
    /Error adding mapping for "a" to "b.\$1" : invalid mapping destination: wildcard index out of range in \$1/,
  ],
  [
    {
      mappings: {
        a: [
          { destination: "b", weight: 60 },
          { destination: "c", weight: 60 },
        ],
      },
    },
    'mappings["a"]',
    /Error adding mapping for "a" : total weight needs to be <= 100/,
  ],
  [
    { mappings: { a: { destination: "b" } } },
    'mappings["a"].weight',
    /Missing weight for mapping destination "b"/,
  ],
  [{ mappings: { a: [{ destination: "b", weight: 101 }] } }, 'mappings["a"][0].weight', /Invalid weight 101/],
  [
    { mappings: { a: { dest: "b", weight: 1 } } },
    'mappings["a"].dest',
    /is not an option; there are destination/,
  ],
  [null, "options", /must be an object/],
  [{ writeTimeout: "never" }, "writeTimeout", /must be "default" or "close" or "retry", not "never"/],
  [{ maxSubTokens: 256 }, "maxSubTokens", /from 0 to 255/],
  [{ lameDuckDuration: 1_000 }, "lameDuckDuration", /from 30000 to/],
  [
    { lameDuckDuration: 30_000, lameDuckGracePeriod: 30_000 },
    "lameDuckGracePeriod",
    /less than lameDuckDuration/,
  ],
  [{ serverTags: ["a", 1] }, "serverTags[1]", /must be a text/],
  [{ serverMetadata: { a: 1 } }, "serverMetadata.a", /must be a text/],
  [{ http: {}, https: {} }, "https", /together with http/],
  [{ https: {} }, "https", /needs tls/],
  [{ tls: { certfile: "x" } }, "tls.certfile", /is not an option; there are .*certFile/],
  [{ authorization: { user: "a", token: "t" } }, "authorization.token", /together with user and password/],
  [{ authorization: { token: "t", users: [] } }, "authorization.token", /together with users/],
  [{ authorization: { user: "a", users: [{ user: "b" }] } }, "authorization.user", /together with users/],
  [
    { authorization: { user: "a" }, accounts: { A: { users: [{ user: "b" }] } } },
    "authorization.user",
    /with users/,
  ],
  [{ authorization: { users: [{ password: "x" }] } }, "authorization.users[0].user", /the user's name/],
  [{ authorization: { users: {} } }, "authorization.users", /must be a list of users/],
  [
    { authorization: { users: [{ user: "a", permissions: { publish: "a..b" } }] } },
    "authorization.users[0].permissions.publish",
    /must be a subject, not "a..b"/,
  ],
  [
    { authorization: { users: [{ user: "a", permissions: { subscribe: { alow: [] } } }] } },
    "authorization.users[0].permissions.subscribe.alow",
    /there are allow, deny/,
  ],
  [
    { authorization: { users: [{ user: "a", allowedConnectionTypes: ["TELNET"] }] } },
    "authorization.users[0].allowedConnectionTypes",
    /must be of STANDARD.*IN_PROCESS, not "TELNET"/,
  ],
  [
    { authorization: { users: [{ user: "a" }] }, accounts: { A: { users: [{ user: "a" }] } } },
    "accounts.A.users",
    /names the user "a" twice/,
  ],
  [{ noAuthUser: "nobody" }, "noAuthUser", /must be one of the users, not "nobody"/],
  [{ accounts: { $G: {} } }, "accounts.$G", /cannot be configured/],
  [{ accounts: { A: { limits: { maxConnections: -2 } } } }, "accounts.A.limits.maxConnections", /from -1/],
  [{ websocket: { port: 0 } }, "websocket.tls", /or noTls must be true/],
  [{ websocket: { noTls: true } }, "websocket.port", /from 0 to 65535/],
  [
    { websocket: { port: 0, noTls: true, allowedOrigins: ["example.com"] } },
    "websocket.allowedOrigins",
    /http or https/,
  ],
  [{ websocket: { port: 0, noTls: true, headers: { Host: "x" } } }, "websocket.headers.Host", /itself sets/],
  [{ websocket: { port: 0, noTls: true, jwtCookie: "x" } }, "websocket.jwtCookie", /operators/],
];

describe("server options", () => {
  for (const [options, option, says] of WRONG) {
    it(`refuses ${JSON.stringify(options)}`, async () => {
      await assert.rejects(NatsServer.start(options as ServerOptions), (error: unknown) => {
        assert.ok(error instanceof ServerError);
        assert.equal(error.code, "INVALID_OPTION");
        assert.equal(error.option, option);
        assert.match(error.message, says);
        return true;
      });
    });
  }

  it("refuses a port that is in use, and says so", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 } });
    await assert.rejects(NatsServer.start({ listen: { port: server.port } }), (error: unknown) => {
      assert.ok(error instanceof ServerError);
      assert.equal(error.code, "LISTEN_FAILED");
      assert.match(
        error.message,
        new RegExp(`cannot listen on 127.0.0.1:${server.port}: .*address already in use`),
      );
      return true;
    });
  });
});
