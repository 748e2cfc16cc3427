/** What a reload makes of the clients that are connected: this server and a real nats-server do the same. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { RawClient } from "../support/raw-client.ts";
import { RealServer } from "../support/real-server.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-reload-"));
after(() => rmSync(folder, { recursive: true }));

const JOE = '"user":"joe","pass":"p"';
const users = (...list: string[]): string => `users = [ ${list.join(", ")} ]`;
const joe = "{user: joe, password: p}";
const amy = "{user: amy, password: p}";

/** What happens to clients that said these things in `CONNECT`, in order, when the one configuration gives way to the other. */
const RELOADS: readonly [what: string, clients: readonly string[], before: string, changed: string][] = [
  [
    "a user in another account",
    [JOE],
    `accounts { A { ${users(joe)} }, B {} }`,
    `accounts { A {}, B { ${users(joe)} } }`,
  ],
  ["a user that is no more", [JOE], `authorization { ${users(joe)} }`, `authorization { ${users(amy)} }`],
  [
    "an account that is no more",
    [JOE],
    `accounts { A { ${users(joe)} }, B { ${users(amy)} } }`,
    `accounts { B { ${users(amy)} } }`,
  ],
  ["accounts that are no more", [JOE], `accounts { A { ${users(joe)} } }`, ""],
  [
    "another password",
    [JOE],
    `authorization { ${users(joe)} }`,
    `authorization { ${users("{user: joe, password: q}")} }`,
  ],
  [
    "a single user with another password",
    [JOE],
    "authorization { user: joe, password: p }",
    "authorization { user: joe, password: q }",
  ],
  ["another token", ['"auth_token":"a"'], "authorization { token: a }", "authorization { token: b }"],
  ["users where nobody was asked, for one of them", [JOE], "", `authorization { ${users(joe)} }`],
  [
    "users where nobody was asked, for one of them with permissions",
    [JOE],
    "",
    `authorization { ${users("{user: joe, password: p, permissions: {subscribe: b, publish: c}}")} }`,
  ],
  [
    "users where nobody was asked, for one with a wrong password",
    ['"user":"joe","pass":"x"'],
    "",
    `authorization { ${users(joe)} }`,
  ],
  ["users where nobody was asked, for nobody in particular", [""], "", `authorization { ${users(joe)} }`],
  ["users in accounts where nobody was asked", [JOE], "", `accounts { A { ${users(joe)} } }`],
  ["a token where nobody was asked", [JOE], "", "authorization { token: a }"],
  [
    "fewer connections of an account",
    [JOE, JOE, JOE],
    `accounts { A { ${users(joe)} } }`,
    `accounts { A { ${users(joe)}, limits { max_connections: 2 } } }`,
  ],
];

interface Reloading {
  readonly port: number;
  reload(): Promise<void>;
  close(): Promise<void>;
}

async function startOurs(file: string): Promise<Reloading> {
  const server = await NatsServer.fromConfigFile(file, { listen: { host: "127.0.0.1", port: 0 } });
  return { port: server.port!, reload: () => server.reload(), close: () => server.close() };
}

async function outcome(
  start: (file: string) => Promise<Reloading>,
  clients: readonly string[],
  before: string,
  changed: string,
): Promise<string[]> {
  const file = join(folder, "nats.conf");
  writeFileSync(file, before);
  const server = await start(file);
  const connected: RawClient[] = [];
  for (const fields of clients) {
    const client = await RawClient.open(server.port);
    const connect = `CONNECT {"verbose":false${fields === "" ? "" : `,${fields}`}}\r\n`;
    assert.equal(await client.ask(`${connect}SUB a 1\r\nPING\r\n`), "PONG\r\n");
    connected.push(client);
  }
  writeFileSync(file, changed);
  await server.reload();
  const said: string[] = [];
  for (const client of connected) said.push(await client.ask("PUB a 0\r\n\r\nPING\r\n"));
  for (const client of connected) client.close();
  await server.close();
  // Whom of several it meets is not said.
  return said.map((each) => each.replaceAll(/(MSG a 1 0\r\n\r\n)+/g, "MSG")).sort();
}

describe("clients in a reload, beside nats-server", () => {
  for (const [what, clients, before, changed] of RELOADS) {
    it(what, async () => {
      const theirs = await outcome((file) => RealServer.start(["-c", file]), clients, before, changed);
      assert.deepEqual(await outcome(startOurs, clients, before, changed), theirs);
    });
  }
});
