import assert from "node:assert/strict";
import { once } from "node:events";
import { get as getSecure } from "node:https";
import { connect as connectSocket } from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect, NatsServer } from "../../../src/runtime/node/index.ts";
import { nodeRuntime } from "../../../src/runtime/node/runtime.ts";
import { checkedSettings } from "../../../src/server/checked-settings.ts";
import { RawClient } from "../../support/raw-client.ts";
import { certificate, pem, tlsFile } from "../../support/tls-files.ts";
import { until } from "../../support/waiting.ts";

async function get(server: NatsServer, path: string, accept = "*/*") {
  const response = await fetch(`${server.monitorUrl}${path}`, { headers: { accept }, redirect: "manual" });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

// biome-ignore lint/suspicious/noExplicitAny: what is asked for is checked field by field.
async function json(server: NatsServer, path: string): Promise<any> {
  return JSON.parse((await get(server, path)).text);
}

test("a server without `http` serves no monitoring", async () => {
  await using server = await NatsServer.start();
  assert.equal(server.monitorUrl, undefined);
});

test("the listener is logged, and is closed with the server", async () => {
  const lines: string[] = [];
  const say = (text: string) => lines.push(text);
  const logger = { notice: say, warn: say, error: say, debug() {}, trace() {} };
  const server = await NatsServer.start({ http: { port: 0 }, logger });
  const url = server.monitorUrl!;
  assert.ok(lines.includes(`Starting http monitor on ${new URL(url).host}`), lines.join("\n"));
  assert.equal((await fetch(`${url}/varz`)).status, 200);
  await server.close();
  await assert.rejects(fetch(`${url}/varz`));
});

test("who waits for monitoring can connect when the answer is there", async () => {
  const happened: string[] = [];
  let answered: Promise<unknown> | undefined;
  const notice = (line: string): void => {
    happened.push(line);
    const url = /^Starting http monitor on (.*)$/.exec(line)?.[1];
    if (url !== undefined)
      answered = fetch(`http://${url}/varz`).then(({ status }) => happened.push(`${status}`));
  };
  const logger = { notice, warn() {}, error() {}, debug() {}, trace() {} };
  const runtime = nodeRuntime();
  const { network } = runtime;
  const listen: typeof network.listen = async (...given) => {
    // Time for the answer to come too early.
    for (let turn = 0; turn < 500 && !happened.includes("200"); turn++) await nextTurn();
    return network.listen(...given);
  };
  class Slow extends NatsServer {
    override open(): Promise<void> {
      return super.open();
    }
  }
  const options = { listen: { port: 0 }, http: { port: 0 }, logger };
  await using server = new Slow(checkedSettings(options), { ...runtime, network: { ...network, listen } });
  await server.open();
  await answered;
  assert.ok(
    happened.indexOf("200") >
      happened.indexOf(`Listening for client connections on 127.0.0.1:${server.port}`),
  );
});

test("an address that is taken is refused, by an error that names the option", async () => {
  await using first = await NatsServer.start({ http: { port: 0 } });
  const port = Number(new URL(first.monitorUrl!).port);
  await assert.rejects(NatsServer.start({ http: { port } }), { code: "LISTEN_FAILED", option: "http" });
  await assert.rejects(NatsServer.start({ http: { port: -1 } }), {
    code: "INVALID_OPTION",
    option: "http.port",
  });
  // When the clients' address is taken, the one of monitoring is free again.
  await using taken = await NatsServer.start({ listen: { port: 0 } });
  const listen = { port: taken.port! };
  await assert.rejects(NatsServer.start({ listen, http: { port: 0 } }), {
    code: "LISTEN_FAILED",
    option: "listen",
  });
});

test("over HTTPS, with the certificate for clients, and without asking for theirs", async () => {
  const tls = { ...certificate("server"), caFile: tlsFile("ca.pem"), verify: true };
  const server = await NatsServer.start({ https: { port: 0 }, tls });
  const url = server.monitorUrl!;
  assert.match(url, /^https:/);
  const status = await new Promise((resolve, reject) => {
    const options = { ca: pem("ca.pem"), servername: "localhost" };
    getSecure(`${url}/varz`, options, (response) => resolve(response.resume().statusCode)).on(
      "error",
      reject,
    );
  });
  assert.equal(status, 200);
  // Neither somebody who says nothing nor one who speaks in the clear keeps the server from ending.
  const silent = connectSocket(Number(new URL(url).port), "127.0.0.1");
  const plain = connectSocket(Number(new URL(url).port), "127.0.0.1");
  const ended = [once(silent, "close"), once(plain, "close")];
  for (const socket of [silent, plain]) socket.on("error", () => {});
  plain.end("GET /varz HTTP/1.1\r\n\r\n");
  await once(silent, "connect");
  await ended[1];
  await server.close();
  await ended[0];
});

test("a base path comes before every path", async () => {
  await using server = await NatsServer.start({ http: { port: 0 }, httpBasePath: "nats/" });
  assert.match(server.monitorUrl!, /\/nats$/);
  assert.equal((await json(server, "/varz")).http_base_path, "/nats");
  assert.match((await get(server, "")).text, /href=\.\/nats\/varz/);
  const { origin } = new URL(server.monitorUrl!);
  assert.equal((await fetch(`${origin}/varz`)).status, 404);
  assert.equal((await fetch(`${origin}/`)).status, 404);
});

test("requests are counted by path", async () => {
  await using server = await NatsServer.start({ http: { port: 0 } });
  for (const path of ["/", "/connz", "/subscriptionsz", "/subsz", "/nosuch", "/raftz"])
    await get(server, path);
  assert.deepEqual((await json(server, "/varz")).http_req_stats, {
    "/": 1,
    "/connz": 1,
    "/subsz": 2,
    "/varz": 1,
  });
});

test("JSONP calls the function that is named, if that is a name", async () => {
  await using server = await NatsServer.start({ http: { port: 0 } });
  const answer = await get(server, "/healthz?callback=a.b_1");
  assert.equal(answer.text, 'a.b_1({"status":"ok"})');
  assert.equal(answer.headers.get("content-type"), "application/javascript");
  const wrong = await get(server, "/healthz?callback=alert(1)//");
  assert.equal(wrong.status, 400);
  assert.doesNotMatch(wrong.text, /alert/);
});

test("connections in process are shown, and when they were last at work", async () => {
  await using server = await NatsServer.start({ http: { port: 0 } });
  const nc = await connect({ inProcessServer: server, name: "inside" });
  const [before] = (await json(server, "/connz")).connections;
  assert.deepEqual([before.name, before.ip, before.port, before.type], ["inside", "", 0, "nats"]);
  await until(() => Date.now() > Date.parse(before.last_activity), "time has passed");
  nc.subscribe("a", { callback() {} });
  nc.publish("a", "12345");
  await nc.flush();
  const [after] = (await json(server, "/connz?subs=1")).connections;
  assert.ok(Date.parse(after.last_activity) > Date.parse(before.last_activity));
  assert.deepEqual(
    [after.in_msgs, after.in_bytes, after.out_msgs, after.subscriptions_list],
    [1, 5, 1, ["a"]],
  );
  await nc.close();
});

test("as many closed connections are remembered as the options say, the last ones", async () => {
  await using server = await NatsServer.start({ http: { port: 0 }, maxClosedClients: 3 });
  for (let i = 0; i < 5; i++) {
    const nc = await connect({ inProcessServer: server, name: `c${i}` });
    await nc.close();
  }
  const view = await json(server, "/connz?state=closed");
  assert.deepEqual(
    view.connections.map(({ name }: { name: string }) => name),
    ["c2", "c3", "c4"],
  );
  assert.equal(view.connections[0].reason, "Client Closed");
});

test("what waits for a client that does not read is shown, and that it was cut off", async () => {
  await using server = await NatsServer.start({
    listen: { port: 0 },
    http: { port: 0 },
    maxPending: 8_000_000,
  });
  const slow = await RawClient.open(server.port!);
  await slow.ask('CONNECT {"verbose":false}\r\nSUB big 1\r\nPING\r\n');
  slow.socket.pause();
  const nc = await connect({ inProcessServer: server });
  const payload = new Uint8Array(500_000);
  let pending = 0;
  for (let i = 0; i < 60; i++) {
    nc.publish("big", payload);
    await new Promise((resolve) => setImmediate(resolve));
    const [first] = (await json(server, "/connz?sort=pending")).connections;
    pending = Math.max(pending, first.pending_bytes);
  }
  assert.ok(pending > 0);
  const closed = await json(server, "/connz?state=closed&sort=reason");
  assert.equal(closed.connections[0].reason, "Slow Consumer (Pending Bytes)");
  const varz = await json(server, "/varz");
  assert.deepEqual([varz.slow_consumers, varz.slow_consumer_stats.clients], [1, 1]);
  assert.equal((await json(server, "/accstatz?unused=1")).account_statz[0].slow_consumers, 1);
  slow.close();
  await nc.close();
});

/** What `rate(...)` and dashboards of the exporter ask for with `-jsz=all`. */
test("metrics of JetStream have the exporter's names and labels", async () => {
  const jetstream = { domain: "D", maxMemoryStore: 1_000_000, maxFileStore: 2_000_000 };
  await using server = await NatsServer.start({ http: { port: 0 }, serverName: "here", jetstream });
  const nc = await connect({ inProcessServer: server });
  const ask = (subject: string, body: object) => nc.request(`$JS.API.${subject}`, JSON.stringify(body));
  await ask("STREAM.CREATE.S", { name: "S", subjects: ["s.*"], max_msgs: 7, max_bytes: 500 });
  await ask("CONSUMER.CREATE.S.c", {
    stream_name: "S",
    config: { durable_name: "c", ack_policy: "explicit", description: "d" },
  });
  for (const subject of ["s.a", "s.b", "s.b"]) await nc.request(subject, "x");
  await nc.request("$JS.API.CONSUMER.MSG.NEXT.S.c", "", { timeout: 1_000, noMux: true });
  const { text } = await get(server, "/metrics");
  const base = `server_id="${server.id}",server_name="here",cluster="",domain="D",meta_leader="",is_meta_leader="true"`;
  const account = `${base},account="$G",account_name="$G",account_id="$G"`;
  const stream = `${account},stream_name="S",stream_leader="here",is_stream_leader="true",stream_raft_group=""`;
  const consumer = `${stream},consumer_name="c",consumer_leader="",is_consumer_leader="true",consumer_desc="d"`;
  const { bytes } = (await json(server, "/jsz")) as { bytes: number };
  for (const line of [
    `jetstream_server_jetstream_disabled{${base}} 0`,
    `jetstream_server_max_memory{${base}} 1000000`,
    `jetstream_server_max_storage{${base}} 2000000`,
    `jetstream_server_total_streams{${base}} 1`,
    `jetstream_server_total_consumers{${base}} 1`,
    `jetstream_server_total_messages{${base}} 3`,
    `jetstream_server_total_message_bytes{${base}} ${bytes}`,
    `jetstream_account_storage_used{${account}} ${bytes}`,
    `jetstream_account_memory_used{${account}} 0`,
    `jetstream_stream_total_messages{${stream}} 3`,
    `jetstream_stream_total_bytes{${stream}} ${bytes}`,
    `jetstream_stream_first_seq{${stream}} 1`,
    `jetstream_stream_last_seq{${stream}} 3`,
    `jetstream_stream_consumer_count{${stream}} 1`,
    `jetstream_stream_subject_count{${stream}} 2`,
    `jetstream_stream_limit_bytes{${stream}} 500`,
    `jetstream_stream_limit_messages{${stream}} 7`,
    `jetstream_consumer_delivered_consumer_seq{${consumer}} 1`,
    `jetstream_consumer_delivered_stream_seq{${consumer}} 1`,
    `jetstream_consumer_num_ack_pending{${consumer}} 1`,
    `jetstream_consumer_num_redelivered{${consumer}} 0`,
    `jetstream_consumer_num_waiting{${consumer}} 0`,
    `jetstream_consumer_num_pending{${consumer}} 2`,
    `jetstream_consumer_ack_floor_stream_seq{${consumer}} 0`,
    `jetstream_consumer_ack_floor_consumer_seq{${consumer}} 0`,
    `gnatsd_varz_jetstream_config_max_storage{server_id="${server.id}"} 2000000`,
    `gnatsd_varz_jetstream_stats_storage{server_id="${server.id}"} ${bytes}`,
  ])
    assert.ok(text.includes(`${line}\n`), line);
  assert.match(text, /jetstream_consumer_last_delivery_seconds\{.*\} [\d.]+\n/);
  assert.doesNotMatch(text, /jetstream_consumer_last_ack_seconds/);
  await nc.close();
});

test("metrics have the exporter's names and labels", async () => {
  await using server = await NatsServer.start({ http: { port: 0 }, serverName: 'a"b' });
  const nc = await connect({ inProcessServer: server, name: "inside" });
  const answer = await get(server, "/metrics?connz_detailed=true");
  assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const id = `server_id="${server.id}"`;
  for (const line of [
    `gnatsd_varz_connections{${id}} 1`,
    `gnatsd_varz_server_name{${id},value="a\\"b"} 1`,
    `gnatsd_varz_slow_consumer_stats_clients{${id}} 0`,
    `gnatsd_subsz_num_subscriptions{${id}} 0`,
    `gnatsd_connz_num_connections{${id}} 1`,
    `gnatsd_healthz_status{${id}} 0`,
    `gnatsd_healthz_status_value{${id},value="ok"} 1`,
    `gnatsd_accstatz_current_connections{${id},account="$G",account_id="$G",account_name="$G"} 1`,
    "# TYPE gnatsd_connz_in_msgs counter",
  ])
    assert.ok(answer.text.includes(`${line}\n`), line);
  assert.match(
    answer.text,
    /gnatsd_connz_in_msgs\{.*cid="1",kind="Client",type="nats",ip="",port="0",name="inside"/,
  );
  assert.match(answer.text, /gnatsd_connz_idle\{.*cid="1",.*\} \d+\n/);
  assert.match(answer.text, /gnatsd_varz_start\{.*\} 1\d{12}\n/);
  await nc.close();
});
