import { sameBytes } from "../protocol/bytes.ts";
import type { Message } from "../protocol/message.ts";
import { hasWildcards } from "../protocol/subject.ts";
import { decodeText } from "../protocol/text.ts";
import { type Interest, type Matches, SubjectTree } from "./subject-tree.ts";

/** The remembered answer to "who gets a message on this subject?". Its lists are never changed once made. */
export interface Route<I> extends Matches<I> {
  readonly subject: string;
  /** What {@link RouterOptions.classify} said of the subject. */
  readonly flags: number;
  /** The tree's state that the answer holds for. */
  readonly version: number;
  readonly wildcardVersion: number;
  readonly wildcardScope: number;
  /** Set when an interest in just this subject came or went. */
  stale: boolean;
}

/** A route as the table of bytes holds it. */
interface ByteRoute<I> {
  readonly hash: number;
  readonly bytes: Uint8Array;
  route: Route<I>;
}

/** What a {@link Router} is made with. */
export interface RouterOptions {
  /** Facts about a subject that are asked for with every message on it, worked out once. */
  classify(subject: string): number;
}

/** Wildcard subjects are told apart by their first token, by a hash of this many values. */
const SCOPES = 256;
/** A generation of remembered routes may name this many interests in all. */
const GENERATION_WEIGHT_MAX = 32 * 1024;
const TABLE_MIN = 256;
const TABLE_MAX = 64 * 1024;
/** How many places a subject's bytes may stand in; beyond, one is replaced. */
const PROBES = 8;

/**
 * Who gets a message: the subject tree with its answers remembered, so that a subject that is published again costs one look-up.
 *
 * A route is dropped only when it may have changed: an interest in a literal subject touches the route of that subject; one with
 * wildcards touches those that have the same first token (all of them, if the first token is the wildcard). So a
 * client that comes or goes leaves the routes of the others alone.
 *
 * There are two ways to find a route: by text, and by the bytes of a line that has just been read (its hash was taken while reading).
 * Both are bounded: routes by text live in two generations, the younger of which becomes the older when it is full.
 */
export class Router<I extends Interest> {
  readonly #tree = new SubjectTree<I>();
  readonly #classify: (subject: string) => number;
  #young = new Map<string, Route<I>>();
  #old = new Map<string, Route<I>>();
  #weight = 0;
  #version = 0;
  readonly #scopes = new Uint32Array(SCOPES);
  #table: (ByteRoute<I> | undefined)[] = new Array(TABLE_MIN).fill(undefined);
  #tableCount = 0;

  constructor(options: RouterOptions) {
    this.#classify = options.classify;
  }

  /** How many interests there are. */
  get count(): number {
    return this.#tree.count;
  }

  /** Adds an interest with a valid subject. */
  insert(interest: I): void {
    this.#tree.insert(interest);
    this.#changed(interest.subject);
  }

  /** Takes away an interest that was added. */
  remove(interest: I): void {
    this.#tree.remove(interest);
    this.#changed(interest.subject);
  }

  /** Every interest, in no order. */
  all(): Iterable<I> {
    return this.#tree.all();
  }

  /** The route of a subject given as text. */
  find(subject: string): Route<I> {
    const route = this.#young.get(subject);
    return route !== undefined && this.#holds(route) ? route : this.#seek(subject);
  }

  /** The route of a message that was just read from bytes. */
  findWire(message: Message): Route<I> {
    const { bytes, subjectStart, subjectEnd, subjectHash } = message;
    const length = subjectEnd - subjectStart;
    const table = this.#table;
    const mask = table.length - 1;
    let place = (subjectHash ^ (subjectHash >>> 15)) & mask;
    for (let probe = 0; probe < PROBES; probe++) {
      const found = table[place];
      if (found === undefined) break;
      if (
        found.hash === subjectHash &&
        found.bytes.length === length &&
        sameBytes(found.bytes, bytes, subjectStart)
      ) {
        if (!this.#holds(found.route)) found.route = this.find(found.route.subject);
        return found.route;
      }
      place = (place + 1) & mask;
    }
    const route = this.find(decodeText(bytes, subjectStart, subjectEnd));
    this.#remember({ hash: subjectHash, bytes: bytes.slice(subjectStart, subjectEnd), route });
    return route;
  }

  #holds(route: Route<I>): boolean {
    return (
      !route.stale &&
      route.version === this.#version &&
      route.wildcardVersion === this.#scopes[route.wildcardScope]
    );
  }

  #seek(subject: string): Route<I> {
    let route = this.#old.get(subject);
    if (route === undefined || !this.#holds(route)) {
      const { plain, groups } = this.#tree.match(subject);
      const wildcardScope = scopeOf(subject);
      route = {
        plain,
        groups,
        subject,
        flags: this.#classify(subject),
        version: this.#version,
        wildcardVersion: this.#scopes[wildcardScope],
        wildcardScope,
        stale: false,
      };
    }
    this.#weight += 1 + route.plain.length;
    for (const group of route.groups) this.#weight += group.length;
    if (this.#weight > GENERATION_WEIGHT_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#weight = 0;
    }
    this.#young.set(subject, route);
    return route;
  }

  #changed(subject: string): void {
    if (!hasWildcards(subject)) {
      this.#forget(this.#young.get(subject));
      this.#forget(this.#old.get(subject));
      return;
    }
    const first = subject[0];
    const single = subject.length === 1 || subject[1] === ".";
    if (single && (first === "*" || first === ">")) this.#version += 1;
    else this.#scopes[scopeOf(subject)] += 1;
  }

  #forget(route: Route<I> | undefined): void {
    if (route !== undefined) route.stale = true;
  }

  #remember(entry: ByteRoute<I>): void {
    if (this.#tableCount >= this.#table.length >> 1) this.#grow();
    this.#tableCount += place(this.#table, entry);
  }

  #grow(): void {
    const old = this.#table;
    this.#tableCount = 0;
    if (old.length >= TABLE_MAX) {
      // Full, and most of it probably subjects that are used once: begin again.
      this.#table = new Array(TABLE_MIN).fill(undefined);
      return;
    }
    this.#table = new Array(old.length * 2).fill(undefined);
    for (const entry of old) if (entry !== undefined) this.#tableCount += place(this.#table, entry);
  }
}

/** Puts an entry at a free place, or in place of another; returns how many more places are taken. */
function place<I>(table: (ByteRoute<I> | undefined)[], entry: ByteRoute<I>): number {
  const mask = table.length - 1;
  const home = (entry.hash ^ (entry.hash >>> 15)) & mask;
  for (let probe = 0; probe < PROBES; probe++) {
    const at = (home + probe) & mask;
    if (table[at] === undefined) {
      table[at] = entry;
      return 1;
    }
  }
  table[home] = entry;
  return 0;
}

/** Which of the scopes the first token belongs to. */
function scopeOf(subject: string): number {
  let scope = 0;
  for (let i = 0; i < subject.length; i++) {
    const code = subject.charCodeAt(i);
    if (code === 46) break;
    scope = Math.imul(scope, 31) + code;
  }
  return scope & (SCOPES - 1);
}
