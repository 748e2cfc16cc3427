/** INFO, against a real nats-server: the same fields in the same order, but for those that belong to other parts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { startOurs, startReal } from "../support/configured-server.ts";
import { RawClient } from "../support/raw-client.ts";
import { RealServer } from "../support/real-server.ts";

/** Fields that a newer or otherwise configured nats-server has: `xkey` belongs to auth callout, `git_commit` to its build. */
const NOT_OURS = new Set(["xkey", "git_commit"]);

async function infos(port: number): Promise<[first: object, connected: object]> {
  const client = await RawClient.openUngreeted(port);
  const first = await client.take(/^INFO .*\r\n/);
  client.send('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
  const connected = await client.take(/^PONG\r\nINFO .*\r\n/);
  client.close();
  for (const line of [first, connected]) assert.match(line, /\} \r\n$/);
  return [JSON.parse(first.slice(5)), JSON.parse(connected.slice("PONG\r\nINFO ".length))];
}

function shape(info: object): [string, string][] {
  return Object.entries(info)
    .filter(([key]) => !NOT_OURS.has(key))
    .map(([key, value]) => [key, typeof value]);
}

describe("INFO", () => {
  it("has nats-server's fields, in its order", async () => {
    await using real = await RealServer.start();
    await using ours = await NatsServer.start({ listen: { port: 0 } });
    const theirs = await infos(real.port);
    const mine = await infos(ours.port!);
    for (const i of [0, 1]) assert.deepEqual(shape(mine[i]), shape(theirs[i]));
    const same = [
      "proto",
      "headers",
      "max_payload",
      "client_ip",
      "host",
      "connect_info",
      "remote_account",
    ] as const;
    for (const i of [0, 1]) {
      for (const key of same) {
        assert.deepEqual(
          (mine[i] as Record<string, unknown>)[key],
          (theirs[i] as Record<string, unknown>)[key],
          key,
        );
      }
    }
  });

  const users = "users = [ {user: joe, password: p} ]";
  for (const [what, config] of [
    ["users", `authorization { ${users} }`],
    ["no_auth_user", `authorization { ${users} }\nno_auth_user: joe`],
    ["users of the system account only", `accounts { $SYS { ${users} } }`],
  ] as const) {
    it(`says whether a client must say who it is: ${what}`, async () => {
      const said = [];
      for (const start of [startReal, startOurs]) {
        const server = await start(config);
        const client = await RawClient.openUngreeted(server.port);
        client.send('CONNECT {"verbose":false,"protocol":1,"user":"joe","pass":"p"}\r\nPING\r\n');
        const infos = await client.take(/INFO [\s\S]*INFO .*\r\n/);
        said.push(infos.match(/INFO|"auth_required":\w+/g));
        client.close();
        await server.close();
      }
      assert.deepEqual(said[1], said[0]);
    });
  }

  for (const advertise of ["example.org", "example.org:99", " example.org : 99 ", "[::1]:7", ":8"]) {
    it(`says where clients find the server: client_advertise ${advertise}`, async () => {
      await using real = await RealServer.start(["--client_advertise", advertise]);
      await using ours = await NatsServer.start({ listen: { port: 0 }, clientAdvertise: advertise });
      const places = [real.port, ours.port!].map(async (own) => {
        const [{ host, port }] = (await infos(own)) as [{ host: string; port: number }, object];
        return { host, port: port === own ? "its own" : port };
      });
      const [theirs, mine] = await Promise.all(places);
      assert.deepEqual(mine, theirs);
    });
  }
});
