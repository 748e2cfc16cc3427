import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  type ConnectionOptions,
  connect,
  createInbox,
  type Msg,
  type NatsConnection,
  headers as newHeaders,
  type Subscription,
} from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/nats-server.ts";
import { RealServer } from "./real-server.ts";
import { PATIENCE_MS } from "./waiting.ts";

/** Something that a client does: a request (or a publish that is answered), with a body in JSON or text, and headers. */
export interface Ask {
  readonly subject: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether sequences are not compared. */
  readonly anySeq?: boolean;
  /** What the message in answer is acknowledged with. */
  readonly ack?: string;
  /** Answers to wait for; until the end of the batch without. 0 for none at all. */
  readonly answers?: number;
  /** Where answers go that are not waited for, with `answers` 0: a subject that is watched. */
  readonly reply?: string;
  /** For fast ingest: the reply subject between the inbox and "$FI". All that comes there is compared, step by step. */
  readonly fast?: string;
}

/** A request that is made again and again until its answer matches; what it says is not compared. */
export interface AskUntil {
  readonly subject: string;
  readonly body?: unknown;
  readonly until: RegExp;
}

/** The servers are ended and started again, with what is on disk. */
export interface Restart {
  readonly restart: true;
}

/** A step of a script: a request by its subject and body, one in full, so many ms of waiting, or a restart. */
export type Step =
  | readonly [subject: string, body?: unknown, headers?: Readonly<Record<string, string>>]
  | Ask
  | AskUntil
  | Restart
  | number;

/** The most that an {@link AskUntil} waits, in ms. */
const UNTIL_MS = 20_000;

/** A wait from this long on (ms) is for what happens in time; shorter ones let a server come to rest. */
const LONG_MS = 500;

/** How often a script with such waits is run before what differs is believed. */
const TIMED_RUNS = 3;

/** The real server and ours, side by side, each with a connection of the official client. */
export class Both {
  readonly #folder: string;
  readonly #user: ConnectionOptions;
  #real: RealServer;
  ours: NatsServer;
  readonly #clients: [real: NatsConnection, ours: NatsConnection];

  private constructor(
    folder: string,
    user: ConnectionOptions,
    real: RealServer,
    ours: NatsServer,
    clients: [NatsConnection, NatsConnection],
  ) {
    this.#folder = folder;
    this.#user = user;
    this.#real = real;
    this.ours = ours;
    this.#clients = clients;
  }

  /**
   * @param config - of both, in which `STORE` stands for a folder; by default JetStream for everybody.
   * @param user - that the clients are.
   */
  static async start(config = "jetstream { store_dir: STORE }", user: ConnectionOptions = {}): Promise<Both> {
    const folder = await mkdtemp(join(tmpdir(), "gnatlet-both-"));
    const fileOf = async (name: string): Promise<string> => {
      await writeFile(
        join(folder, `${name}.conf`),
        config.replace("STORE", JSON.stringify(join(folder, name))),
      );
      return join(folder, `${name}.conf`);
    };
    await fileOf("real");
    await fileOf("ours");
    const real = await startReal(folder);
    const ours = await startOurs(folder);
    const clients: [NatsConnection, NatsConnection] = [
      await connect({ servers: real.url, ...user }),
      await connect({ port: ours.port, ...user }),
    ];
    return new Both(folder, user, real, ours, clients);
  }

  /** Ends a server (0 is nats-server), starts it again with what is on disk, and returns a new client of it. */
  async #restart(side: number): Promise<NatsConnection> {
    await this.#clients[side].close();
    if (side === 0) {
      await this.#real.close();
      this.#real = await startReal(this.#folder);
    } else {
      await this.ours.close();
      this.ours = await startOurs(this.#folder);
    }
    const { port } = side === 0 ? this.#real : this.ours;
    this.#clients[side] = await connect({ port, ...this.#user });
    return this.#clients[side];
  }

  /** What INFO says on both of JetStream. */
  infos(): readonly unknown[] {
    return this.#clients.map(({ info }) => ({
      jetstream: info?.jetstream,
      domain: (info as { domain?: string } | undefined)?.domain,
    }));
  }

  /** Subscribes on both. @param heard - is told on which side (0 is nats-server) a message came. */
  listen(subject: string, heard: (side: number, msg: Msg) => void): Subscription[] {
    return this.#clients.map((client, side) =>
      client.subscribe(subject, { callback: (_, msg) => heard(side, msg) }),
    );
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.#real.close();
    await this.ours.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /**
   * Runs a script on both, and compares all answers; then deletes the streams that it has made. A script that lets time pass is run again
   * where they differ: a busy machine can hold up one of them for longer than a span of the script. What differs for another reason
   * differs each time.
   * @param script - its steps, or what makes them anew for each run.
   * @param watched - subjects whose messages are compared at the end, too.
   */
  async same(
    script: readonly Step[] | (() => Promise<readonly Step[]>),
    watched: readonly string[] = [],
  ): Promise<void> {
    for (let left = TIMED_RUNS - 1; ; left--) {
      const steps = typeof script === "function" ? await script() : script;
      const [real, ours] = await Promise.all(
        this.#clients.map((client, side) =>
          run(client, steps, watched, () => this.#restart(side)).catch((error: unknown) => [String(error)]),
        ),
      );
      const hasTime = steps.some((step) => typeof step === "number" && step >= LONG_MS);
      if (left > 0 && hasTime && !isDeepStrictEqual(ours, real)) continue;
      assert.deepEqual(ours, real);
      return;
    }
  }
}

const startReal = (folder: string): Promise<RealServer> =>
  RealServer.start(["-c", join(folder, "real.conf")]);

const startOurs = (folder: string): Promise<NatsServer> =>
  NatsServer.fromConfigFile(join(folder, "ours.conf"), { listen: { host: "127.0.0.1", port: 0 } });

async function run(
  first: NatsConnection,
  script: readonly Step[],
  watched: readonly string[],
  restart: () => Promise<NatsConnection>,
): Promise<string[]> {
  let client = first;
  const seen: string[] = [];
  const watch = async (): Promise<void> => {
    for (const subject of watched) {
      client.subscribe(subject, { callback: (_, msg) => void seen.push(`${msg.subject} ${shown(msg)}`) });
    }
    await client.flush();
  };
  await watch();
  const lines: string[] = [];
  let fast = new FastClient(client);
  const streams = new Set<string>();
  try {
    for (const step of script) {
      if (typeof step === "number") {
        await new Promise((resolve) => setTimeout(resolve, step));
        continue;
      }
      if ("restart" in step) {
        client = await restart();
        fast = new FastClient(client);
        await watch();
        continue;
      }
      if ("until" in step) {
        await askUntil(client, step);
        continue;
      }
      const ask: Ask = "subject" in step ? step : { subject: step[0], body: step[1], headers: step[2] };
      const created = /^\$JS\.API\.STREAM\.CREATE\.(.+)/.exec(ask.subject);
      if (created !== null) streams.add(created[1]);
      if (ask.fast !== undefined) {
        lines.push(`${JSON.stringify(ask)}\n  ${(await fast.answersTo(ask)).join("\n  ")}`);
        continue;
      }
      let answers = await answersTo(client, ask);
      // nats-server may still be deleting the files of a stream of that name.
      if (ask.anySeq === true) answers = answers.map((line) => line.replace(/"seq":\d+/, '"seq":<seq>'));
      while (answers[0]?.includes("error creating store for stream")) answers = await answersTo(client, ask);
      lines.push(`${JSON.stringify(ask)}\n  ${answers.join("\n  ")}`);
    }
  } finally {
    for (const name of streams) {
      await client.request(`$JS.API.STREAM.DELETE.${name}`, "", { timeout: PATIENCE_MS });
    }
    fast.close();
    await client.flush();
  }
  return [...lines, ...seen];
}

async function askUntil(client: NatsConnection, ask: AskUntil): Promise<void> {
  const deadline = Date.now() + UNTIL_MS;
  for (;;) {
    const [answer = ""] = await answersTo(client, { ...ask, answers: 1 });
    if (ask.until.test(answer)) return;
    if (Date.now() > deadline)
      throw new Error(`waited in vain for ${ask.until} of ${ask.subject}: ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function answersTo(client: NatsConnection, ask: Ask): Promise<string[]> {
  const { subject, body, headers: given = {}, answers = -1 } = ask;
  const headers = newHeaders();
  for (const [name, value] of Object.entries(given)) headers.set(name, value);
  const payload = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  const inbox = createInbox();
  const sub = client.subscribe(inbox);
  const options = Object.keys(given).length === 0 ? {} : { headers };
  client.publish(subject, payload, { ...options, reply: answers === 0 ? ask.reply : inbox });
  const lines: string[] = [];
  if (answers !== 0) {
    const timer = setTimeout(() => sub.unsubscribe(), PATIENCE_MS);
    for await (const msg of sub) {
      lines.push(shown(msg));
      if (ask.ack !== undefined && msg.reply) await client.request(msg.reply, ask.ack);
      const inBatch =
        /Nats-Num-Pending/.test(lines[lines.length - 1]) && !/^\{204/.test(lines[lines.length - 1]);
      if (answers < 0 ? !inBatch : lines.length >= answers) break;
    }
    clearTimeout(timer);
  }
  sub.unsubscribe();
  return lines;
}

/** A publisher of fast ingest, which listens for everything that it is told. */
class FastClient {
  readonly #client: NatsConnection;
  readonly #inbox = createInbox();
  readonly #sub: Subscription;
  #seen: string[] = [];

  constructor(client: NatsConnection) {
    this.#client = client;
    this.#sub = client.subscribe(`${this.#inbox}.>`, {
      callback: (_, msg) =>
        void this.#seen.push(`${msg.subject.slice(this.#inbox.length + 1)} ${shown(msg)}`),
    });
  }

  /** Publishes a message, and waits until the server has done all it does about it. */
  async answersTo({ subject, body, headers: given = {}, fast }: Ask): Promise<string[]> {
    const headers = newHeaders();
    for (const [name, value] of Object.entries(given)) headers.set(name, value);
    this.#seen = [];
    this.#client.publish(subject, typeof body === "string" ? body : "", {
      ...(Object.keys(given).length === 0 ? {} : { headers }),
      reply: `${this.#inbox}.${fast}.$FI`,
    });
    // What is refused comes in order behind it; the other says that all is on disk.
    const refused = newHeaders();
    refused.set("Nats-Expected-Stream", "NONE");
    await this.#client.request(subject, "", { headers: refused, timeout: 2_000 }).catch(() => {});
    await this.#client.request("$JS.API.STREAM.INFO.S");
    return this.#seen;
  }

  close(): void {
    this.#sub.unsubscribe();
  }
}

/** A message as it is compared: its headers and body, without what differs from run to run. */
function shown(msg: Msg): string {
  const { headers } = msg;
  const block =
    headers === undefined
      ? ""
      : `{${headers.code || ""} ${headers.description} ${[...headers].map(([name, values]) => `${name}: ${values.join()}`).join("; ")}} `;
  return masked(block + msg.string());
}

/**
 * Without what nats-server 2.15 says of a source besides: which of all the streams of its name it was, which no client reads and which counts in the
 * bytes of messages; and how far it is.
 */
function withoutIdentity(text: string): string {
  const cut = (headers: string): string =>
    headers.replace(/(Nats-Stream-Source: \S+ \d+ \S+ \S+ [^ ;}\r]+) [A-Za-z0-9]{8}/, "$1");
  return (
    cut(text)
      .replace(/("lag":\d+),"seq":\d+/g, "$1")
      .replace(/"active":\d+/g, '"active":<ns>')
      // It tells sources in any order.
      .replace(
        /"sources":\[(\{"name":"[^"]+",(?:"external":\{[^}]*\},)?"lag".*)\],"ts"/,
        (_, sources: string) => `"sources":[${sources.split(/,(?=\{"name")/).sort()}],"ts"`,
      )
      .replace(/"hdrs":"([^"]*)"/g, (_, hdrs: string) => `"hdrs":${JSON.stringify(cut(atob(hdrs)))}`)
      .replace(/("sources":\[.*"state":\{"messages":[1-9]\d*,"bytes":)\d+/, "$1<bytes>")
  );
}

function masked(text: string): string {
  return (
    withoutIdentity(text)
      .replace(
        /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|([+-]\d\d:\d\d))/g,
        (_, zone = "") => `<time>${zone}`,
      )
      // Of a stream that is empty nats-server says now and then that message 0 was deleted.
      .replace('"num_deleted":1,"deleted":[0],', "")
      .replace(/"pause_remaining":\d+/g, '"pause_remaining":<ns>')
      .replace(/"_nats\.level":"\d+"/g, '"_nats.level":"<level>"')
      .replace(/"_nats\.ver":"[^"]+"/g, '"_nats.ver":"<version>"')
      .replace(/"(leader|server|id)":"[A-Za-z0-9]{22,}"/g, '"$1":"<id>"')
      .replace(/"api":\{[^}]*\}/g, '"api":{}')
  );
}
