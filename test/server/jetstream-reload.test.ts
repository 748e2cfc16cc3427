/** What a reload changes of JetStream. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/nats-server.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-reload-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const SERVER = { serverName: "here", listen: { host: "127.0.0.1", port: 0 } };

function configOf(account: string, jetstream = `{ store_dir: ${JSON.stringify(folder)} }`): string {
  return `jetstream ${jetstream}\naccounts { A { users: [ {user: a, password: a} ], ${account} } }`;
}

async function ask(nc: NatsConnection, subject: string, body: object | string = "") {
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  return JSON.parse((await nc.request(subject, payload)).string());
}

it("gives JetStream to an account, with what it had, limits it, and takes it away", async () => {
  const path = join(folder, "x.conf");
  const reload = async (text: string): Promise<void> => {
    await writeFile(path, text);
    await server.reload();
  };
  await writeFile(path, configOf("jetstream: enabled"));
  await using server = await NatsServer.fromConfigFile(path, SERVER);
  const nc = await connect({ port: server.port, user: "a", pass: "a" });
  await ask(nc, "$JS.API.STREAM.CREATE.S", { name: "S", subjects: ["s"] });
  assert.equal((await ask(nc, "s", "x")).seq, 1);

  await reload(configOf("jetstream { max_streams: 1 }"));
  assert.equal((await ask(nc, "$JS.API.INFO")).limits.max_streams, 1);
  assert.equal((await ask(nc, "$JS.API.STREAM.CREATE.T", { name: "T" })).error.err_code, 10027);
  assert.equal((await ask(nc, "s", "x")).seq, 2);

  await reload(configOf("jetstream: disabled"));
  assert.equal((await ask(nc, "$JS.API.INFO")).error.err_code, 10039);
  await assert.rejects(ask(nc, "s", "x"), /no responders/);

  await reload(configOf("jetstream: enabled"));
  const { state, cluster } = await ask(nc, "$JS.API.STREAM.INFO.S");
  assert.deepEqual([state.messages, cluster.leader], [2, "here"]);
  assert.equal((await ask(nc, "s", "x")).seq, 3);

  await writeFile(path, configOf("jetstream: enabled", "{ store_dir: elsewhere }"));
  await assert.rejects(server.reload(), {
    name: "ServerError",
    code: "RELOAD_FAILED",
    message: "config reload not supported for jetstream storage directory",
  });
  assert.equal((await ask(nc, "s", "x")).seq, 4);

  const small = `{ store_dir: ${JSON.stringify(folder)}, max_file: 1 }`;
  await reload(configOf("jetstream: enabled", small));
  assert.equal((await ask(nc, "s", "x")).error.err_code, 10023);

  await reload(configOf("jetstream: enabled", "disabled"));
  await assert.rejects(ask(nc, "$JS.API.INFO"), /no responders/);
  await reload(configOf("jetstream: enabled"));
  assert.equal((await ask(nc, "s", "x")).seq, 5);
  await nc.close();
});
