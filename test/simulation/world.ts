import { connectWith } from "../../src/client/connect.ts";
import type { Connection } from "../../src/client/connection.ts";
import * as connector from "../../src/client/connector.ts";
import type { Clock, Timer } from "../../src/seams/clock.ts";
import type { FileSizes } from "../../src/seams/disk.ts";
import type { Runtime } from "../../src/seams/runtime.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
// Loaded before, so that it takes less of the time.
import "../../src/server/jetstream.ts";
import type { JetStreamOptions } from "../../src/server/options/types.ts";
import { Server } from "../../src/server/server.ts";
import { FaultyNetwork } from "../support/faulty-network.ts";
import { picker } from "../support/jetstream-script.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { settle, simulatedRuntime, VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";

class OpenServer extends Server {
  override open(): Promise<void> {
    return super.open();
  }
}

/** The clock and the tasks of one process: they end with it. */
class Mortal implements Clock {
  readonly #clock: VirtualClock;
  readonly #timers = new Set<Timer>();
  #dead = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  precise(): number {
    return this.#clock.precise();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delay: number, action: () => void): Timer {
    if (this.#dead) return { cancel() {} };
    const timer = this.#clock.after(delay, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.#timers.delete(timer);
      },
    };
  }

  readonly soon = (action: () => void): void => {
    queueMicrotask(() => {
      if (!this.#dead) action();
    });
  };

  kill(): void {
    this.#dead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}

/** A client, and the link that it has. */
export interface SimulatedClient {
  readonly number: number;
  readonly connection: Connection;
  readonly network: FaultyNetwork;
  /** Counts its links. */
  link: number;
  up: boolean;
}

/** How often the disk fails to come back, before a test is given up. */
const MOST_STARTS = 20;
const CLIENTS = 3;
/** Of all sizes. */
const SMALL: FileSizes = { segmentBytes: 1500, roomBytes: 512, burstBytes: 300, blockBytes: 400 };

/** A server with JetStream, its disk, its clients and the links between them, all of which fail when they are told to. */
export class World {
  readonly clock = new VirtualClock();
  /** A number from 0 up to but not including another, by the seed. */
  readonly pick: (count: number) => number;
  readonly clients: SimulatedClient[] = [];
  /** What happened, a line each. */
  readonly lines: string[] = [];
  /** Counts the server's lives. */
  epoch = 0;
  /** Whether the disk fails as it was told to; not while the oracle looks. */
  faulty = true;
  /** Until when the disk is full. */
  fullUntil = 0;
  /** How many syncs to go until one fails; 0 for none. */
  failSync = 0;
  /** Whether a sync has failed in this life: a store has stopped. */
  syncFailed = false;
  /** How many calls to the disk to go until the power is cut; 0 for not. */
  cutIn = 0;
  /** Called when a life has ended. */
  ended: () => void = () => {};
  readonly #runtime: Runtime;
  #disk = new SimulatedDisk();
  #left: SimulatedDisk | undefined;
  #life!: Mortal;
  #server!: OpenServer;
  #logger = new RecordingLogger();
  #starting = false;

  /** How many lives there were that began: each has another key than the one before, and the other cipher; the first has none. */
  #begun = 0;
  /** Whether files are encrypted. */
  readonly encrypts: boolean;

  /**
   * @param small - whether files are so small that streams have many of them, which are merged and compressed.
   * @param encrypts - whether files are encrypted.
   */
  constructor(seed: number, small: boolean, encrypts: boolean) {
    this.encrypts = encrypts;
    this.pick = picker(seed * 7919 + 1);
    for (let i = 0; i < 8; i++) this.pick(2);
    const runtime = simulatedRuntime(this.clock, this.pick(2 ** 31));
    this.#runtime = small ? { ...runtime, fileSizes: SMALL } : runtime;
  }

  say(text: string): void {
    this.lines.push(`${String(this.clock.now() - 1_000_000).padStart(7)} #${this.epoch} ${text}`);
  }

  /** Whether the power was cut, and {@link restart} is due. */
  get isDead(): boolean {
    return this.#left !== undefined;
  }

  async open(): Promise<void> {
    await this.#start();
    for (let i = 0; i < CLIENTS; i++) await this.#connect(i);
  }

  async #connect(number: number): Promise<void> {
    const network = new FaultyNetwork(this.clock, this.#runtime.random.fraction, (link) =>
      this.#server.inProcessConn().accept(link),
    );
    const state = { link: 1, up: true };
    const opening = connectWith(
      {
        servers: "simulated",
        resolve: false,
        reconnectTimeWait: 5,
        reconnectJitter: 5,
        maxReconnectAttempts: -1,
        timeout: 100,
        onStatus: ({ type }) => {
          if (type === "disconnect") state.up = false;
          if (type === "reconnect") {
            state.up = true;
            state.link += 1;
          }
        },
      },
      { ...this.#runtime, dial: network.dial },
      () => Promise.resolve(connector),
    );
    await this.clock.advance(100);
    this.clients.push(Object.assign(state, { number, network, connection: await opening }));
  }

  /** The disk is asked. */
  #arm(disk: SimulatedDisk): void {
    // What a slow disk takes.
    disk.pause = () =>
      this.#starting
        ? undefined
        : new Promise<void>((resolve) => void this.#life.after(this.pick(4), resolve));
    disk.before = (_call, name, path) => {
      if (!this.faulty) return undefined;
      if (this.cutIn > 0 && --this.cutIn === 0) {
        this.say(`power cut before ${name} ${path}`);
        this.#die(disk);
        return undefined;
      }
      if (this.#starting) return undefined;
      if (name === "sync" && this.failSync > 0 && --this.failSync === 0) {
        this.say(`failed sync of ${path}`);
        this.syncFailed = true;
        return "failed";
      }
      if (name === "write" && this.clock.now() < this.fullUntil) return "full";
      return undefined;
    };
  }

  /** The power is cut, now. */
  crash(): void {
    this.say("power cut");
    this.#die(this.#disk);
  }

  #die(disk: SimulatedDisk): void {
    disk.halt();
    this.#left = disk.crash(this.pick);
    this.#end();
  }

  #end(): void {
    this.#life.kill();
    for (const { network } of this.clients) {
      network.refusals = Number.POSITIVE_INFINITY;
      network.cut();
    }
    this.cutIn = this.failSync = this.fullUntil = 0;
    this.syncFailed = false;
    this.epoch += 1;
    this.ended();
  }

  /** Ends the server as it should be ended, unless the power is cut meanwhile. */
  async stop(): Promise<void> {
    this.say("stop");
    const server = this.#server;
    let closed = false;
    void server.close().then(() => {
      closed = true;
    });
    for (let waited = 0; !closed && !this.isDead; waited += 20) {
      if (waited > 60_000) throw new Error("the server does not close");
      await this.clock.advance(20);
    }
    if (!this.isDead) this.#end();
  }

  /** Starts the server again, and waits for the clients to be there. @param cuts - whether the power may be cut while it starts. */
  async restart(cuts: boolean): Promise<void> {
    for (let starts = 0; ; starts++) {
      if (starts > MOST_STARTS) throw new Error("the server does not start");
      this.cutIn = cuts && starts < 3 && this.pick(3) === 0 ? 1 + this.pick(40) : 0;
      await this.#start();
      if (!this.isDead) break;
    }
    this.cutIn = 0;
    for (const { network } of this.clients) network.refusals = 0;
    this.say("started");
    for (let waited = 0; this.clients.some(({ up }) => !up); waited += 10) {
      if (waited > 60_000) throw new Error("clients do not come back");
      await this.clock.advance(10);
    }
  }

  async #start(): Promise<void> {
    if (this.#left !== undefined) {
      this.#disk = this.#left;
      this.#left = undefined;
    }
    this.#arm(this.#disk);
    this.#life = new Mortal(this.clock);
    this.#logger = new RecordingLogger();
    const life = this.#life;
    const disk = this.#disk;
    const server = new OpenServer(
      checkedSettings({ jetstream: { storeDir: "data", ...this.#encryption() }, logger: this.#logger }),
      {
        ...this.#runtime,
        clock: life,
        tasks: { soon: life.soon, later: life.soon },
        loadDisk: async () => disk,
      },
    );
    this.#server = server;
    this.#starting = true;
    let opened = false;
    const failed: unknown[] = [];
    server.open().then(
      () => {
        opened = true;
      },
      (error) => failed.push(error),
    );
    // Loading code takes turns of the real event loop. Nothing else waits for them: no time passes.
    for (let turns = 0; !opened && !this.isDead && failed.length === 0; turns++) {
      if (turns > 1_000_000) throw new Error("the server does not open");
      await settle();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#starting = false;
    if (failed.length > 0) throw failed[0];
    // Only then all streams have the key.
    if (!this.isDead) this.#begun += 1;
  }

  #encryption(): JetStreamOptions {
    const number = this.#begun;
    if (!this.encrypts || number === 0) return {};
    const cipher = number % 2 === 0 ? "aes" : "chacha";
    return { encryptionKey: `key ${number}`, prevEncryptionKey: `key ${number - 1}`, cipher };
  }

  /** The files that have a text in them, but for what is left of streams whose deletion was cut short. */
  filesWith(text: string): string[] {
    const files = this.#disk.files();
    const found = [...files].filter(([, content]) => Buffer.from(content).includes(text));
    return found
      .map(([path]) => path)
      .filter((path) => {
        const stream = /^.*\/streams\/[^/]+(?=\/)/.exec(path);
        return stream === null || files.has(`${stream[0]}.doc`);
      });
  }

  /** What the server has logged as errors. */
  get errors(): string[] {
    return this.#logger.levels.filter((line) => line.startsWith("error"));
  }

  /** Ends all. */
  async close(): Promise<void> {
    for (const { connection } of this.clients) void connection.close();
    await this.stop();
  }
}
