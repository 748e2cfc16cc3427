/** Tracing: what is logged of connections in process, of headers, of mappings, and that it can be switched. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, NatsServer, type ServerOptions } from "../../src/runtime/node/index.ts";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import { RawClient } from "../support/raw-client.ts";

interface Traced {
  server: NatsServer;
  lines: string[];
}

/** A server whose trace lines are kept, without the connection's name. */
async function start(options: ServerOptions): Promise<Traced> {
  const lines: string[] = [];
  const nothing = (): void => {};
  const trace = (text: string): void => void lines.push(text.replace(/^.*? - cid:\d+( - ".*?")* - /, ""));
  const logger = { notice: nothing, warn: nothing, error: nothing, debug: nothing, trace };
  return { server: await NatsServer.start({ trace: true, ...options, logger }), lines };
}

async function say(server: NatsServer, text: string): Promise<void> {
  const client = await RawClient.open(server.port!);
  client.send(`CONNECT {"verbose":false,"headers":true}\r\n${text}PING\r\n`);
  await client.take(/PONG\r\n/);
  client.socket.destroy();
}

const ANY = { port: 0 };

describe("tracing", () => {
  it("shows what is said in process", async () => {
    const { server, lines } = await start({});
    await using _ended = server;
    const nc = await connect({ inProcessServer: server });
    lines.length = 0;
    const sub = nc.subscribe("a.*", { callback() {} });
    nc.publish("a.b", "text");
    nc.publish("a.c", new Uint8Array([1, 0xff]), { reply: "r" });
    await nc.flush();
    sub.unsubscribe();
    await nc.flush();
    await nc.close();
    await server.close();
    assert.deepEqual(lines, [
      "<<- [SUB a.* 1]",
      "<<- [PUB a.b 4]",
      '<<- MSG_PAYLOAD: ["text"]',
      "->> [MSG a.b 1 4]",
      '->> MSG_PAYLOAD: ["text"]',
      "<<- [PUB a.c r 2]",
      '<<- MSG_PAYLOAD: ["\\x01\\xff"]',
      "->> [MSG a.c 1 r 2]",
      '->> MSG_PAYLOAD: ["\\x01\\xff"]',
      "<<- [PING]",
      "->> [PONG]",
      "<<- [UNSUB 1]",
      "<-> [DELSUB 1]",
      "<<- [PING]",
      "->> [PONG]",
    ]);
  });

  it("shows headers only, when that is wanted", async () => {
    const { server, lines } = await start({ listen: ANY, traceHeaders: true });
    await using _ended = server;
    await say(server, "SUB a 1\r\nPUB a 2\r\nno\r\nHPUB a 18 20\r\nNATS/1.0\r\nK: v\r\n\r\nno\r\n");
    await server.close();
    assert.deepEqual(
      lines.filter((line) => line.includes("PAYLOAD")),
      ['<<- MSG_PAYLOAD: ["NATS/1.0\\r\\nK: v"]', '->> MSG_PAYLOAD: ["NATS/1.0\\r\\nK: v"]'],
    );
  });

  it("shows what mappings do", async () => {
    const { server, lines } = await start({ listen: ANY, mappings: { "a.*": "b.$1" } });
    await using _ended = server;
    await say(server, "SUB b.> 1\r\nPUB a.x 0\r\n\r\nPUB c 0\r\n\r\n");
    await server.close();
    assert.deepEqual(
      lines.filter((line) => /PUB|MAPPING|MSG/.test(line)),
      ["<<- [PUB a.x 0]", "<<- [MAPPING a.x -> b.x]", "->> [MSG b.x 1 0]", "<<- [PUB c 0]"],
    );
  });

  it("is off unless it is wanted", async () => {
    const { server, lines } = await start({ listen: ANY, trace: false });
    await using _ended = server;
    await say(server, "SUB a 1\r\nPUB a 2\r\nno\r\n");
    await server.close();
    assert.deepEqual(lines, []);
  });

  it("shows what the server itself publishes, when that is wanted", async () => {
    for (const traceVerbose of [false, true]) {
      const accounts = {
        $SYS: { users: [{ user: "s", password: "s" }] },
        A: { users: [{ user: "a", password: "a" }] },
      };
      const { server, lines } = await start({ listen: ANY, traceVerbose, accounts });
      await using _ended = server;
      const operator = await RawClient.open(server.port!);
      operator.send(
        'CONNECT {"verbose":false,"user":"s","pass":"s"}\r\nSUB $SYS.ACCOUNT.A.CONNECT 1\r\nPING\r\n',
      );
      await operator.take(/PONG\r\n/);
      const client = await RawClient.open(server.port!);
      client.send('CONNECT {"verbose":false,"user":"a","pass":"a"}\r\nPING\r\n');
      await operator.take(/MSG \$SYS\.ACCOUNT\.A\.CONNECT 1 /);
      client.socket.destroy();
      operator.socket.destroy();
      const own = lines.filter((line) => line.startsWith("SYSTEM - "));
      assert.equal(own.length > 0, traceVerbose);
      if (traceVerbose) assert.match(own[0], /^SYSTEM - <<- \[PUB \$SYS\.ACCOUNT\.A\.CONNECT \d+\]$/);
    }
  });

  it("begins and ends with the options, for connections that are there, too", async () => {
    const lines: string[] = [];
    const nothing = (): void => {};
    const trace = (text: string): void => void lines.push(text);
    const logger = { notice: nothing, warn: nothing, error: nothing, debug: nothing, trace };
    /** A server whose logging can be changed from here. */
    class Changeable extends NatsServer {
      static async begin(): Promise<Changeable> {
        const begun = new Changeable(checkedSettings({ logger }), nodeRuntime());
        await begun.open();
        return begun;
      }

      tracing(on: boolean): void {
        this.applyLogging({ ...this.options, trace: on });
      }
    }
    await using server = await Changeable.begin();
    const nc = await connect({ inProcessServer: server });
    nc.subscribe("a", { callback() {} });
    const said = async (): Promise<string[]> => {
      nc.publish("a", "x");
      await nc.flush();
      return lines.splice(0).map((line) => line.replace(/^.* - /, ""));
    };
    assert.deepEqual(await said(), []);
    server.tracing(true);
    const shown = await said();
    assert.equal(shown.length, 6);
    assert.equal(shown[0], "<<- [PUB a 1]");
    server.tracing(false);
    assert.deepEqual(await said(), []);
    await nc.close();
    await server.close();
  });
});
