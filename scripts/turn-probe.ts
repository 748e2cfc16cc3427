import { closeSync, openSync, readSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";
import { PerformanceObserver } from "node:perf_hooks";
import process from "node:process";

/** A turn of this many ms is a long one. */
const LONG_MS = 5;
/** How often a profile looks at what runs, in µs. */
const SAMPLE_US = 250;
/** The system counts a thread's processor time at its ticks, which are so far apart at most, in ms. */
const TICK_MS = 4;
/** How many lines are told of a long turn. */
const TOLD = 8;

interface LongTurn {
  readonly from: number;
  readonly to: number;
  readonly took: number;
}

/** What the turns of a step were like. */
export interface Turns {
  /** How long the longest one was, in ms. */
  readonly longest: number;
  /** How many were longer than 5 ms. */
  readonly beyond: number;
  /** The longest pause of the garbage collector, in ms. */
  readonly pause: number;
  /** Of each that was longer than 5 ms: what ran in it, with its share in ms. Empty without a profile. */
  readonly told: readonly string[];
}

/**
 * Looks at every turn of the event loop: how much processor time it took, the garbage collector's left out. It is told by what is least: all processor
 * time of this process, that of this thread, or the time that passed less that for which this thread was ready, but other processes had the processor. (What
 * is left out is the time of the others on a busy machine.) With a profile it says what ran in long turns.
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
  #used = 0;
  #session: Session | undefined;

  /** Begins it. @param profile - whether to look at what runs. */
  async start(profile = false): Promise<void> {
    if (profile) this.#session = await beginProfile();
    this.#observer.observe({ entryTypes: ["gc"] });
    this.#last = performance.now();
    this.#before = this.#look();
    this.#used = usedByAll();
    const turn = (): void => {
      if (!this.#on) return;
      const now = performance.now();
      const look = this.#look();
      const { on, waited } = this.#before;
      const used = usedByAll();
      const took = Math.min(
        now - this.#last - (look.waited - waited),
        used - this.#used,
        look.on - on + TICK_MS,
      );
      if (took > 2) this.#long.push({ from: this.#last, to: now, took });
      this.#before = look;
      this.#used = used;
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
    const turns = this.#long
      .map(({ from, to, took }) => ({ from, to, took: took - this.#collectedIn(from, to) }))
      .filter(({ took }) => took > 0);
    const long = turns.filter(({ took }) => took > LONG_MS);
    const profile = await this.#endProfile();
    return {
      longest: turns.reduce((most, { took }) => Math.max(most, took), 0),
      beyond: long.length,
      pause: this.#collections.reduce((most, { from, to }) => Math.max(most, to - from), 0),
      told: profile === undefined ? [] : long.map((turn) => whatRan(profile, turn)),
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
    const length = readSync(this.#file, this.#text, 0, 64, 0);
    const [on, waited] = new TextDecoder().decode(this.#text.subarray(0, length)).split(" ").map(Number);
    return { on: on / 1e6, waited: waited / 1e6 };
  }
}

/** Processor time of this process, in ms. */
function usedByAll(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
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
function whatRan(profile: Profiler.Profile, { from, to, took }: LongTurn): string {
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
  return [`  a turn of ${took.toFixed(1)} ms at ${(from / 1000).toFixed(2)} s`, ...lines].join("\n");
}
