/** What configuration files become: options, warnings, what is left out, and what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bootProblem } from "../../src/config/boot.ts";
import { ConfigError, showProblem } from "../../src/config/errors.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { resolveOptions } from "../../src/server/options/resolve.ts";
import type { ServerOptions } from "../../src/server/options/types.ts";

function read(text: string) {
  return readConfig({ path: "x.conf", readFile: () => text, env: () => undefined, sha256: () => "00" });
}

const LISTEN = { host: "0.0.0.0", port: 4222 };

/** Options beside `listen`, which is the default unless the case says. */
const FILES: readonly [text: string, options: ServerOptions][] = [
  ["debug: false", { debug: false }],
  ["port: -1", { listen: { host: "0.0.0.0", port: 0 } }],
  ["port: 0", {}],
  ["listen: 5222", { listen: { host: "0.0.0.0", port: 5222 } }],
  ['listen: "127.0.0.1:-1"', { listen: { host: "127.0.0.1", port: 0 } }],
  ['listen: "[::1]:4333"', { listen: { host: "::1", port: 4333 } }],
  ["net: localhost; PORT: 1234", { listen: { host: "localhost", port: 1234 } }],
  ["http: 8222", { http: { port: 8222 } }],
  [
    'https: "h:1", tls { cert_file: c, key_file: k }',
    { https: { host: "h", port: 1 }, tls: { certFile: "c", keyFile: "k" } },
  ],
  ["monitor_port: -1", { http: { port: 0 } }],
  ["http_port: 0", {}],
  ["max_conn: 0", { maxConnections: 0 }],
  ["max_connections: -1", { maxConnections: 0 }],
  ["max_payload: 1MB, max_pending: 0", { maxPayload: 1_048_576 }],
  ["max_subs: -1, max_sub_tokens: 8", { maxSubscriptions: 0, maxSubTokens: 8 }],
  ['ping_interval: "1m30s", ping_max: 3', { pingInterval: 90_000, pingMax: 3 }],
  ["write_deadline: 1500us", { writeDeadline: 2 }],
  ["lame_duck_duration: 30s", { lameDuckDuration: 30_000 }],
  ["trace_verbose: true", { traceVerbose: true, trace: true }],
  ["trace_headers: true, debug: true", { traceHeaders: true, trace: true, debug: true }],
  ["server_tags: a", { serverTags: ["a"] }],
  ["server_tags: [ a, b ]", { serverTags: ["a", "b"] }],
  ["server_metadata { a: b }", { serverMetadata: { a: "b" } }],
  [
    "log_file: x, log_size_limit: 1k, log_max_num: 3",
    { logFile: "x", logfileSizeLimit: 1_000, logfileMaxNum: 3 },
  ],
  ['pid_file: "", logfile: "", no_auth_user: ""', {}],
  ["system: SYS, no_sys_acc: false", { systemAccount: "SYS", noSystemAccount: false }],
  ["authorization { token: t, timeout: 1.5 }", { authorization: { token: "t", timeout: 1_500 } }],
  [
    "authorization { user: a, pass: b, timeout: 500ms }",
    { authorization: { user: "a", password: "b", timeout: 500 } },
  ],
  [
    "P { sub: a.* }\nauthorization { users: [ {username: a, password: $2a$11$abc, permissions: $P, connection_types: [standard]} ] }",
    {
      authorization: {
        users: [
          {
            user: "a",
            password: "$2a$11$abc",
            permissions: { subscribe: ["a.*"] },
            allowedConnectionTypes: ["STANDARD"],
          },
        ],
      },
    },
  ],
  [
    'authorization { default_permissions { pub: { allow: a, deny: [ b, "c.>" ] }, import: {}, sub: [ "a q" ], allow_responses: { max: 5, ttl: "1m" } } }',
    {
      authorization: {
        defaultPermissions: {
          publish: { allow: ["a"], deny: ["b", "c.>"] },
          subscribe: ["a q"],
          allowResponses: { max: 5, expires: 60_000 },
        },
      },
    },
  ],
  ["accounts: [ A, B ]", { accounts: { A: {}, B: {} } }],
  [
    "accounts { A { users: [ {user: u, password: p} ], limits { max_conn: 5, max_pay: -7 }, mappings { a: b }, trace_dest: t } }",
    {
      accounts: {
        A: {
          users: [{ user: "u", password: "p" }],
          limits: { maxConnections: 5, maxPayload: -1 },
          mappings: { a: "b" },
          msgTrace: { dest: "t", sampling: 100 },
        },
      },
    },
  ],
  [
    'mappings { a: b, "c.*": { destination: "d.$1", weight: 20% }, e: [ {dest: f, weight: 60 }, {dest: g, weight: "40%", cluster: C} ] }',
    {
      mappings: {
        a: "b",
        "c.*": { destination: "d.$1", weight: 20 },
        e: [
          { destination: "f", weight: 60 },
          { destination: "g", weight: 40, cluster: "C" },
        ],
      },
    },
  ],
  [
    'tls { cert_file: c, key_file: k, ca_file: a, verify: on, timeout: 3, handshake_first: auto, min_version: "1.3" }',
    {
      tls: {
        certFile: "c",
        keyFile: "k",
        caFile: "a",
        verify: true,
        timeout: 3_000,
        handshakeFirst: "auto",
        minVersion: "1.3",
      },
    },
  ],
  [
    "websocket { port: -1, no_tls: true, origins: http://a, compress: true, handshake_timeout: 1, headers { X-A: b } }",
    {
      websocket: {
        host: "0.0.0.0",
        port: 0,
        noTls: true,
        allowedOrigins: ["http://a"],
        compression: true,
        handshakeTimeout: 1_000,
        headers: { "X-A": "b" },
      },
    },
  ],
  ['ws { listen: "h:1", no_tls: true }', { websocket: { host: "h", port: 1, noTls: true } }],
  ["websocket { no_tls: true }", {}],
  ["cluster { name: C }\njetstream: disabled\nocsp: false\nproxy_protocol: false\nsyslog: false", {}],
];

describe("configuration file", () => {
  for (const [text, expected] of FILES) {
    it(`reads ${JSON.stringify(text)}`, () => {
      // What a variable refers to may have a key that the server does not know.
      const { options, unserved, warnings } = read(text);
      assert.deepEqual(options, { listen: LISTEN, ...expected });
      assert.deepEqual([unserved, warnings], [[], []]);
      resolveOptions(options);
    });
  }

  it("warns of a number of seconds, and of an empty file", () => {
    const { options, warnings } = read("ping_interval: 5");
    assert.equal(options.pingInterval, 5_000);
    assert.deepEqual(warnings.map(showProblem), [
      'x.conf:1:0: invalid use of field "ping_interval": ping_interval should be converted to a duration',
    ]);
    assert.deepEqual(read("").warnings.map(showProblem), ["x.conf: config has no values or is empty"]);
  });

  it("tells all errors at once, after the warnings", () => {
    assert.throws(() => read("foo: 1\nport: x\nping_interval: 5"), {
      name: "ConfigError",
      message: [
        'x.conf:3:1: invalid use of field "ping_interval": ping_interval should be converted to a duration',
        'x.conf:1:0: unknown field "foo"',
        "x.conf:2:1: interface conversion: interface {} is string, not int64",
      ].join("\n"),
    });
  });
});

/** Served later: the server starts, and says so. */
const LATER: readonly [text: string, says: RegExp][] = [
  ["jetstream { tpm { keys_file: x } }", /^x.conf:1:12: tpm: no key is read from a TPM: give encryption_key/],
  ["leafnodes { port: 7422 }", /^x.conf:1:0: leafnodes: leaf nodes are not served yet/],
  ["leaf { remotes: [ {url: nats://a} ] }", /^x.conf:1:0: leaf:/],
  ["mqtt { port: 1883 }", /^x.conf:1:0: mqtt: MQTT is not served yet/],
  ["ocsp: true", /^x.conf:1:0: ocsp: OCSP staples are not served/],
  ["prof_port: 6060", /^x.conf:1:0: prof_port: there are no Go profiles here/],
  ["accounts { A { exports: [ {stream: a} ] }, B { exports: [ {stream: b} ] } }", /^x.conf:1:\d+: exports:/],
  ["accounts { A { imports: [ {stream: {account: B, subject: a}} ] } }", /^x.conf:1:\d+: imports:/],
  [
    "authorization { users: [ {user: a}, {nkey: UAWNRBCPTYY6K64PSWRCJP6JAQMXZV5QURRTOGJB366SJEOAXCE6B7QK} ] }",
    /^x.conf:1:\d+: nkey: users with an nkey are not served yet/,
  ],
];

/** Not to be ignored: the server does not start. */
const REFUSED: readonly [text: string, says: RegExp][] = [
  [
    "cluster { port: 6222 }",
    /^x.conf:1:0: cluster: .*run them, and connect this server to them with a leaf node/,
  ],
  ["cluster { routes: [ nats://a ] }", /^x.conf:1:0: cluster:/],
  ["gateway { name: A }", /^x.conf:1:0: gateway:/],
  ["operator: x.jwt", /^x.conf:1:0: operator: .*anybody could connect/],
  ["resolver: MEMORY", /^x.conf:1:0: resolver:/],
  ["trusted_keys: [ x ]", /^x.conf:1:0: trusted_keys:/],
  ["proxy_protocol: true", /^x.conf:1:0: proxy_protocol:/],
  ["syslog: true", /^x.conf:1:0: syslog: there is no syslog here/],
  ["ocsp: {mode: must}", /^x.conf:1:0: ocsp:/],
  ["authorization { proxy_required: true }", /^x.conf:1:16: proxy_required:/],
  [
    "authorization { auth_callout { issuer: ACLI7Q6LCTGU532RXGO2GNZNDEHYA7REVLC2CK6KRNQPUKN7UFA45PAR, auth_users: [ a ] } }",
    /^x.conf:1:16: auth_callout:/,
  ],
  ["tls { cert_file: c, key_file: k, verify_and_map: true }", /^x.conf:1:33: verify_and_map:/],
  ["tls { cert_file: c, key_file: k, ocsp_peer: true }", /^x.conf:1:33: ocsp_peer:/],
  ["tls { cert_store: WindowsCurrentUser }", /cert_store: the certificate store of Windows is not read/],
  ["tls { verify: true }", /^x.conf:1:0: tls: needs cert_file and key_file/],
  [
    "authorization { users: [ {nkey: UAWNRBCPTYY6K64PSWRCJP6JAQMXZV5QURRTOGJB366SJEOAXCE6B7QK} ] }",
    /^x.conf:1:\d+: users: there are none but those with an nkey/,
  ],
];

describe("configuration file, what is not served", () => {
  for (const [text, says] of LATER) {
    it(`warns of ${text}`, () => {
      const { unserved, options } = read(text);
      assert.equal(unserved.length, 1);
      assert.match(showProblem(unserved[0]), says);
      resolveOptions(options);
    });
  }
  for (const [text, says] of REFUSED) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => read(text),
        (error: unknown) => error instanceof ConfigError && says.test(error.message),
      );
    });
  }
});

const BOOT: readonly [text: string, says: string | undefined][] = [
  ["port: 1", undefined],
  [
    'lame_duck_duration: 30s, lame_duck_grace_period: "1m"',
    "lame duck grace period (1m0s) should be strictly lower than lame duck duration (30s)",
  ],
  ["max_pending: 1k", "max_payload (1048576) cannot be higher than max_pending (1000)"],
  ["no_auth_user: a", 'no_auth_user: "a" present, but users/nkeys are not defined'],
  [
    "no_auth_user: a, authorization { users: [ {user: b} ] }",
    'no_auth_user: "a" not present as user or nkey in authorization block or account configuration',
  ],
  ["no_auth_user: b, authorization { users: [ {user: b} ] }", undefined],
  ["websocket { port: 1 }", "websocket requires TLS configuration"],
  [
    "websocket { port: 1, no_tls: true, authorization { token: a } }\nauthorization { users: [ {user: b} ] }",
    "websocket authentication token not compatible with presence of users/nkeys",
  ],
  [
    "websocket { port: 1, no_tls: true, headers { Sec-WebSocket-X: a } }",
    'websocket: invalid header "Sec-WebSocket-X", "Sec-WebSocket-" prefix not allowed',
  ],
  ["http: 1, https: 2", "can't specify both HTTP (1) and HTTPs (2) ports"],
  ["https: 2", "TLS cert and key required for HTTPS"],
];

describe("configuration file, at the start", () => {
  for (const [text, says] of BOOT) {
    it(`says of ${JSON.stringify(text)} ${says}`, () => {
      const { options } = read(text);
      assert.equal(bootProblem(options), says);
      if (says === undefined) resolveOptions(options);
      else assert.throws(() => resolveOptions(options), { code: "INVALID_OPTION" });
    });
  }

  for (const [advertise, why] of [
    ["a", undefined],
    ["[::1]:8", undefined],
    ["a:b:c", "address a:b:c: too many colons in address"],
    ["a:x", 'strconv.Atoi: parsing "x": invalid syntax'],
  ]) {
    it(`says of client_advertise ${advertise} ${why}`, () => {
      const says = `Error setting server INFO with ClientAdvertise value of ${advertise}, err=${why}`;
      assert.equal(bootProblem({ clientAdvertise: advertise }), why === undefined ? undefined : says);
    });
  }
});
