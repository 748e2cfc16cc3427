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
