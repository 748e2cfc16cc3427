/** The JSON of a `CONNECT` is read by the rules of Go's decoder, which are nats-server's. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CONNECT_DEFAULTS, ConnectSyntaxError, parseConnect } from "../../src/protocol/connect-options.ts";
import { fc } from "../support/protocol-check.ts";
import { connectOptions } from "../support/protocol-script.ts";

describe("parseConnect", () => {
  for (const [json, options] of [
    ["{}", {}],
    ["null", {}],
    [' {"verbose" : true }\t', { verbose: true }],
    ['{"verbose":false,"pedantic":true,"echo":false}', { verbose: false, pedantic: true, echo: false }],
    [
      '{"user":"u","pass":"p","auth_token":"t","nkey":"N","jwt":"j","sig":"s"}',
      { user: "u", pass: "p", auth_token: "t", nkey: "N", jwt: "j", sig: "s" },
    ],
    ['{"name":"é","lang":"日","version":"\\u00e9"}', { name: "é", lang: "日", version: "é" }],
    [
      '{"headers":true,"no_responders":true,"tls_required":false}',
      { headers: true, no_responders: true, tls_required: false },
    ],
    ['{"protocol":1}', { protocol: 1 }],
    ['{"protocol":-1}', { protocol: -1 }],
    ['{"protocol":0}', { protocol: 0 }],
    ['{"account":"A","new_account":true}', { account: "A", new_account: true }],
    // Names in any case.
    ['{"VERBOSE":true,"Auth_Token":"t"}', { verbose: true, auth_token: "t" }],
    // The last of two.
    ['{"name":"a","name":"b"}', { name: "b" }],
    ['{"NAME":"a","name":"b"}', { name: "b" }],
    ['{"name":"a","Name":"b"}', { name: "b" }],
    ['{"name":"a","NAME":"b","name":"c"}', { name: "c" }],
    // Null leaves a field as it is.
    ['{"name":null,"protocol":null,"verbose":null}', {}],
    ['{"name":"a","NAME":null}', { name: "a" }],
    ['{"name":"a","name":null}', { name: "a" }],
    // What it does not know, it lets be.
    ['{"unknown":{"verbose":true},"x":[1,"2",null],"":0}', {}],
    ['{"__proto__":{"verbose":true},"constructor":1,"toString":"x"}', {}],
  ] as const) {
    it(json, () => assert.deepEqual(parseConnect(json), options));
  }

  for (const json of [
    "",
    " ",
    "{",
    "}",
    "{} {}",
    "{}x",
    "[]",
    "[{}]",
    '"text"',
    "1",
    "true",
    "undefined",
    "{'verbose':true}",
    "{verbose:true}",
    '{"verbose":true,}',
    '{"verbose":1}',
    '{"verbose":"true"}',
    '{"verbose":[]}',
    '{"verbose":{}}',
    '{"name":1}',
    '{"name":true}',
    '{"name":["a"]}',
    '{"NAME":1}',
    '{"protocol":"1"}',
    '{"protocol":true}',
    '{"protocol":1.5}',
    '{"protocol":1e400}',
    '{"protocol":99999999999999999999}',
    // A whole number, but not spelled as one.
    '{"protocol":1.0}',
    '{"protocol":1e0}',
    // The wrong one of two counts even if a right one follows.
    '{"name":1,"name":"a"}',
  ]) {
    it(`refuses ${json}`, () => assert.throws(() => parseConnect(json), ConnectSyntaxError));
  }

  it("reads what was written", () => {
    fc.assert(
      fc.property(connectOptions, (options) => {
        assert.deepEqual(parseConnect(JSON.stringify(options)), { ...options });
      }),
      { numRuns: 300 },
    );
  });

  it("reads what was written among fields that it does not know, however it is laid out", () => {
    const others = fc.dictionary(
      fc.string({ unit: "grapheme" }).filter((key) => !(key.toLowerCase() in CONNECT_DEFAULTS)),
      fc.jsonValue(),
      { maxKeys: 5 },
    );
    const layout = fc.constantFrom("", " ", "\t", "  ");
    fc.assert(
      fc.property(connectOptions, others, fc.boolean(), layout, (options, others, first, layout) => {
        const all = first ? { ...options, ...others } : { ...others, ...options };
        assert.deepEqual(parseConnect(JSON.stringify(all, undefined, layout)), { ...options });
      }),
      { numRuns: 500 },
    );
  });

  it("never throws anything else, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.string(), fc.string({ unit: fc.constantFrom(...'{}[]":,1aé') })),
        (text) => {
          try {
            const options = parseConnect(text);
            for (const [name, value] of Object.entries(options)) {
              assert.equal(typeof value, typeof CONNECT_DEFAULTS[name as keyof typeof CONNECT_DEFAULTS]);
            }
          } catch (error) {
            assert.ok(error instanceof ConnectSyntaxError);
          }
        },
      ),
      { numRuns: 500 },
    );
    assert.throws(() => parseConnect("[".repeat(1_000_000)), ConnectSyntaxError);
  });
});

describe("the defaults", () => {
  it("are those of a client that has not said CONNECT", () => {
    const { verbose, pedantic, echo, headers, protocol } = CONNECT_DEFAULTS;
    assert.deepEqual(
      { verbose, pedantic, echo, headers, protocol },
      { verbose: true, pedantic: true, echo: true, headers: false, protocol: 0 },
    );
  });
});
