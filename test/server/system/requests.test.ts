/** Requests on `$SYS.REQ.` that are wrong, or mean: whoever sends them gets an error or nothing, and the server goes on. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NatsServer } from "../../../src/runtime/node/index.ts";
import { RawClient } from "../../support/raw-client.ts";

const OWN = 'CONNECT {"verbose":false}\r\n';
const SYSTEM = 'CONNECT {"verbose":false,"user":"s","pass":"s"}\r\n';

/** Bodies with values that no option may have, and names that all objects have. */
const BODIES = [
  "",
  "null",
  "[",
  "[]",
  "5",
  '"x"',
  "\u0000",
  '{"__proto__":1,"toString":null,"constructor":{}}',
  '{"subject":"a.*","acc":"$G","queue":"=="}',
  ...[null, 5, true, "x", [5], {}].flatMap((value) =>
    [
      "filter_subject",
      "test",
      "account",
      "accounts",
      "sort",
      "user",
      "tags",
      "cid",
      "limit",
      "state",
      "streams",
      "consumer",
      "newest",
      "js-enabled-only",
    ].map((name) => JSON.stringify({ [name]: value })),
  ),
];

describe("requests to the server itself", () => {
  let server: NatsServer;

  before(async () => {
    server = await NatsServer.start({
      listen: { port: 0 },
      accounts: { $SYS: { users: [{ user: "s", password: "s" }] } },
    });
  });

  after(() => server.close());

  /** Asks all of it in one connection, which must still be there afterwards. */
  async function bombard(connect: string, subjects: readonly string[]): Promise<void> {
    const client = await RawClient.open(server.port!);
    const requests = subjects.flatMap((subject) =>
      BODIES.map((body) => `PUB ${subject} r ${body.length}\r\n${body}\r\n`),
    );
    client.send(`${connect}SUB r 1\r\n${requests.join("")}PING\r\n`);
    let said = await client.take(/PONG\r\n/);
    // A view that is loaded first answers after that, perhaps in the same piece.
    client.send(`${requests.join("")}PING\r\n`);
    said += await client.take(/PONG\r\n/);
    assert.ok(!said.includes('"code":500,"description":"internal error"'), "no view fails");
    client.close();
  }

  it("are safe from clients of other accounts", async () => {
    await bombard(OWN, [
      "$SYS.REQ.USER.INFO",
      "$SYS.REQ.ACCOUNT.PING.CONNZ",
      "$SYS.REQ.SERVER.PING.CONNZ",
      "$SYS.REQ.ACCOUNT.PING.STATZ",
      "$SYS.REQ.SERVER.PING.__proto__",
    ]);
  });

  it("are safe from clients of the system account", async () => {
    const views = ["VARZ", "SUBSZ", "CONNZ", "ACCOUNTZ", "JSZ", "HEALTHZ", "STATSZ", "IDZ", "KICK", "LDM"];
    const inherited = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    await bombard(SYSTEM, [
      ...[...views, ...inherited].flatMap((view) => [
        `$SYS.REQ.SERVER.PING.${view}`,
        `$SYS.REQ.SERVER.${server.id}.${view}`,
      ]),
      ...["SUBSZ", "CONNZ", "INFO", "STATZ", "CONNS", ...inherited].flatMap((view) => [
        `$SYS.REQ.ACCOUNT.$G.${view}`,
        `$SYS.REQ.ACCOUNT.__proto__.${view}`,
      ]),
      "$SYS.REQ.ACCOUNT.PING.STATZ",
      "$SYS.REQ.ACCOUNT.NSUBS",
      "$SYS.DEBUG.SUBSCRIBERS",
    ]);
  });

  it("take null for an option that is left out, and know only their own options and views", async () => {
    const client = await RawClient.open(server.port!);
    const ask = (subject: string, body: string): Promise<string> =>
      client.ask(`PUB ${subject} r ${body.length}\r\n${body}\r\nPING\r\n`);
    await client.ask(`${SYSTEM}SUB r 1\r\nPING\r\n`);
    // What answers is loaded when it is asked first: from then on answers come at once.
    client.send("PUB $SYS.REQ.SERVER.PING.IDZ r 0\r\n\r\n");
    await client.take(/^MSG r 1 [\s\S]*\}\r\n$/);
    const nulls = '{"sort":null,"user":null,"filter_subject":null,"accounts":null,"toString":1}';
    assert.match(await ask("$SYS.REQ.SERVER.PING.CONNZ", nulls), /"num_connections":1,/);
    assert.match(await ask("$SYS.REQ.ACCOUNT.PING.STATZ", nulls), /"account_statz":\[\{/);
    assert.match(
      await ask("$SYS.REQ.ACCOUNT.PING.STATZ", '{"accounts":5}'),
      /"code":400,"description":"json: cannot unmarshal number into field \\"accounts\\"/,
    );
    assert.match(await ask("$SYS.REQ.ACCOUNT.PING.STATZ", '{"accounts":true}'), /must be strings/);
    assert.equal(await ask("$SYS.REQ.SERVER.PING.constructor", ""), "PONG\r\n");
    client.close();
  });
});
