/**
 * The load for a server over TCP: raw sockets, prepared bytes, no client library, so that the server is what is measured. It runs in
 * a process of its own, and is the same for every server. `tsx bench/loads/raw.ts <port> <case as JSON>` prints the result as JSON.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import { Peer } from "./peer.ts";

/** One load. */
export interface RawLoad {
  readonly kind: "pub" | "fan" | "request";
  /** Bytes of a payload. */
  readonly size: number;
  /** Connections that publish, and that subscribe. */
  readonly publishers: number;
  readonly subscribers: number;
  /** How many subjects are published on, in turn. */
  readonly subjects: number;
  /** Messages published in all (or requests made). */
  readonly count: number;
}

/** What came out. */
export interface RawResult {
  /** Messages published or delivered a second (the larger of the two), or requests. */
  readonly rate: number;
  /** Requests only: the time of one, in µs. */
  readonly p50?: number;
  readonly p99?: number;
}

/** Bytes that may be under way: less than what makes a server cut a subscriber off, and the same for every server. */
const WINDOW_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

function subjectName(i: number, load: RawLoad): string {
  return load.subjects === 1 ? "bench" : `bench.${String(i).padStart(6, "0")}`;
}

/** Chunks of whole PUB messages that go through all subjects, and how many messages each has. */
function prepare(load: RawLoad, reply: string): { bytes: Buffer; count: number }[] {
  const payload = "x".repeat(load.size);
  const chunks: { bytes: Buffer; count: number }[] = [];
  let text: string[] = [];
  let bytes = 0;
  for (let i = 0; i < load.subjects || chunks.length === 0; i++) {
    const message = `PUB ${subjectName(i % load.subjects, load)} ${reply}${load.size}\r\n${payload}\r\n`;
    text.push(message);
    bytes += message.length;
    if (bytes >= CHUNK_BYTES || (load.subjects > 1 && i === load.subjects - 1)) {
      chunks.push({ bytes: Buffer.from(text.join(""), "latin1"), count: text.length });
      text = [];
      bytes = 0;
    }
  }
  return chunks;
}

async function publishAndCount(port: number, load: RawLoad): Promise<RawResult> {
  const subscribers = await Promise.all(Array.from({ length: load.subscribers }, () => Peer.open(port)));
  for (const peer of subscribers) {
    const lines = Array.from({ length: load.subjects }, (_, i) => `SUB ${subjectName(i, load)} 1${i}\r\n`);
    // Ids of one length keep the length of a MSG line constant.
    await peer.say(lines.map((line, i) => line.replace(/ 1\d+\r/, ` ${100000 + i}\r`)).join(""));
  }
  const publishers = await Promise.all(Array.from({ length: load.publishers }, () => Peer.open(port)));
  const chunks = prepare(load, "");
  const messageBytes = `MSG ${subjectName(0, load)} 100000 ${load.size}\r\n`.length + load.size + 2;
  const each = Math.ceil(load.count / load.publishers);
  let received = 0;
  let published = 0;
  let waiting: (() => void)[] = [];
  for (const peer of subscribers) {
    peer.onData = (bytes) => {
      received += bytes.length;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    };
  }
  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
    });
  const start = performance.now();
  let total = 0;
  await Promise.all(
    publishers.map(async (peer) => {
      let sent = 0;
      for (let i = 0; sent < each; i++) {
        const chunk = chunks[i % chunks.length];
        sent += chunk.count;
        total += chunk.count;
        published += chunk.count * messageBytes * load.subscribers;
        await peer.write(chunk.bytes);
        while (load.subscribers > 0 && published - received > WINDOW_BYTES * load.subscribers)
          await changed();
      }
      await peer.say("");
    }),
  );
  const expected = total * messageBytes * load.subscribers;
  while (received < expected) await changed();
  const seconds = (performance.now() - start) / 1000;
  // The server's own pings are in there, too.
  if (received > expected + 1_000) throw new Error(`${received} bytes came, not ${expected}`);
  for (const peer of [...subscribers, ...publishers]) peer.quit();
  return { rate: (total * Math.max(1, load.subscribers)) / seconds };
}

async function request(port: number, load: RawLoad): Promise<RawResult> {
  const responder = await Peer.open(port);
  const requestor = await Peer.open(port);
  const payload = "x".repeat(load.size);
  await responder.say("SUB service 1\r\n");
  await requestor.say("SUB inbox.* 1\r\n");
  const answer = Buffer.from(`PUB inbox.1 ${load.size}\r\n${payload}\r\n`, "latin1");
  const question = Buffer.from(`PUB service inbox.1 ${load.size}\r\n${payload}\r\n`, "latin1");
  const questionBytes = `MSG service 1 inbox.1 ${load.size}\r\n`.length + load.size + 2;
  const answerBytes = `MSG inbox.1 1 ${load.size}\r\n`.length + load.size + 2;
  let asked = 0;
  responder.onData = (bytes) => {
    asked += bytes.length;
    for (; asked >= questionBytes; asked -= questionBytes) responder.socket.write(answer);
  };
  const times = new Float64Array(load.count);
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let done = 0;
    let came = 0;
    let sentAt = performance.now();
    requestor.onData = (bytes) => {
      // A ping of the server's may come with an answer, or alone.
      if (bytes.length === 6 && came === 0) return;
      came += bytes.length;
      if (came < answerBytes) return;
      came = 0;
      const now = performance.now();
      times[done++] = (now - sentAt) * 1000;
      if (done === load.count) {
        resolve();
        return;
      }
      sentAt = now;
      requestor.socket.write(question);
    };
    requestor.socket.write(question);
  });
  const seconds = (performance.now() - start) / 1000;
  // The first tenth warms up.
  const sorted = times.slice(load.count / 10).sort();
  requestor.quit();
  responder.quit();
  return {
    rate: load.count / seconds,
    p50: sorted[Math.floor(sorted.length * 0.5)],
    p99: sorted[Math.floor(sorted.length * 0.99)],
  };
}

const [port, json] = process.argv.slice(2);
const load = JSON.parse(json) as RawLoad;
const result =
  load.kind === "request" ? await request(Number(port), load) : await publishAndCount(Number(port), load);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
