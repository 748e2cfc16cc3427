/** Lame duck mode, on a virtual clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import type { ServerOptions } from "../../src/server/options/types.ts";
import { Server } from "../../src/server/server.ts";
import { settle, simulatedRuntime, TestLink, VirtualClock } from "../support/simulated.ts";

const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"protocol":1}\r\nPING\r\n';

/** A server that listens on a network that nobody comes from. */
class ListeningServer extends Server {
  override open(): Promise<void> {
    return super.open();
  }
}

async function setup(options: ServerOptions = {}) {
  const clock = new VirtualClock();
  const server = new ListeningServer(
    checkedSettings({ listen: { port: 4222 }, ...options }),
    simulatedRuntime(clock),
  );
  await server.open();
  const join = (connect = CONNECT): TestLink => {
    const link = new TestLink();
    server.inProcessConn().accept(link);
    link.send(connect);
    link.look();
    return link;
  };
  return { clock, server, join };
}

describe("lame duck mode", () => {
  it("tells clients, waits the grace period, and closes one after the other", async () => {
    const { clock, server, join } = await setup();
    const clients = Array.from({ length: 10 }, () => join());
    const old = join('CONNECT {"verbose":false,"protocol":0}\r\nPING\r\n');
    let done = false;
    void server.lameDuck().then(() => (done = true));
    await settle();
    for (const client of clients) assert.match(client.look(), /^INFO \{.*"ldm":true.*\} \r\n$/);
    assert.equal(old.look(), "", "a client of protocol 0 takes no INFO");
    await clock.advance(9_999);
    assert.ok(clients.every((client) => client.ended === undefined));
    await clock.advance(1);
    assert.equal(clients.filter((client) => client.ended !== undefined).length, 1);
    // At least one a second, at most one every half second.
    await clock.advance(3_000);
    const ended = clients.filter((client) => client.ended !== undefined).length;
    assert.ok(ended >= 4 && ended <= 7, `${ended} have ended`);
    assert.equal(done, false);
    await clock.advance(8_000);
    assert.ok(clients.every((client) => client.ended !== undefined));
    assert.ok(done && server.closed);
    assert.equal(clock.pending, 0);
  });

  it("closes many for each millisecond where there are many", async () => {
    const { clock, server, join } = await setup({ lameDuckDuration: 30_000, lameDuckGracePeriod: 29_000 });
    const clients = Array.from({ length: 3_000 }, () => join());
    const done = server.lameDuck();
    await clock.advance(29_500);
    const ended = clients.filter((client) => client.ended !== undefined).length;
    assert.ok(ended > 1_000 && ended < 3_000, `${ended} have ended`);
    await clock.advance(1_000);
    await done;
  });

  it("ends at once when there is nobody", async () => {
    const { server } = await setup();
    await server.lameDuck();
    assert.ok(server.closed);
  });

  it("is cut short by close, and begins once", async () => {
    const { clock, server, join } = await setup();
    const client = join();
    const all = [server.lameDuck(), server.lameDuck()];
    await settle();
    assert.match(client.look(), /^INFO [^\n]*\n$/);
    const closed = server.close();
    await clock.advance(0);
    await Promise.all([...all, closed]);
    assert.notEqual(client.ended, undefined);
    assert.equal(clock.pending, 0);
  });

  it("has nothing to do on a server without a listener", async () => {
    const server = new Server(checkedSettings({}), simulatedRuntime(new VirtualClock()));
    await server.lameDuck();
    assert.equal(server.closed, false);
    await server.close();
  });
});
