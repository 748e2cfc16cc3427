import { setTimeout as sleep } from "node:timers/promises";
import { connect, createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { ConsumerHarness, type Got } from "./consumer-harness.ts";
import type { RealServer } from "./real-server.ts";
import { VirtualClock } from "./simulated.ts";
import { PATIENCE_MS } from "./waiting.ts";

/** A step of a script about the consumers of stream S. Inboxes and subjects that are listened to have names. */
export type Step =
  /** Stores a message on each subject, with the subject as its text. */
  | readonly ["publish", ...subjects: string[]]
  /** Makes or changes a consumer, with explicit acknowledgement unless said otherwise. */
  | readonly ["create", name: string, config: object]
  /** Asks the API; the answer is compared. */
  | readonly ["request", subject: string, body?: object]
  /** Pulls; what comes is compared. */
  | readonly ["pull", inbox: string, consumer: string, body?: object | string]
  /** Nobody listens to an inbox or a subject any more. */
  | readonly ["leave", inbox: string]
  /** Listens to a subject; what comes is compared. */
  | readonly ["listen", subject: string, queue?: string]
  /** Acknowledges the nth message that came to an inbox; whether that is answered is compared. */
  | readonly ["ack", inbox: string, at: number, body?: string]
  /** Lets time pass, in ms. */
  | readonly ["wait", ms: number]
  /** Has a consumer begin anew; the answer is compared. */
  | readonly ["reset", consumer: string, body?: object]
  /** Removes a message. */
  | readonly ["remove", seq: number]
  | readonly ["purge", request: { filter?: string; seq?: number; keep?: number }];

/** What a server has said so far: of each inbox what came, of each request the answer. */
type Transcript = Readonly<Record<string, unknown>>;

/** Runs a script, one step after the other. */
interface Player {
  play(step: Step, number: number): Promise<void>;
  transcript(): Transcript;
  close(): Promise<void>;
}

const PATIENT = { timeout: PATIENCE_MS };

const STREAM = { name: "S", subjects: ["s.>"], storage: "memory" };

/** What a script is played with. */
export interface ScriptOptions {
  /** What is not by default in the configuration of the stream. */
  readonly stream?: object;
  /** What of texts is not compared. */
  readonly except?: RegExp;
}

/**
 * Plays a script on ours, on a virtual clock, and on a real server; gives what differs, a line each.
 * @param script - its steps, or what gives the next one when it is told how many messages have come to an inbox.
 */
export async function compareScripts(
  server: RealServer,
  script: Iterable<Step> | ((messages: (inbox: string) => number) => Step | undefined),
  { stream = {}, except }: ScriptOptions = {},
): Promise<string[]> {
  const ours = await OurPlayer.start(stream);
  const theirs = await RealPlayer.start(server, stream);
  const shown = (player: Player): string =>
    JSON.stringify(player.transcript(), (_key, value) =>
      typeof value === "string" && except !== undefined ? value.replace(except, "") : value,
    );
  try {
    const steps = typeof script === "function" ? undefined : script[Symbol.iterator]();
    for (let number = 0; ; number++) {
      const step: Step | undefined =
        steps === undefined
          ? (script as (messages: (inbox: string) => number) => Step | undefined)((inbox) =>
              ours.messages(inbox),
            )
          : steps.next().value;
      if (step === undefined) break;
      await Promise.all([ours.play(step, number), theirs.play(step, number)]);
      const expected = shown(ours);
      // What a real server does takes time; what it does not do cannot be waited for.
      for (let tries = 0; shown(theirs) !== expected; tries++) {
        if (tries > 150) return [`after step ${number} ${JSON.stringify(step)}`, ...difference(ours, theirs)];
        await sleep(10);
        // It tells a consumer of new messages some time after it has told their publisher.
        const asked = step[0] === "request" && step[1].startsWith("CONSUMER.INFO");
        if (asked && tries % 15 === 14) await theirs.play(step, number);
      }
    }
    await sleep(30);
    return shown(theirs) === shown(ours) ? [] : ["at the end", ...difference(ours, theirs)];
  } finally {
    await ours.close();
    await theirs.close();
  }
}

function difference(ours: Player, theirs: Player): string[] {
  const one = ours.transcript();
  const other = theirs.transcript();
  return Object.keys({ ...one, ...other })
    .filter((key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]))
    .map((key) => `${key}\n  ours   ${JSON.stringify(one[key])}\n  theirs ${JSON.stringify(other[key])}`);
}

/** What is different in each run. */
function masked(text: string): string {
  return text
    .replace(/"(created|ts|last_active|pinned_ts|timestamp)":"(?!0001)[^"]*"/g, '"$1":"TIME"')
    .replace(/"_nats\.(ver|level)":"[^"]*"/g, '"_nats.$1":"X"')
    .replace(/"(id|pinned_client_id|pinned_id)":"[^"]+"/g, '"$1":"ID"')
    .replace(/"(pause_remaining|ack_time)":\d+/g, '"$1":0')
    .replace(/Nats-Pin-Id: \S+/g, "Nats-Pin-Id: ID")
    .replace(/(\$JS\.ACK\.(?:[^.]+\.){5})\d+/g, "$1TIME")
    .replace(/(\$JS\.FC\.[^.]+\.[^.]+\.)\w+/g, "$1TOKEN");
}

function maskedGot({ subject, reply, headers, data }: Got, inboxes: ReadonlyMap<string, string>): string[] {
  return [inboxes.get(subject) ?? subject, masked(reply), masked(headers), masked(data)];
}

class OurPlayer implements Player {
  readonly #harness: ConsumerHarness;
  readonly #answers: Record<string, unknown> = {};
  readonly #got = new Map<string, Got[]>();
  readonly #names = new Map<string, string>();
  readonly #ends = new Map<string, () => void>();

  private constructor(harness: ConsumerHarness) {
    this.#harness = harness;
  }

  static async start(stream: object): Promise<OurPlayer> {
    const { retention, max_msgs_per_subject: perSubject } = stream as Record<string, never>;
    const clock = new VirtualClock();
    // Moments have as many digits as they have today.
    await clock.advance(1_750_000_000_000);
    const config = {
      subjects: ["s.>"],
      storage: "memory" as const,
      ...(retention === undefined ? {} : { retention }),
      ...(perSubject === undefined ? {} : { maxMsgsPerSubject: perSubject }),
    };
    return new OurPlayer(await ConsumerHarness.open(config, clock));
  }

  async play(step: Step, number: number): Promise<void> {
    const h = this.#harness;
    switch (step[0]) {
      case "publish":
        for (const subject of step.slice(1) as string[]) {
          await h.publish(subject);
          await h.rest();
        }
        break;
      case "create":
        this.#answers[number] = masked(JSON.stringify(await h.create(step[1], step[2])));
        break;
      case "request":
        this.#answers[number] = masked(JSON.stringify(await h.request(step[1], step[2])));
        break;
      case "pull": {
        const inbox = `_INBOX.${step[1]}`;
        this.#listen(inbox, step[1]);
        h.pullTo(inbox, step[2], step[3]);
        break;
      }
      case "leave":
        this.#ends.get(step[1])?.();
        break;
      case "listen":
        this.#listen(step[1], step[1], step[2]);
        break;
      case "ack": {
        const replies = h.answered();
        h.client.publish(this.#got.get(step[1])![step[2]].reply, undefined, step[3] ?? "", replies.inbox);
        await h.rest();
        this.#answers[number] = replies.got.length;
        replies.end();
        break;
      }
      case "wait":
        await h.clock.advance(step[1]);
        break;
      case "reset": {
        const answer = h.answered();
        const text = step[2] === undefined ? "" : JSON.stringify(step[2]);
        h.client.publish(`$JS.API.CONSUMER.RESET.S.${step[1]}`, undefined, text, answer.inbox);
        await h.rest();
        this.#answers[number] = masked(answer.got[0]?.data ?? "");
        answer.end();
        break;
      }
      case "remove":
        h.store.remove(step[1]);
        break;
      case "purge":
        await h.purge(step[1]);
        break;
    }
    await h.rest();
  }

  #listen(subject: string, name: string, queue?: string): void {
    if (this.#got.has(name) && !subject.startsWith("$")) this.#ends.get(name)?.();
    const got = this.#got.get(name) ?? [];
    this.#got.set(name, got);
    this.#names.set(subject, name);
    this.#ends.set(name, this.#harness.collect(subject, got, queue));
  }

  /** How many messages that can be acknowledged have come to an inbox before anything else did. */
  messages(inbox: string): number {
    const got = this.#got.get(inbox) ?? [];
    const end = got.findIndex(({ reply }) => reply === "");
    return end < 0 ? got.length : end;
  }

  transcript(): Transcript {
    const got = [...this.#got].map(([name, each]) => [name, each.map((one) => maskedGot(one, this.#names))]);
    return { ...this.#answers, ...Object.fromEntries(got) };
  }

  async close(): Promise<void> {
    await this.#harness.close();
  }
}

class RealPlayer implements Player {
  readonly #nc: NatsConnection;
  readonly #answers: Record<string, unknown> = {};
  readonly #got = new Map<string, Got[]>();
  readonly #names = new Map<string, string>();
  readonly #ends = new Map<string, () => void>();

  private constructor(nc: NatsConnection) {
    this.#nc = nc;
  }

  static async start(server: RealServer, stream: object): Promise<RealPlayer> {
    const player = new RealPlayer(await connect({ servers: server.url }));
    await player.#api("STREAM.DELETE.S");
    const answer = await player.#api("STREAM.CREATE.S", { ...STREAM, ...stream });
    if (answer.includes('"error"')) throw new Error(answer);
    return player;
  }

  async #api(subject: string, body?: object): Promise<string> {
    const text = body === undefined ? "" : JSON.stringify(body);
    return (await this.#nc.request(`$JS.API.${subject}`, text, PATIENT)).string();
  }

  async play(step: Step, number: number): Promise<void> {
    const nc = this.#nc;
    switch (step[0]) {
      case "publish":
        for (const subject of step.slice(1) as string[]) await nc.request(subject, subject, PATIENT);
        break;
      case "create": {
        const config = { ack_policy: "explicit", ...step[2] };
        const subject = `CONSUMER.CREATE.S.${step[1]}`;
        this.#answers[number] = await this.#answer(subject, { stream_name: "S", config });
        break;
      }
      case "request":
        this.#answers[number] = await this.#answer(step[1], step[2]);
        break;
      case "pull": {
        const inbox = createInbox();
        this.#listen(inbox, step[1]);
        const body = step[3] ?? "";
        const text = typeof body === "string" ? body : JSON.stringify(body);
        nc.publish(`$JS.API.CONSUMER.MSG.NEXT.S.${step[2]}`, text, { reply: inbox });
        break;
      }
      case "leave":
        this.#ends.get(step[1])?.();
        break;
      case "listen":
        this.#listen(step[1], step[1], step[2]);
        break;
      case "ack":
        await this.#ack(step[1], step[2], step[3] ?? "", number);
        break;
      case "wait":
        await sleep(step[1]);
        break;
      case "reset":
        this.#answers[number] = masked(await this.#api(`CONSUMER.RESET.S.${step[1]}`, step[2]));
        break;
      case "remove":
        await this.#api("STREAM.MSG.DELETE.S", { seq: step[1] });
        break;
      case "purge":
        await this.#api("STREAM.PURGE.S", step[1]);
        break;
    }
    await nc.flush();
  }

  /** Acknowledges. What is not answered within a moment is not answered. */
  async #ack(inbox: string, at: number, body: string, number: number): Promise<void> {
    const reply = createInbox();
    let answers = 0;
    const callback = (_error: unknown, { headers }: Msg): void => {
      // Where nobody listens, the server says so.
      if (headers?.code !== 503) answers += 1;
    };
    const end = this.#nc.subscribe(reply, { callback });
    this.#nc.publish(this.#got.get(inbox)![at].reply, body, { reply });
    await this.#nc.flush();
    for (let tries = 0; answers === 0 && tries < 10; tries++) await sleep(10);
    end.unsubscribe();
    this.#answers[number] = answers;
  }

  async #answer(subject: string, body?: object): Promise<string> {
    const answer = await this.#api(subject, body);
    const { type: _type, ...fields } = JSON.parse(answer);
    return masked(JSON.stringify(fields));
  }

  #listen(subject: string, name: string, queue?: string): void {
    if (!subject.startsWith("$")) this.#ends.get(name)?.();
    const got = this.#got.get(name) ?? [];
    this.#got.set(name, got);
    this.#names.set(subject, name);
    const subscription = this.#nc.subscribe(subject, {
      queue,
      callback: (_error, msg) => void got.push(asGot(msg)),
    });
    this.#ends.set(name, () => subscription.unsubscribe());
  }

  transcript(): Transcript {
    const got = [...this.#got].map(([name, each]) => [name, each.map((one) => maskedGot(one, this.#names))]);
    return { ...this.#answers, ...Object.fromEntries(got) };
  }

  async close(): Promise<void> {
    await this.#nc.close();
  }
}

function asGot(msg: Msg): Got {
  return { subject: msg.subject, reply: msg.reply ?? "", headers: headersOf(msg), data: msg.string() };
}

function headersOf({ headers }: Msg): string {
  if (headers === undefined) return "";
  const status = headers.code === 0 ? "" : ` ${headers.code} ${headers.description}`;
  const lines = [...headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}\r\n`));
  return `NATS/1.0${status}\r\n${lines.join("")}\r\n`;
}
