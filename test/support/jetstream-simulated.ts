import type { Runtime } from "../../src/seams/runtime.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import type { ServerOptions } from "../../src/server/options/types.ts";
import { Server } from "../../src/server/server.ts";
import type { ConfigFacts } from "../../src/server/start-lines.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { settle, simulatedRuntime, TestLink, VirtualClock } from "./simulated.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

const DEFAULTS: ServerOptions = { jetstream: { storeDir: "data" } };

class OpenServer extends Server {
  override open(): Promise<void> {
    return super.open();
  }

  override reconfigure(given: ServerOptions, config: ConfigFacts): Promise<void> {
    return super.reconfigure(given, config);
  }
}

/** An answer: its headers as a text ("" without) and its payload. */
export interface Answer {
  readonly headers: string;
  readonly text: string;
}

/** A server with JetStream on a simulated disk and a virtual clock, and a client of it over bytes. */
export class SimulatedJetStream {
  readonly clock: VirtualClock;
  readonly logger: RecordingLogger;
  readonly server: OpenServer;
  readonly #link = new TestLink();
  #inbox = 0;
  /** Answers by the number of the request. */
  readonly #answers = new Map<number, Answer>();

  private constructor(clock: VirtualClock, logger: RecordingLogger, server: OpenServer) {
    this.clock = clock;
    this.logger = logger;
    this.server = server;
  }

  /** Starts one. @param clock - of the server before, so that time does not go back. */
  static async start(
    disk: SimulatedDisk,
    clock: VirtualClock = new VirtualClock(),
    options: ServerOptions = {},
  ): Promise<SimulatedJetStream> {
    const logger = new RecordingLogger();
    const runtime: Runtime = { ...simulatedRuntime(clock), loadDisk: async () => disk };
    const server = new OpenServer(checkedSettings({ ...DEFAULTS, logger, ...options }), runtime);
    await server.open();
    const started = new SimulatedJetStream(clock, logger, server);
    started.#connect();
    return started;
  }

  #connect(): void {
    this.server.inProcessConn().accept(this.#link);
    this.#link.send(
      'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB _I.* 1\r\nPING\r\n',
    );
    this.#link.look();
  }

  /** Publishes, and returns the number of the request, whose answer {@link answerTo} gives once there is one. */
  publish(
    subject: string,
    payload: string | Uint8Array = "",
    headers: Readonly<Record<string, string>> = {},
  ): number {
    const number = ++this.#inbox;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const block = lines.length === 0 ? "" : `NATS/1.0\r\n${lines.join("")}\r\n`;
    const body = Buffer.from(payload as string).toString("latin1");
    this.#link.send(
      block === ""
        ? `PUB ${subject} _I.${number} ${body.length}\r\n${body}\r\n`
        : `HPUB ${subject} _I.${number} ${block.length} ${block.length + body.length}\r\n${block}${body}\r\n`,
    );
    return number;
  }

  /** The answer to a request, if it has come. */
  answerTo(number: number): Answer | undefined {
    let rest = this.#link.look();
    for (;;) {
      const line = /^(H?MSG) _I\.(\d+) 1 (?:(\d+) )?(\d+)\r\n/.exec(rest);
      if (line === null) {
        const end = rest.indexOf("\r\n");
        if (end < 0) return this.#answers.get(number);
        rest = rest.slice(end + 2);
        continue;
      }
      const [whole, , to, head = "0", size] = line;
      const body = rest.slice(whole.length, whole.length + Number(size));
      this.#answers.set(Number(to), { headers: body.slice(0, Number(head)), text: body.slice(Number(head)) });
      rest = rest.slice(whole.length + Number(size) + 2);
    }
  }

  /** Asks, and waits for the answer, which needs no time to pass. */
  async ask(
    subject: string,
    payload: string | Uint8Array | object = "",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const number = this.publish(
      subject,
      typeof payload === "string" || payload instanceof Uint8Array ? payload : JSON.stringify(payload),
      headers,
    );
    for (let i = 0; i < 200; i++) {
      const answer = this.answerTo(number);
      if (answer !== undefined) return answer;
      await settle();
      // What loads code on demand takes a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`no answer to ${subject}`);
  }

  /** The same, with an answer in JSON. */
  async json(subject: string, payload: string | object = "", headers: Readonly<Record<string, string>> = {}) {
    return JSON.parse((await this.ask(subject, payload, headers)).text);
  }

  /** Makes the stream "S" of "s.>", in files. */
  async create(config: object = {}): Promise<void> {
    const body = { name: "S", subjects: ["s.>"], ...config };
    const { error } = await this.json(`$JS.API.STREAM.CREATE.${body.name}`, body);
    if (error !== undefined) throw new Error(JSON.stringify(error));
  }

  /** The state of the stream "S". */
  async state() {
    return (await this.json("$JS.API.STREAM.INFO.S")).state;
  }

  /** The payload of a message of "S"; undefined when there is none. */
  async message(seq: number): Promise<string | undefined> {
    const { message } = await this.json("$JS.API.STREAM.MSG.GET.S", { seq });
    return message && Buffer.from(message.data ?? "", "base64").toString();
  }

  /** Applies other options. */
  async reload(options: ServerOptions): Promise<void> {
    const facts = { path: "", digest: "", remarks: [], loadedAt: this.clock.now() };
    await this.server.reconfigure({ ...DEFAULTS, logger: this.logger, ...options }, facts);
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
