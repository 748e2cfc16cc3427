import type { PeerName, Peers } from "./peers.ts";
import type { Unit } from "./units.ts";

/** The numbers that one run printed, by name. */
export type Sample = Readonly<Record<string, number>>;
/** Measures once. */
export type Run = () => Promise<Sample>;

/** What is ended when a case is over. */
export interface Kept {
  stop(): Promise<void>;
}

/** What a case needs of the run that it is part of. */
export interface Workbench {
  /** The checkout whose build is measured on our side. */
  readonly root: string;
  readonly peers: Peers;
  /** How many messages instead of those of a full run. */
  scale(count: number): number;
  /**
   * Keeps a server until the case is over: each side has one for all rounds, or the first round would always
   * be a cold one.
   */
  keep<T extends Kept>(server: T): T;
}

/** What the peer is called that is our own build of another checkout. */
export const BEFORE = "gnatlet before";

/** Gets a side ready; each round then runs what comes back. */
export type Prepare = (bench: Workbench) => Promise<Run>;

/** What a row is held to: a ratio of medians in which more is better, or a limit for ours alone. */
export type Target =
  | { readonly kind: "ratio"; readonly atLeast: number }
  | { readonly kind: "limit"; readonly below: number };

/** A row of the table: one of the numbers of a case. */
export interface RowSpec {
  readonly name: string;
  /** Which number of the sample. */
  readonly key: string;
  readonly unit: Unit;
  readonly target: Target | undefined;
}

/** One thing to measure, for us and for one peer. */
export interface BenchCase {
  readonly name: string;
  readonly rows: readonly RowSpec[];
  readonly ours: Prepare;
  readonly peer?: { readonly name: PeerName | typeof BEFORE; readonly prepare: Prepare };
  /** A peer that even our side needs. */
  readonly needs?: PeerName;
}
