import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { NatsServer } from "../../src/runtime/node/nats-server.ts";
import { RawClient } from "../support/raw-client.ts";
import { RealServer } from "../support/real-server.ts";

let folder: string;
let real: RealServer;
let ours: NatsServer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-markers-"));
  real = await RealServer.start(["-js", "-sd", folder]);
  ours = await NatsServer.start({ jetstream: true, listen: { host: "127.0.0.1", port: 0 } });
});

after(async () => {
  await real.close();
  await ours.close();
  await rm(folder, { recursive: true, force: true });
});

/** Lines of headers, each of a message of its own that expires, and whether a marker takes its place. */
const LINES: readonly (readonly [line: string, marked: boolean])[] = [
  ["KV-Operation: PURGE", false],
  ["KV-Operation:PURGE", false],
  ["KV-Operation:  PURGE", false],
  ["Nats-Marker-Reason:MaxAge", false],
  ["Nats-Marker-Reason: ", true],
  ["KV-Operation: PURGED", true],
  ["KV-Operation: PURGE ", true],
  ["KV-Operation: DEL", true],
  ["X-KV-Operation: PURGE", true],
  ["X-Text: KV-Operation: PURGE", true],
  ["KV-Operation: DEL\r\nKV-Operation: PURGE", true],
  ["kv-operation: PURGE", true],
];

/** The subjects (by their number) that are left when the messages have expired: those that have a marker. */
async function marked(port: number): Promise<number[]> {
  const client = await RawClient.open(port);
  const config = { name: "M", subjects: ["m.*"], storage: "memory", max_age: 1e9 };
  const create = JSON.stringify({ ...config, subject_delete_marker_ttl: 60e9 });
  let said = 'CONNECT {"verbose":false,"headers":true}\r\nSUB created 1\r\nSUB acked 2\r\n';
  said += `PUB $JS.API.STREAM.CREATE.M created ${create.length}\r\n${create}\r\n`;
  client.send(said);
  await client.take(/stream_create_response/);
  said = LINES.map(([line], i) => {
    const block = `NATS/1.0\r\n${line}\r\n\r\n`;
    return `HPUB m.${i} acked ${block.length} ${block.length}\r\n${block}\r\n`;
  }).join("");
  // The last of all to expire, so when its marker is there all others are.
  client.send(`${said}PUB m.end acked 0\r\n\r\n`);
  const get = '{"last_by_subj":"m.end"}';
  for (let seq = 0; seq <= LINES.length + 1; ) {
    client.send(`PUB $JS.API.STREAM.MSG.GET.M created ${get.length}\r\n${get}\r\n`);
    // For a moment there may be neither the message nor its marker.
    const answer = await client.take(/"subject":"m.end","seq":\d+|no message found/);
    seq = Number(/\d+$/.exec(answer)?.[0] ?? 0);
  }
  const request = '{"subjects_filter":">"}';
  client.send(`PUB $JS.API.STREAM.INFO.M created ${request.length}\r\n${request}\r\n`);
  const info = await client.take(/"subjects":\{.*\}/);
  client.close();
  const subjects = Object.keys(JSON.parse(info.match(/"subjects":(\{[^}]*\})/)?.[1] ?? "{}"));
  return subjects
    .flatMap((subject) => (subject === "m.end" ? [] : [Number(subject.slice(2))]))
    .sort((a, b) => a - b);
}

test("a marker takes the place of what has expired, unless that is one, however its header is written", async () => {
  const wanted = LINES.flatMap(([, isMarked], i) => (isMarked ? [i] : []));
  const [theirs, own] = await Promise.all([marked(real.port), marked(ours.port ?? 0)]);
  assert.deepEqual(theirs, wanted);
  assert.deepEqual(own, wanted);
});
