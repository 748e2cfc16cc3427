import { closeSync, openSync, readSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";
import { PerformanceObserver } from "node:perf_hooks";
import process from "node:process";
import { setFlagsFromString } from "node:v8";

/** A turn of this many ms is a long one. */
const LONG_MS = 5;
/** How often a profile looks at what runs, in µs. */
const SAMPLE_US = 250;
/** How many lines are told of a long turn. */
const TOLD = 8;

interface LongTurn {
  readonly from: number;
  readonly to: number;
  /** Processor time, and all time but that in which others had the processor, in ms. */
  readonly took: number;
  readonly passed: number;
}

/** What the turns of a step were like. */
export interface Turns {
  /** How much processor time the longest one took, in ms. */
  readonly longest: number;
  /** How many took more than 5 ms. */
  readonly beyond: number;
  /** How many went on for more than 5 ms, though they did not take that much: the thread waited for memory, a lock or the disk. */
  readonly stalled: number;
  /** The longest pause of the garbage collector, in ms. */
  readonly pause: number;
  /** Of each that was longer than 5 ms: what ran in it, with its share in ms. Empty without a profile. */
  readonly told: readonly string[];
}

/**
 * Looks at every turn of the event loop: how much processor time of this thread it took, the garbage collector's pauses left out. What other threads and
 * other processes do meanwhile does not count. With a profile it says what ran in long turns.
 *
 * While it is there the collector marks in one go: the steps in which it otherwise does that count as nobody's pauses, and are of up to 25 ms where many
 * arrays are made. So pauses are longer than they would be, and turns have what is the program's own.
 */
export class TurnProbe {
  readonly #file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
  readonly #text = new Uint8Array(64);
  readonly #long: LongTurn[] = [];
  readonly #collections: { readonly from: number; readonly to: number }[] = [];
  readonly #observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      this.#collections.push({ from: startTime, to: startTime + duration });
  });
  #on = true;
  #last = 0;
  #before = { on: 0, waited: 0 };
  #session: Session | undefined;

  /** Begins it. @param profile - whether to look at what runs. */
  async start(profile = false): Promise<void> {
    setFlagsFromString("--no-incremental-marking");
    if (profile) this.#session = await beginProfile();
    this.#observer.observe({ entryTypes: ["gc"] });
    this.#last = performance.now();
    this.#before = this.#look();
    const turn = (): void => {
      if (!this.#on) return;
      const now = performance.now();
      const look = this.#look();
      const took = look.on - this.#before.on;
      const passed = now - this.#last - (look.waited - this.#before.waited);
      if (Math.max(took, passed) > 2) this.#long.push({ from: this.#last, to: now, took, passed });
      this.#before = look;
      this.#last = performance.now();
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** Ends it. */
  async stop(): Promise<Turns> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#on = false;
    await new Promise((resolve) => setTimeout(resolve, 10));
    this.#observer.disconnect();
    closeSync(this.#file);
    const turns = this.#long.map(({ from, to, took, passed }) => {
      const collected = this.#collectedIn(from, to);
      return { from, to, took: took - collected, passed: passed - collected };
    });
    const long = turns.filter(({ took }) => took > LONG_MS);
    const stalled = turns.filter(({ took, passed }) => took <= LONG_MS && passed > LONG_MS);
    const profile = await this.#endProfile();
    return {
      longest: turns.reduce((most, { took }) => Math.max(most, took), 0),
      beyond: long.length,
      stalled: stalled.length,
      pause: this.#collections.reduce((most, { from, to }) => Math.max(most, to - from), 0),
      told: profile === undefined ? [] : [...long, ...stalled].map((turn) => whatRan(profile, turn)),
    };
  }

  #collectedIn(from: number, to: number): number {
    let collected = 0;
    for (const each of this.#collections) {
      collected += Math.max(0, Math.min(each.to, to) - Math.max(each.from, from));
    }
    return collected;
  }

  async #endProfile(): Promise<Profiler.Profile | undefined> {
    if (this.#session === undefined) return undefined;
    const { profile } = await this.#session.post("Profiler.stop");
    this.#session.disconnect();
    return profile;
  }

  /** How long this thread has had a processor, and how long it was ready but had none, in ms. */
  #look(): { on: number; waited: number } {
    // Asked for all that this process has used, the system first brings up to date what it says of this thread: else that counts up to the last tick only.
    process.cpuUsage();
    const length = readSync(this.#file, this.#text, 0, 64, 0);
    const [on, waited] = new TextDecoder().decode(this.#text.subarray(0, length)).split(" ").map(Number);
    return { on: on / 1e6, waited: waited / 1e6 };
  }
}

async function beginProfile(): Promise<Session> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await session.post("Profiler.start");
  return session;
}

/** The stacks that were seen in a turn, the most frequent first: the innermost function, and those that called it. */
function whatRan(profile: Profiler.Profile, { from, to, took, passed }: LongTurn): string {
  const { nodes, samples = [], timeDeltas = [], startTime } = profile;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map<number, number>();
  for (const { id, children = [] } of nodes) for (const child of children) callers.set(child, id);
  const stack = (id: number): string => {
    const names: string[] = [];
    for (let at: number | undefined = id; at !== undefined && names.length < 6; at = callers.get(at)) {
      const { functionName, url, lineNumber } = byId.get(at)!.callFrame;
      names.push(
        `${functionName || "?"}${url === "" ? "" : ` ${url.replace(/^.*\//, "")}:${lineNumber + 1}`}`,
      );
    }
    return names.join(" < ");
  };
  // A profile counts from where the system's monotonic clock does.
  const offset = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000;
  const counts = new Map<string, number>();
  let time = startTime;
  for (let i = 0; i < samples.length; i++) {
    time += timeDeltas[i];
    const at = (time - offset) / 1000;
    if (at < from || at > to) continue;
    const name = stack(samples[i]);
    counts.set(name, (counts.get(name) ?? 0) + timeDeltas[i] / 1000);
  }
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, TOLD);
  const lines = most.map(([name, ms]) => `    ${ms.toFixed(1).padStart(6)} ms ${name}`);
  return [
    `  a turn of ${took.toFixed(1)} ms (${passed.toFixed(1)} with what it waited for) at ${(from / 1000).toFixed(2)} s`,
    ...lines,
  ].join("\n");
}
