/**
 * A whole server with JetStream, its clients, their links and its disk, by one seed on a virtual clock. Clients do things by chance while links break, the
 * disk fails and the power is cut; after each start an oracle, which knows what was confirmed, compares. `npm run sim -- --seed N` does one
 * seed again and says what happened.
 *
 * To add an operation: a method of `Operations` that asks the server and tells the `Model` what was tried before it asks, and what was confirmed
 * after; a line in {@link TABLE} with how often it is done; and in `Model.excused` what it may have done when there was no answer. What it promises
 * belongs into `Model.compare` (after each start), `Model.delivered` or `Model.acknowledged`.
 */
import { Auditor } from "./auditor.ts";
import { KnownConsumer, KnownStream, Model } from "./model.ts";
import { Operations } from "./operations.ts";
import { World } from "./world.ts";

type Act = (run: Run, stream: KnownStream, consumer: KnownConsumer) => void;

/** What may be done, and how often. */
const TABLE: readonly (readonly [weight: number, act: Act])[] = [
  [30, ({ operations }, stream) => void operations.publish(stream).catch(ignored)],
  [6, ({ operations }, stream) => void operations.resend(stream).catch(ignored)],
  [2, ({ operations }, stream) => void operations.batch(stream).catch(ignored)],
  [20, ({ operations }, stream, consumer) => operations.fetch(stream, consumer)],
  [2, ({ operations }, stream) => void operations.remove(stream).catch(ignored)],
  [1, ({ operations }, stream) => void operations.purge(stream).catch(ignored)],
  [6, ({ operations }, stream) => void operations.create(stream).catch(ignored)],
  [1, ({ operations }, stream) => void operations.update(stream).catch(ignored)],
  [1, ({ operations }, stream) => void operations.drop(stream).catch(ignored)],
  [12, ({ operations }, stream, consumer) => void operations.hire(stream, consumer).catch(ignored)],
  [1, ({ operations }, stream, consumer) => void operations.fire(stream, consumer).catch(ignored)],
  [2, ({ world }) => world.clients[world.pick(world.clients.length)].network.cut(world.pick(300))],
  [1, ({ world }) => void (world.fullUntil = world.clock.now() + world.pick(60))],
  [1, ({ world }) => void (world.failSync = world.pick(4) === 0 ? 1 + world.pick(20) : 0)],
  [3, ({ world }) => void (world.cutIn ||= 1 + world.pick(60))],
];
const WEIGHT = TABLE.reduce((sum, [weight]) => sum + weight, 0);
const LIVES = 4;
/** Of payloads, headers, and configurations of streams and consumers; the first life has written them as they are. */
const PLAIN_MARKS = ["xxxxxxxx", "NATS/1.0", '"config"'];
const STEPS = 60;

/** What was broken is known to the model. */
function ignored(): void {}

class Run {
  readonly world: World;
  readonly model: Model;
  readonly operations: Operations;
  readonly #auditor: Auditor;

  constructor(seed: number, small: boolean, encrypts: boolean) {
    this.world = new World(seed, small, encrypts);
    const { clock, pick } = this.world;
    const consumers = (...names: string[]): KnownConsumer[] =>
      names.map((name) => new KnownConsumer(name, pick(3) === 0, pick(3)));
    const streams = [
      new KnownStream("L", "limits", 0, consumers("l1", "l2")),
      new KnownStream("W", "workqueue", 0, consumers("w1")),
      new KnownStream("I", "interest", 0, consumers("i1", "i2")),
      new KnownStream("A", "limits", 5_000, consumers("a1")),
    ];
    this.model = new Model(streams, () => clock.now());
    this.operations = new Operations(this.world, this.model);
    this.#auditor = new Auditor(this.world, this.model);
    this.world.ended = () => this.model.lifeEnded();
  }

  async run(): Promise<void> {
    const { world, model, operations } = this;
    await world.open();
    for (const stream of model.streams) operations.listen(stream);
    for (let life = 0; life < LIVES; life++) {
      await this.#live();
      if (!world.isDead && world.pick(3) === 0) world.crash();
      if (!world.isDead) await world.stop();
      await world.restart(true);
      await this.#audit();
    }
    operations.calm = true;
    world.faulty = false;
    await this.#auditor.finish(operations);
    await this.#audit();
    await world.close();
    this.#check();
    for (const mark of world.encrypts ? PLAIN_MARKS : []) {
      const [path] = world.filesWith(mark);
      if (path !== undefined) throw new Error(`${path} says "${mark}"`);
    }
  }

  /** Until the power is cut, or for a while. */
  async #live(): Promise<void> {
    const { world, model } = this;
    const { pick } = world;
    for (let step = 0; step < STEPS && !world.isDead; step++) {
      const stream = model.streams[pick(model.streams.length)];
      const consumer = stream.consumers[pick(stream.consumers.length)];
      let at = pick(WEIGHT);
      const act = TABLE.find(([weight]) => (at -= weight) < 0)![1];
      act(this, stream, consumer);
      await world.clock.advance(pick(30) === 0 ? pick(2_000) : pick(8));
      this.#check();
      // Clients do not know that a store has stopped; somebody starts the server anew.
      if (world.syncFailed && pick(10) === 0) return;
    }
  }

  async #audit(): Promise<void> {
    const { world } = this;
    const { faulty } = world;
    world.faulty = false;
    await this.#auditor.audit();
    world.faulty = faulty;
    this.#check();
  }

  #check(): void {
    if (this.model.broken !== undefined) throw this.model.broken;
  }
}

/**
 * Does one seed; throws when a promise was broken.
 * @param small - whether files are small.
 * @param encrypts - whether they are encrypted, with another key and another cipher in each of the server's lives.
 * @param told - gets what happened.
 */
export async function simulate(
  seed: number,
  small: boolean,
  encrypts = false,
  told: string[] = [],
): Promise<void> {
  const run = new Run(seed, small, encrypts);
  try {
    await run.run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(
      `seed ${seed}${small ? ", small files" : ""}${encrypts ? ", encrypted" : ""}: ${message}`,
      { cause: error },
    );
  } finally {
    told.push(...run.world.lines);
  }
}
