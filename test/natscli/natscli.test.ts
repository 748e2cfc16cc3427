/** The `nats` command as a user of this server: what it does with a nats-server it does here. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { until } from "../support/waiting.ts";

const run = promisify(execFile);
/** How long (ms) one command may take. */
const PATIENCE_MS = 20_000;

describe("the nats command", () => {
  let server: NatsServer;

  before(async () => {
    server = await NatsServer.start({
      listen: { port: 0 },
      serverName: "one",
      accounts: {
        A: { users: [{ user: "a", password: "a" }] },
        $SYS: { users: [{ user: "sys", password: "sys" }] },
      },
    });
  });

  after(() => server.close());

  const program = (): string => process.env.NATS_CLI!;
  const login = (user: string): string[] => ["-s", server.clientUrl!, "--user", user, "--password", user];

  async function nats(user: string, ...args: string[]): Promise<string> {
    const { stdout, stderr } = await run(program(), [...login(user), ...args], { timeout: PATIENCE_MS });
    return stdout + stderr;
  }

  /** Runs a command in the background until `use` is done with it. */
  async function beside(
    user: string,
    args: string[],
    use: (output: () => string) => Promise<void>,
  ): Promise<void> {
    await until(() => server.stats().connections === 0, "those before have gone");
    const before = server.stats().subscriptions;
    const child = spawn(program(), [...login(user), ...args]);
    const exited = once(child, "exit");
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes));
    try {
      await until(() => server.stats().subscriptions > before, `nats ${args[0]} has subscribed`);
      await use(() => output);
    } finally {
      child.kill();
      await exited;
      await until(() => server.stats().subscriptions <= before, "its subscriptions have gone");
    }
  }

  it("server list", async () => {
    assert.match(await nats("sys", "server", "list"), /│ one +│ .*│ 2\.14\.5 +│/);
  });

  it("server info", async () => {
    const text = await nats("sys", "server", "info");
    assert.match(text, /Server information for one/);
    assert.match(text, /Version: 2\.14\.5/);
    assert.ok(text.includes(`Go Version: node${process.versions.node}`));
  });

  it("server ping, and requests of all kinds", async () => {
    assert.match(await nats("sys", "server", "ping", "1"), /one +rtt=/);
    for (const kind of [
      "variables",
      "connections",
      "subscriptions",
      "accounts",
      "routes",
      "gateways",
      "leafnodes",
    ]) {
      assert.match(await nats("sys", "server", "request", kind), /"server":\{"name":"one"/, kind);
    }
  });

  it("server report connections and accounts", async () => {
    assert.match(await nats("sys", "server", "report", "connections"), /Top 1 Connections out of 1/);
    assert.match(await nats("sys", "server", "report", "accounts"), /\$SYS/);
  });

  it("server check, rtt, account info", async () => {
    assert.match(await nats("sys", "server", "check", "connection"), /OK Connection/);
    assert.match(await nats("a", "rtt"), /µs|ms/);
    assert.match(await nats("a", "account", "info"), /Account: A/);
  });

  it("pub and sub", async () => {
    await beside("a", ["sub", "greet.>"], async (output) => {
      await nats("a", "pub", "greet.joe", "hello", "-H", "x:1");
      await until(
        () => /Received on "greet\.joe"[\s\S]*x: 1[\s\S]*hello/.test(output()),
        "the message is shown",
      );
    });
  });

  it("request and reply", async () => {
    await beside("a", ["reply", "help", "I can"], async () => {
      assert.match(await nats("a", "request", "help", "me"), /I can/);
    });
    assert.match(await nats("a", "request", "nobody", "x"), /No responders are available/);
  });

  it("bench pub and sub", async () => {
    const count = ["--msgs", "20000", "--no-progress"];
    await beside("a", ["bench", "sub", "load", ...count], async (output) => {
      assert.match(await nats("a", "bench", "pub", "load", ...count), /publisher stats: [\d,]+ msgs\/sec/);
      await until(() => /subscriber stats: [\d,]+ msgs\/sec/.test(output()), "all have come");
    });
  });

  it("bench service", async () => {
    await beside("a", ["bench", "service", "serve", "svc", "--no-progress"], async () => {
      const text = await nats("a", "bench", "service", "request", "svc", "--msgs", "200", "--no-progress");
      assert.match(text, /requester stats: [\d,]+ msgs\/sec/);
    });
  });

  it("events", async () => {
    await beside("sys", ["events", "--short"], async (output) => {
      await until(() => /AUTH\.ERR/.test(output()), "it listens to all");
      await nats("a", "pub", "x", "y");
      await until(
        () => /\[Connection\] user: a [\s\S]*\[Disconnection\] user: a /.test(output()),
        "it tells",
      );
    });
  });
});
