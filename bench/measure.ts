import type { BenchCase, Kept, Prepare, RowSpec, Run, Sample, Workbench } from "./case.ts";
import type { Peers } from "./peers.ts";

import { type Summary, summarize } from "./statistics.ts";
import { formatValue, inUnit, moreIsBetter } from "./units.ts";

/** One side of a row. */
export interface Side {
  /** "gnatlet", or the peer. */
  readonly name: string;
  /** What came out of each round, in the row's unit. */
  readonly samples: readonly number[];
  /** Undefined when it failed. */
  readonly summary: Summary | undefined;
  /** Why it failed. */
  readonly error: string | undefined;
}

/** A row of the table, measured. */
export interface Row extends RowSpec {
  readonly ours: Side;
  /** Undefined when there is no peer for it, or the peer is not here. */
  readonly peer: Side | undefined;
  /** Of the medians; more than 1 is better than the peer, whether much or little of the unit is good. */
  readonly ratio: number | undefined;
  /** Undefined when there is no target, or too little was measured to tell. */
  readonly met: boolean | undefined;
}

/** How cases are measured. */
export interface Plan {
  /** The checkout whose build is measured. */
  readonly root: string;
  readonly peers: Peers;
  readonly rounds: number;
  /** The part of a full run's messages. */
  readonly share: number;
  /** Takes a line about what has been done. */
  progress(line: string): void;
}

/**
 * A side while it is measured: after its first failure it is left alone, as a hung side would hang in every
 * round.
 */
class Contender {
  readonly name: string;
  readonly #samples: Sample[] = [];
  readonly #failed: (error: string) => void;
  #error: string | undefined;
  #run: Run | undefined;

  /** @param failed - is told why it failed, at once. */
  constructor(name: string, failed: (error: string) => void) {
    this.name = name;
    this.#failed = failed;
  }

  get isOver(): boolean {
    return this.#error !== undefined;
  }

  async prepare(prepare: Prepare, bench: Workbench): Promise<void> {
    await this.#try(async () => {
      this.#run = await prepare(bench);
    });
  }

  async round(): Promise<void> {
    await this.#try(async () => {
      this.#samples.push(await this.#run!());
    });
  }

  /** What the last round said of the rows. */
  last(rows: readonly RowSpec[]): string {
    if (this.isOver) return `${this.name} failed`;
    const sample = this.#samples[this.#samples.length - 1];
    const values = rows.map(({ key, unit }) => formatValue(inUnit(sample[key], unit), unit));
    return `${this.name} ${values.join(" / ")}`;
  }

  side({ key, unit }: RowSpec): Side {
    const samples = this.#samples.map((sample) => inUnit(sample[key], unit));
    const summary = this.isOver ? undefined : summarize(samples);
    return { name: this.name, samples, summary, error: this.#error };
  }

  async #try(action: () => Promise<void>): Promise<void> {
    if (this.isOver) return;
    try {
      await action();
    } catch (error) {
      this.#error = (error as Error).message;
      this.#failed(this.#error);
    }
  }
}

/**
 * Measures a case: us, the peer, us, the peer …, so that whatever else the machine does disturbs both alike.
 * Never rejects because of a side: what went wrong is in the rows.
 */
export async function measure(spec: BenchCase, plan: Plan): Promise<Row[]> {
  const servers: Kept[] = [];
  const bench: Workbench = {
    root: plan.root,
    peers: plan.peers,
    scale: (count) => Math.max(1, Math.round(count * plan.share)),
    keep(server) {
      servers.push(server);
      return server;
    },
  };
  const contender = (name: string): Contender =>
    new Contender(name, (error) => plan.progress(`${spec.name}: ${name} failed: ${error}`));
  const ours = contender("gnatlet");
  const hasPeer =
    spec.peer !== undefined && (plan.peers.leftOut as Record<string, string>)[spec.peer.name] === undefined;
  const peer = hasPeer ? contender(spec.peer!.name) : undefined;
  const sides = peer === undefined ? [ours] : [ours, peer];
  try {
    await ours.prepare(spec.ours, bench);
    await peer?.prepare(spec.peer!.prepare, bench);
    for (let round = 1; round <= plan.rounds && !sides.every((side) => side.isOver); round++) {
      for (const side of sides) await side.round();
      const results = sides.map((side) => side.last(spec.rows)).join(", ");
      plan.progress(`${spec.name}, round ${round} of ${plan.rounds}: ${results}`);
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  return spec.rows.map((row) => judge(row, ours.side(row), peer?.side(row)));
}

function judge(row: RowSpec, ours: Side, peer: Side | undefined): Row {
  const us = ours.summary?.median;
  const them = peer?.summary?.median;
  const { target } = row;
  if (target?.kind === "limit") {
    return { ...row, ours, peer, ratio: undefined, met: us === undefined ? undefined : us < target.below };
  }
  if (us === undefined || them === undefined) return { ...row, ours, peer, ratio: undefined, met: undefined };
  const ratio = moreIsBetter(row.unit) ? us / them : them / us;
  return { ...row, ours, peer, ratio, met: target === undefined ? undefined : ratio >= target.atLeast };
}
