import assert from "node:assert/strict";
import { it } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { ServerUnderTest } from "./exchanges-suite.ts";
import { RawClient } from "./raw-client.ts";
import { until } from "./waiting.ts";

/** What the server of {@link refusalsHeardSuite} is configured with. */
export const REFUSALS_CONFIG = `
authorization { users: [ { user: g, password: g } ] }
accounts {
  A { users: [ { user: a, password: a } ] }
  $SYS { users: [ { user: sys, password: sys } ] }
}
`;

/** What clients send that are refused. The last one's refusal comes behind all others, so that those that are not told of can be counted. */
const SENT: readonly string[] = [
  hello("wrong", "g", "x"),
  hello("of A", "a", "x"),
  hello("unknown", "nobody", "x"),
  "PING\r\n",
  hello("with an account", "g", "g", ',"account":"A"'),
  `${hello("again", "g", "g")}${hello("again", "g", "x")}`,
  `${hello("again in A", "a", "a")}${hello("again in A", "a", "x")}`,
  hello("last", "g", "x"),
];

/** The users that are there before: who hears of which of them, as client, user and account. */
const HEARD: Readonly<Record<string, readonly string[]>> = {
  g: ["wrong g $G", "of A a $G", "unknown nobody $G", "again g $G", "again in A a $G", "last g $G"],
  a: [],
  sys: [
    "wrong g $G",
    "of A a $G",
    "unknown nobody $G",
    "undefined undefined $G",
    "with an account g $G",
    "again g $G",
    "again in A a $G",
    "last g $G",
  ],
};

function hello(name: string, user: string, pass: string, more = ""): string {
  return `CONNECT {"verbose":false,"name":"${name}","user":"${user}","pass":"${pass}"${more}}\r\n`;
}

/**
 * Who hears of clients that are refused: the system account of all, on the server's subject; the account that they are in so far, which is
 * "$G" (also at a second CONNECT), only of those that said of themselves what is not so.
 */
export function refusalsHeardSuite(name: string, start: () => Promise<ServerUnderTest>): void {
  it(name, async () => {
    const server = await start();
    const clients: NatsConnection[] = [];
    const heard: Record<string, string[]> = {};
    const gone: string[] = [];
    try {
      for (const user of Object.keys(HEARD)) {
        const client = await connect({ port: server.port, user, pass: user, reconnect: false });
        clients.push(client);
        heard[user] = [];
        const callback = (_: unknown, msg: { json(): unknown }): void =>
          void heard[user].push(shown(msg.json()));
        client.subscribe("$SYS.ACCOUNT.CLIENT.AUTH.ERR", { callback });
        if (user === "sys") {
          client.subscribe("$SYS.SERVER.*.CLIENT.AUTH.ERR", { callback });
          client.subscribe("$SYS.ACCOUNT.*.DISCONNECT", {
            callback: (_, msg) => void gone.push(shown(msg.json())),
          });
        }
        await client.flush();
      }
      for (const sent of SENT) {
        const client = await RawClient.open(server.port);
        assert.equal(await client.ask(sent), "-ERR 'Authorization Violation'\r\n<closed>");
      }
      const ended = (events: readonly string[]): boolean => events.at(-1)?.startsWith("last") === true;
      await until(() => ended(heard.g) && ended(heard.sys) && ended(gone), "the last refusal is told of");
      for (const client of clients) await client.flush();
      assert.deepEqual(heard, HEARD);
      // They are all told of as gone, too, from where they were.
      assert.deepEqual(gone, HEARD.sys);
    } finally {
      for (const client of clients) await client.close();
      await server.close();
    }
  });
}

interface Refusal {
  readonly reason: string;
  readonly client: { readonly name?: string; readonly user?: string; readonly acc: string };
}

function shown(event: unknown): string {
  const { reason, client } = event as Refusal;
  assert.equal(reason, "Authentication Failure");
  return `${client.name} ${client.user} ${client.acc}`;
}
