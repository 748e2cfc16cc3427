/**
 * JetStream managed with the `nats` command: each line does here what it does with a nats-server. Both get the same lines, and what the command
 * shows and how it exits must be the same but for times, ids and versions. Where there is no nats-server, ours is held to the patterns alone.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { RealServer } from "../support/real-server.ts";
import { until } from "../support/waiting.ts";

/** How long (ms) one command may take. */
const PATIENCE_MS = 20_000;

/** A command line, and what it shows on ours: "!" before the line says that it fails. */
type Step = readonly [line: string, shows?: RegExp];

/** What differs from one server, or run, to the next. */
const MASKS: readonly [what: RegExp, as: string][] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?Z| ?[+-]\d\d:?\d\d( \w+)?)?/g, "<time>"],
  [/\b\d\d:\d\d:\d\d\b/g, "<clock>"],
  [/\b(\d+(\.\d+)?(ns|µs|ms|h|m|s))+\b/g, "<span>"],
  [/"(active|idle|last_active|ack_wait)": ?\d+/g, '"$1":<span>'],
  [/\b2\.1\d\.\d+\b/g, "<version>"],
  [/hosted at level \d/g, "hosted at level <level>"],
  [/"_nats\.level": "\d"/g, '"_nats.level": "<level>"'],
  [/\bN[A-Z0-9]{55}\b/g, "<server>"],
  [/\b_INBOX\.\S+/g, "<inbox>"],
  [/Client ID: \d+/g, "Client ID: <id>"],
  [/127\.0\.0\.1:\d+/g, "<address>"],
  [/out-(ours|real)/g, "<file>"],
  [/(throughput|average|Average)[^\n]*/g, "$1"],
  // Tables are as wide as what has been masked.
  [/[ ─═]+/g, " "],
];

const masked = (text: string): string => MASKS.reduce((out, [what, as]) => out.replace(what, as), text);

/** The words of a line; one in quotes may hold spaces. */
const wordsOf = (line: string): string[] =>
  (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ""));

describe("the nats command manages JetStream", () => {
  let folder: string;
  let ours: NatsServer;
  let real: RealServer | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "gnatlet-nats-"));
    await writeFile(join(folder, "file"), Buffer.alloc(300_000, "gnatlet"));
    ours = await NatsServer.start({
      listen: { port: 0 },
      serverName: "one",
      jetstream: { storeDir: join(folder, "ours") },
    });
    if (process.env.NATS_SERVER !== undefined) {
      real = await RealServer.start(["-js", "-sd", join(folder, "real"), "-n", "one"]);
    }
  });

  after(async () => {
    await ours?.close();
    await real?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const argumentsOf = (url: string, line: string): string[] => {
    const out = join(folder, url === real?.url ? "out-real" : "out-ours");
    const words = wordsOf(line).map((word) =>
      word.replace("@FILE", join(folder, "file")).replace("@OUT", out),
    );
    return ["-s", url, "--no-context", ...words];
  };

  /** Runs one command: what it showed, and whether it went well. */
  function nats(url: string, line: string): Promise<{ ok: boolean; text: string }> {
    return new Promise((resolve) => {
      execFile(
        process.env.NATS_CLI!,
        argumentsOf(url, line),
        { timeout: PATIENCE_MS },
        (error, stdout, stderr) => {
          resolve({ ok: error === null, text: stdout + stderr });
        },
      );
    });
  }

  /** Runs the lines one after the other, each on both servers. */
  async function play(steps: readonly Step[]): Promise<void> {
    for (const [entry, shows] of steps) {
      const line = entry.replace(/^!/, "");
      const [here, there] = await Promise.all([nats(ours.clientUrl!, line), real && nats(real.url, line)]);
      assert.equal(here.ok, line === entry, `nats ${line}: ${here.text}`);
      if (shows !== undefined) assert.match(here.text, shows, `nats ${line}`);
      if (there === undefined) continue;
      assert.equal(masked(here.text), masked(there.text), `nats ${line}`);
      assert.equal(here.ok, there.ok, `nats ${line}`);
    }
  }

  /** Runs a command that goes on until it has shown what is waited for, while `meanwhile` is done; on both. */
  async function watch(line: string, ready: RegExp, meanwhile: Step[], shows: RegExp): Promise<void> {
    const watchers = [ours.clientUrl!, ...(real === undefined ? [] : [real.url])].map((url) => {
      const child = spawn(process.env.NATS_CLI!, argumentsOf(url, line));
      const watcher = { child, text: "", exited: once(child, "exit") };
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (bytes) => (watcher.text += bytes));
      return watcher;
    });
    try {
      for (const each of watchers) await until(() => ready.test(each.text), `nats ${line} is ready`);
      await play(meanwhile);
      for (const each of watchers) await until(() => shows.test(each.text), `nats ${line} shows all`);
      const [here, there = here] = watchers;
      assert.equal(masked(here.text), masked(there.text), `nats ${line}`);
    } finally {
      for (const { child } of watchers) child.kill();
      await Promise.all(watchers.map(({ exited }) => exited));
    }
  }

  it("streams", async () => {
    await play([
      ["!stream info NONE"],
      [
        'stream add ORDERS --subjects orders.> --description "all orders" --max-msgs 100 --max-age 1h --dupe-window 1m --metadata a:b --defaults',
        /Information for Stream ORDERS created/,
      ],
      ["!stream add ORDERS --subjects other --defaults", /already in use .*\(10058\)/],
      ["!stream add BAD --subjects orders.new --defaults", /overlap .*\(10065\)/],
      ["stream add WORK --subjects work.* --retention work --storage memory --defaults", /WorkQueue/],
      ['pub orders.new "first {{Count}}" --jetstream', /Stored in Stream: ORDERS Sequence: 1/],
      ['pub orders.new "order {{Count}}" --count 5'],
      ['pub orders.old "order {{Count}}" --count 2 -H a:b'],
      ["stream info ORDERS", /Messages: 8\b/],
      ["stream info ORDERS --json", /"leader": "one"/],
      ["stream ls", /ORDERS/],
      ["stream ls -a -n", /^ORDERS\nWORK\n$/],
      ["stream report", /ORDERS/],
      ["stream state ORDERS", /Messages: 8\b/],
      ["stream subjects ORDERS", /orders\.new/],
      ["stream get ORDERS 2", /Item: ORDERS#2 [\s\S]*order 1/],
      ["stream get ORDERS -S orders.old --json", /"subject": "orders.old"/],
      ["!stream get ORDERS 99", /\(10037\)/],
      ["stream rmm ORDERS 3 -f"],
      ["!stream rmm ORDERS 3 -f", /\(10043\)/],
      ["stream gaps ORDERS -f --no-progress", /1 gap found/],
      ["stream edit ORDERS --max-msgs 50 --description changed -f", /Maximum Messages: 50\b/],
      ["!stream edit ORDERS --subjects work.a -f", /overlap .*\(10065\)/],
      ["stream copy ORDERS COPY --subjects copy.>", /Stream COPY/],
      ["stream find --empty", /COPY/],
      ["stream find --subject orders.new", /Streams matching orders.new/],
      ["stream purge ORDERS --subject orders.old -f", /Messages: 5\b/],
      ["stream purge ORDERS --keep 2 -f --json", /"messages": 2\b/],
      ["stream purge ORDERS -f", /Messages: 0\b/],
      ["stream seal COPY -f", /Sealed: true/],
      ["!stream purge COPY -f", /\(10109\)/],
      ["stream rm COPY -f"],
      ["!stream rm COPY -f", /\(10059\)/],
      ["stream rm WORK -f"],
      ["stream rm ORDERS -f"],
      ["stream ls", /No Streams defined/],
    ]);
  });

  it("consumers", async () => {
    await play([
      ["stream add EVENTS --subjects events.* --defaults"],
      ['pub events.new "{{Count}}" --count 20'],
      [
        "consumer add EVENTS pull --pull --filter events.new --max-deliver 5 --description one --defaults",
        /Consumer EVENTS > pull created/,
      ],
      [
        "consumer add EVENTS push --target deliver.push --deliver all --ack explicit --replay instant --heartbeat 5s --flow-control --defaults",
        /Delivery Subject: deliver.push/,
      ],
      ["!consumer add NONE pull --pull --defaults", /Stream|stream/],
      ["consumer ls EVENTS", /pull/],
      ["consumer info EVENTS pull", /Unprocessed Messages: 20\b/],
      ["consumer info EVENTS pull --json", /"num_pending": 20\b/],
      ["consumer info EVENTS push"],
      ["!consumer info EVENTS none"],
      ["consumer next EVENTS pull", /subj: events\.new .* pending: 19/],
      ["consumer next EVENTS pull --count 3 --raw", /2\n?3\n?4/],
      ["consumer next EVENTS pull --nak --no-ack"],
      ["consumer next EVENTS pull --term", /Terminated message/],
      ["consumer next EVENTS pull --no-ack"],
      ["consumer report EVENTS", /push/],
      ["consumer state EVENTS pull", /Outstanding Acks: 1 /],
      ["consumer edit EVENTS pull --description two --max-pending 50 -f", /Max Ack Pending: 50\b/],
      ["consumer pause EVENTS pull 1h -f", /Paused EVENTS > pull until/],
      ["consumer info EVENTS pull", /Paused Until Deadline/],
      ["consumer resume EVENTS pull -f", /was resumed/],
      ["consumer reset EVENTS pull -f"],
      ["consumer copy EVENTS pull second", /EVENTS > second/],
      ["consumer find EVENTS", /second/],
      ["!consumer unpin EVENTS pull a -f", /not a pinned priority consumer/],
      ["consumer rm EVENTS pull -f"],
      ["!consumer rm EVENTS pull -f", /\(10014\)/],
      ["!stream cluster step-down EVENTS", /not clustered/],
    ]);
    await watch("consumer sub EVENTS push --raw", /20\n/, [["pub events.old last"]], /last/);
    await play([
      ["consumer next EVENTS second --count 2", /pending: 18/],
      ["server check jetstream", /OK JetStream/],
      ["server check stream --stream EVENTS", /OK EVENTS/],
      ["server check consumer --stream EVENTS --consumer second", /OK EVENTS_second/],
      ["!server check consumer --stream EVENTS --consumer second --unprocessed-critical 1", /CRITICAL/],
      ["server check message --stream EVENTS --subject events.new", /OK Stream Message/],
      ["account info", /JetStream Account Information/],
      ["stream rm EVENTS -f"],
    ]);
  });

  it("key-value buckets", async () => {
    await play([
      [
        "kv add CONFIG --history 5 --description settings --max-value-size 1KB",
        /Key-Value Store Bucket CONFIG created/,
      ],
      ["kv put CONFIG a.b one"],
      ["kv put CONFIG a.b two"],
      ["kv get CONFIG a.b", /revision: 2 [\s\S]*two/],
      ["kv get CONFIG a.b --raw", /^two\s*$/],
      ["kv get CONFIG a.b --revision 1", /one/],
      ["!kv get CONFIG none", /key not found/],
      ["kv create CONFIG c first"],
      ["!kv create CONFIG c second", /key exists/],
      ["kv update CONFIG c second 3"],
      ["!kv update CONFIG c third 3", /wrong last sequence: 4/],
      ["kv history CONFIG c", /second/],
      ["kv ls", /CONFIG/],
      ["kv ls -n", /^CONFIG\n$/],
      ["kv ls CONFIG", /a\.b\nc/],
      ["kv ls CONFIG -v --display-value", /second/],
      ["kv status CONFIG", /Values Stored: 4\b/],
      ["!kv info NONE", /bucket not found/],
      ["kv revert CONFIG a.b 1 --force"],
      [`!kv put CONFIG big ${"x".repeat(2_000)}`, /maximum/],
    ]);
    await watch(
      "kv watch CONFIG c",
      /second/,
      [["kv put CONFIG c third"], ["kv del CONFIG c -f"]],
      /third[\s\S]*DEL/,
    );
    await play([
      ["kv history CONFIG c", /DELETE/],
      ["!kv get CONFIG c", /key not found/],
      ["kv purge CONFIG a.b -f"],
      ["kv history CONFIG a.b", /PURGE/],
      ["kv ls CONFIG", /No keys found/],
      ["kv edit CONFIG --history 3"],
      ["server check kv --bucket CONFIG", /OK CONFIG/],
      ["!server check kv --bucket CONFIG --key c", /CRITICAL/],
      ["kv compact CONFIG -f"],
      ["kv add TTL --ttl 1h --marker-ttl 1m --storage memory"],
      ["kv create TTL k v --ttl 30m"],
      ["kv get TTL k", /revision: 1 /],
      ["kv rm CONFIG -f"],
      ["!kv rm CONFIG -f", /bucket not found/],
      ["kv rm TTL -f"],
    ]);
  });

  it("objects", async () => {
    await play([
      [
        "object add FILES --description files --max-bucket-size 10MB",
        /Object Store Bucket|Bucket FILES|FILES/,
      ],
      ["object put FILES @FILE --name f --no-progress --description desc -H x:y", /FILES > f/],
      ["object put FILES @FILE --name f --no-progress -f"],
      ["object put FILES @FILE --name g --no-progress --chunk-size 1024", /Chunks: 293\b/],
      ["object ls", /FILES/],
      ["object ls FILES", /\bg\b/],
      ["object info FILES"],
      ["object info FILES f", /Size: 293 KiB/],
      ["object get FILES g -O @OUT --no-progress -f", /Wrote: 293 KiB/],
      ["!object get FILES none -O @OUT --no-progress -f", /object not found/],
      ["object del FILES g -f"],
      ["object ls FILES"],
      ["object seal FILES -f", /sealed/],
      ["!object put FILES @FILE --name h --no-progress", /10109/],
      ["object get FILES f -O @OUT --no-progress -f"],
      ["object rm FILES -f"],
      ["object ls", /No Object Store buckets found/],
    ]);
    assert.deepEqual(await readFile(join(folder, "out-ours")), await readFile(join(folder, "file")));
  });

  it("stream view, at a terminal", async () => {
    await play([
      ["stream add VIEW --subjects view.* --defaults"],
      ['pub view.a "number {{Count}}" --count 12'],
    ]);
    const line = ["stream", "view", "VIEW", "25", "--id", "3", "--subject", "view.a"];
    const command = [process.env.NATS_CLI!, "-s", ours.clientUrl!, "--no-context", ...line].join(" ");
    // util-linux's `script` gives it the terminal that it asks for.
    const { stdout } = await promisify(execFile)("script", ["-qec", command, "/dev/null"], {
      timeout: PATIENCE_MS,
    });
    assert.match(stdout, /\[3\] Subject: view\.a[\s\S]*number 3[\s\S]*number 12[\s\S]*Reached apparent end/);
  });

  it("bench js and bench kv", async () => {
    const rate = /stats: [\d,]+ msgs\/sec/;
    for (const [line, messages] of [
      ["js pub sync bench.s --create", 300],
      ["js pub async bench.s --purge", 5_000],
      ["js pub atomic bench.s --batch 50", 500],
      ["js pub fast bench.s", 3_000],
      ["js ordered", 2_000],
      ["js consume", 2_000],
      ["js fetch", 2_000],
      ["js get sync", 300],
      ["js get batch", 1_000],
      ["kv put", 300],
      ["kv get --randomize 100", 300],
    ] as const) {
      const { ok, text } = await nats(ours.clientUrl!, `bench ${line} --msgs ${messages} --no-progress`);
      assert.ok(ok, `nats bench ${line}: ${text}`);
      assert.match(text, rate);
    }
    const { text } = await nats(ours.clientUrl!, "stream info benchstream --json");
    assert.equal(JSON.parse(text).state.messages, 8_500);
  });
});
