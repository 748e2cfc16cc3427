/** Who may connect, and what time has to do with it: on a virtual clock. (What it does to raw bytes is in the table of exchanges.) */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import bcrypt from "bcryptjs";
import { connect, errors, NatsServer } from "../../src/runtime/node/index.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import type { ServerOptions } from "../../src/server/options/types.ts";
import { Server } from "../../src/server/server.ts";
import { settle, simulatedRuntime, TestLink, VirtualClock } from "../support/simulated.ts";
import { until } from "../support/waiting.ts";

function setup(options: ServerOptions) {
  const clock = new VirtualClock();
  const server = new Server(checkedSettings(options), simulatedRuntime(clock));
  const open = (): TestLink => {
    const link = new TestLink();
    server.inProcessConn().accept(link);
    return link;
  };
  const join = (user: string): TestLink => {
    const link = open();
    link.send(`CONNECT {"verbose":false,"pedantic":false,"user":"${user}","pass":"p"}\r\n`);
    link.look();
    return link;
  };
  return { clock, open, join };
}

describe("authorization", () => {
  it("is told in INFO, and gives a client 2 s to say who it is", async () => {
    const { clock, open } = setup({ authorization: { token: "t" } });
    const client = open();
    assert.match(client.look(), /"auth_required":true/);
    await clock.advance(1_999);
    assert.equal(client.look(), "");
    await clock.advance(1);
    assert.equal(client.look(), "-ERR 'Authentication Timeout'\r\n");
    assert.notEqual(client.ended, undefined);
    await clock.advance(10_000);
    assert.equal(clock.pending, 0);
  });

  it("gives as long as the options say, and no limit once it is said", async () => {
    const { clock, open } = setup({ authorization: { token: "t", timeout: 500 } });
    const client = open();
    const late = open();
    late.look();
    client.send('CONNECT {"auth_token":"t","verbose":false}\r\n');
    client.look();
    await clock.advance(600);
    assert.equal(late.look(), "-ERR 'Authentication Timeout'\r\n");
    assert.equal(client.look(), "");
    assert.equal(client.ended, undefined);
  });

  it("keeps what a client says while its password is checked, and does it after", async () => {
    const { open } = setup({ authorization: { user: "joe", password: bcrypt.hashSync("p", 4) } });
    const client = open();
    client.look();
    client.send('CONNECT {"verbose":false,"user":"joe","pass":"p"}\r\nSUB x 1\r\nPUB x 2');
    client.send("\r\nhi\r\nPI");
    assert.equal(client.look(), "");
    assert.equal(client.held, true);
    client.send("NG\r\n");
    await until(() => client.received !== "", "the password is checked");
    await settle();
    assert.equal(client.look(), "MSG x 1 2\r\nhi\r\nPONG\r\n");
    assert.equal(client.held, false);
  });

  it("permits answers for a time", async () => {
    const { clock, join } = setup({
      authorization: {
        users: [
          {
            user: "serve",
            password: "p",
            permissions: { subscribe: "req", allowResponses: { max: -1, expires: 1_000 } },
          },
          { user: "ask", password: "p" },
        ],
      },
    });
    const service = join("serve");
    service.send("SUB req 1\r\n");
    const client = join("ask");
    client.send("PUB req answer 0\r\n\r\n");
    assert.equal(service.look(), "MSG req 1 answer 0\r\n\r\n");
    for (let i = 0; i < 10; i++) service.send("PUB answer 0\r\n\r\n");
    await clock.advance(1_000);
    service.send("PUB answer 0\r\n\r\n");
    assert.equal(service.look(), "");
    await clock.advance(1);
    service.send("PUB answer 0\r\n\r\n");
    assert.match(service.look(), /^-ERR 'Permissions Violation for Publish to "answer"'/);
  });

  it("an empty list in the options allows nothing to be published", () => {
    const { join } = setup({
      authorization: { users: [{ user: "joe", password: "p", permissions: { publish: [] } }] },
    });
    const client = join("joe");
    client.send("PUB x 0\r\n\r\n");
    assert.match(client.look(), /^-ERR 'Permissions Violation for Publish to "x"'/);
  });

  it("holds in process: by plain password and by hash", async () => {
    await using server = await NatsServer.start({
      authorization: {
        users: [
          { user: "plain", password: "p" },
          { user: "hash", password: bcrypt.hashSync("p", 4) },
          { user: "socket", password: "p", allowedConnectionTypes: ["STANDARD"] },
        ],
      },
    });
    for (const user of ["plain", "hash"]) {
      await using client = await connect({ inProcessServer: server, user, pass: "p" });
      await client.flush();
      await assert.rejects(
        connect({ inProcessServer: server, user, pass: "x" }),
        errors.AuthorizationError,
        user,
      );
    }
    await assert.rejects(connect({ inProcessServer: server }), errors.AuthorizationError);
    await assert.rejects(
      connect({ inProcessServer: server, user: "socket", pass: "p" }),
      errors.AuthorizationError,
    );
  });
});
