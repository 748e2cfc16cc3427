import { hasText } from "../protocol/bytes.ts";
import { hashText } from "../protocol/hash.ts";
import type { Message } from "../protocol/message.ts";
import { hasWildcards, subjectsCollide } from "../protocol/subject.ts";
import { decodeText, isAscii, sameAscii } from "../protocol/text.ts";
import { type Interest, type Matches, SubjectTree } from "./subject-tree.ts";

/** The remembered answer to "who gets a message on this subject?". Its lists are never changed once made. */
export interface Route<I> extends Matches<I> {
  readonly subject: string;
  /** The one interest, where there is just one, and it is in no group: most routes are so, and finding it costs no look at a list. */
  readonly only: I | undefined;
  /** What {@link RouterOptions.classify} said of the subject. */
  readonly flags: number;
  /** The tree's state that the answer holds for. */
  readonly version: number;
  readonly wildcardVersion: number;
  readonly wildcardScope: number;
  /** Set when an interest in just this subject came or went. */
  stale: boolean;
}

/** What a {@link Router} is made with. */
export interface RouterOptions {
  /** Facts about a subject that are asked for with every message on it, worked out once. */
  classify(subject: string): number;
  /** Whether every answer is worked out anew (nats-server's `no_sublist_cache`). Default false. */
  readonly forgetful?: boolean;
}

/** Numbers about a {@link Router}, as nats-server has them of its sublist. */
export interface RouterStats {
  readonly subscriptions: number;
  /** Routes that are remembered. */
  readonly cache: number;
  readonly inserts: number;
  readonly removes: number;
  /** Routes that were looked for, beyond those at hand, and how many of them were remembered. */
  readonly matches: number;
  readonly cacheHits: number;
  /** Of the routes that are remembered: the most interests that one names, and how many all of them do. */
  readonly maxFanout: number;
  readonly totalFanout: number;
}

/** Wildcard subjects are told apart by their first token, by a hash of this many values. */
const SCOPES = 256;
/** A generation of remembered routes may name this many interests in all. */
const GENERATION_WEIGHT_MAX = 32 * 1024;
/** And those in the table of bytes, this many. */
const TABLE_WEIGHT_MAX = 256 * 1024;
const TABLE_FIRST = 16;
const TABLE_MIN = 256;
const TABLE_MAX = 64 * 1024;
/**
 * Subjects that begin with `_` are reply subjects (`_INBOX.`), which are used once: of them only the last one is remembered. But most of them
 * differ in their last token only from others, and whoever asked gets them all: what stands before that token is remembered.
 */
const UNDERSCORE = 95;
/** Of so many beginnings of reply subjects, as long as each names no more than so many interests. */
const INBOXES_MAX = 256;
const INBOX_WEIGHT_MAX = 16;
const DOLLAR = 36;
/** So are those that consumers' messages are acknowledged on; these are not even the last one again. */
const ACK_PREFIX = "$JS.ACK.";
/** How many subjects are known to have been asked for once, by a mark made of this many of their last characters. */
const SEEN_PLACES = 4 * 1024;
const MARK_CHARACTERS = 16;
const ADMIT_EVERY = 8;
/** How many places a subject's bytes may stand in; beyond, one is replaced. */
const PROBES = 8;
/** What a router has that has remembered nothing; never written to. */
const NO_SCOPES = new Uint32Array(SCOPES);
const NO_HASHES = new Int32Array(1);
const NO_ROUTES: undefined[] = [undefined];

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
  readonly #forgetful: boolean;
  #young = new Map<string, Route<I>>();
  #old = new Map<string, Route<I>>();
  #weight = 0;
  #version = 0;
  /** These three are an account's own once it needs them. */
  #scopes = NO_SCOPES;
  #hashes = NO_HASHES;
  #table: (Route<I> | undefined)[] = NO_ROUTES;
  #tableCount = 0;
  #tableWeight = 0;
  /** Made when it is needed first: not every account has messages. */
  #seen: Int32Array | undefined;
  #unseen = 0;
  #inserts = 0;
  #removes = 0;
  #matches = 0;
  #cacheHits = 0;
  /** The last one found: a publisher mostly stays with one subject. */
  #last: Route<I> | undefined;
  /** Who wants to know when interest in a literal subject may have changed; undefined while nobody does. */
  #watches: Map<string, Set<() => void>> | undefined;
  /** Routes of reply subjects that hold whatever the last token, by what stands before it. */
  readonly #inboxes = new Map<string, Route<I>>();

  constructor(options: RouterOptions) {
    this.#classify = options.classify;
    this.#forgetful = options.forgetful ?? false;
  }

  /** How many interests there are. */
  get count(): number {
    return this.#tree.count;
  }

  /** Adds an interest with a valid subject. */
  insert(interest: I): void {
    this.#inserts += 1;
    this.#tree.insert(interest);
    this.#changed(interest.subject);
  }

  /** Takes away an interest that was added. */
  remove(interest: I): void {
    this.#removes += 1;
    this.#tree.remove(interest);
    this.#changed(interest.subject);
  }

  /**
   * Calls `changed` after each interest that came or went and includes a literal subject.
   * @returns what ends it.
   */
  watch(subject: string, changed: () => void): () => void {
    this.#watches ??= new Map();
    let calls = this.#watches.get(subject);
    if (calls === undefined) this.#watches.set(subject, (calls = new Set()));
    // Two may watch with one function.
    const call = (): void => changed();
    calls.add(call);
    return () => {
      if (!calls.delete(call) || calls.size > 0 || this.#watches?.get(subject) !== calls) return;
      this.#watches.delete(subject);
      if (this.#watches.size === 0) this.#watches = undefined;
    };
  }

  /** Numbers about it. Goes through all that is remembered. */
  stats(): RouterStats {
    let maxFanout = 0;
    let totalFanout = 0;
    const subjects = new Set([...this.#young.keys(), ...this.#old.keys()]);
    for (const subject of subjects) {
      const route = this.#young.get(subject) ?? this.#old.get(subject)!;
      const fanout = weightOf(route) - 1;
      maxFanout = Math.max(maxFanout, fanout);
      totalFanout += fanout;
    }
    return {
      subscriptions: this.#tree.count,
      cache: subjects.size,
      inserts: this.#inserts,
      removes: this.#removes,
      matches: this.#matches,
      cacheHits: this.#cacheHits,
      maxFanout,
      totalFanout,
    };
  }

  /** Every interest, in no order. */
  all(): Iterable<I> {
    return this.#tree.all();
  }

  /** The route of a subject given as text. */
  find(subject: string): Route<I> {
    const last = this.#last;
    if (last !== undefined && last.subject === subject && this.#holds(last)) return last;
    const first = subject.charCodeAt(0);
    if (first === UNDERSCORE) {
      this.#last = this.#reply(subject);
      return this.#last;
    }
    if (first === DOLLAR && subject.startsWith(ACK_PREFIX)) return this.#work(subject);
    let route = this.#young.get(subject);
    if (route === undefined || !this.#holds(route)) {
      if (!this.#seenBefore(subject)) return this.#work(subject);
      route = this.#seek(subject);
    } else {
      this.#matches += 1;
      this.#cacheHits += 1;
    }
    this.#last = route;
    return route;
  }

  /**
   * Whether the subject has probably been asked for before. Reply subjects are used once: remembering their routes would cost more than
   * working them out, and push out those that are used again.
   */
  #seenBefore(subject: string): boolean {
    if (this.#forgetful) return false;
    let mark = subject.length;
    for (let i = subject.length - 1, stop = Math.max(-1, i - MARK_CHARACTERS); i > stop; i--) {
      mark = (Math.imul(mark, 31) + subject.charCodeAt(i)) | 0;
    }
    const place = (mark ^ (mark >>> 13)) & (SEEN_PLACES - 1);
    this.#seen ??= new Int32Array(SEEN_PLACES);
    if (this.#seen[place] === mark) return true;
    this.#seen[place] = mark;
    // Where there are more subjects than marks, those that are used again get in by and by.
    this.#unseen += 1;
    return this.#unseen % ADMIT_EVERY === 0;
  }

  /** The route of a message that was just read from bytes. */
  findWire(message: Message): Route<I> {
    const { subjectBytes: bytes, subjectStart, subjectEnd, subjectHash } = message;
    if (bytes[subjectStart] === UNDERSCORE) return this.find(decodeText(bytes, subjectStart, subjectEnd));
    if (isAck(bytes, subjectStart, subjectEnd))
      return this.#work(decodeText(bytes, subjectStart, subjectEnd));
    const table = this.#table;
    const hashes = this.#hashes;
    const mask = table.length - 1;
    let place = homeOf(subjectHash) & mask;
    for (let probe = 0; probe < PROBES; probe++) {
      // The hashes lie side by side: a route is looked at only when it is very probably the right one.
      if (hashes[place] === subjectHash) {
        const found = table[place];
        if (found !== undefined && sameAscii(found.subject, bytes, subjectStart, subjectEnd)) {
          if (this.#holds(found)) return found;
          const route = this.find(found.subject);
          this.#replace(place, route);
          return route;
        }
      }
      place = (place + 1) & mask;
    }
    const subject = decodeText(bytes, subjectStart, subjectEnd);
    if (!this.#seenBefore(subject)) return this.#work(subject);
    const route = this.find(subject);
    // Others are found by their text each time: they are rare, and comparing them would cost all the rest.
    if (isAscii(route.subject)) this.#remember(route, subjectHash);
    return route;
  }

  /** The route of a reply subject. */
  #reply(subject: string): Route<I> {
    const last = subject.lastIndexOf(".") + 1;
    if (last === 0 || last === subject.length || this.#forgetful) return this.#work(subject);
    const inbox = subject.slice(0, last);
    const known = this.#inboxes.get(inbox);
    if (known !== undefined && this.#holds(known)) {
      this.#matches += 1;
      this.#cacheHits += 1;
      const { plain, groups, whateverLast, only, version, wildcardVersion, wildcardScope } = known;
      const flags = this.#classify(subject);
      return {
        plain,
        groups,
        whateverLast,
        only,
        subject,
        flags,
        version,
        wildcardVersion,
        wildcardScope,
        stale: false,
      };
    }
    const route = this.#work(subject);
    if (route.whateverLast && weightOf(route) <= INBOX_WEIGHT_MAX) {
      if (this.#inboxes.size >= INBOXES_MAX) this.#inboxes.clear();
      this.#inboxes.set(inbox, route);
    } else if (known !== undefined) {
      this.#inboxes.delete(inbox);
    }
    return route;
  }

  #holds(route: Route<I>): boolean {
    return (
      !route.stale &&
      route.version === this.#version &&
      route.wildcardVersion === this.#scopes[route.wildcardScope]
    );
  }

  #work(subject: string): Route<I> {
    this.#matches += 1;
    const { plain, groups, whateverLast } = this.#tree.match(subject);
    const wildcardScope = scopeOf(subject);
    return {
      plain,
      groups,
      whateverLast,
      only: plain.length === 1 && groups.length === 0 ? plain[0] : undefined,
      subject,
      flags: this.#classify(subject),
      version: this.#version,
      wildcardVersion: this.#scopes[wildcardScope],
      wildcardScope,
      stale: false,
    };
  }

  /** The route from the older generation, or worked out; it is remembered in the younger. */
  #seek(subject: string): Route<I> {
    let route = this.#old.get(subject);
    if (route === undefined || !this.#holds(route)) {
      route = this.#work(subject);
    } else {
      this.#matches += 1;
      this.#cacheHits += 1;
    }
    this.#weight += weightOf(route);
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
      // Where nothing was ever found, nothing is remembered.
      if (this.#matches > 0) this.#forget(subject);
      if (this.#inboxes.size > 0 && subject.charCodeAt(0) === UNDERSCORE) this.#inboxes.clear();
    } else {
      this.#outdate(subject);
    }
    if (this.#watches !== undefined) this.#tellWatchers(this.#watches, subject);
  }

  #tellWatchers(watches: ReadonlyMap<string, ReadonlySet<() => void>>, subject: string): void {
    if (!hasWildcards(subject)) {
      for (const changed of [...(watches.get(subject) ?? [])]) changed();
      return;
    }
    for (const [watched, calls] of [...watches]) {
      if (subjectsCollide(subject, watched)) for (const changed of [...calls]) changed();
    }
  }

  /** No route that a subject with wildcards may match holds any more. */
  #outdate(subject: string): void {
    const first = subject[0];
    const single = subject.length === 1 || subject[1] === ".";
    if (single && (first === "*" || first === ">")) this.#version += 1;
    else {
      if (this.#scopes === NO_SCOPES) this.#scopes = new Uint32Array(SCOPES);
      this.#scopes[scopeOf(subject)] += 1;
    }
  }

  /** Marks what is remembered of a subject as no longer true, wherever that is. */
  #forget(subject: string): void {
    const young = this.#young.get(subject);
    if (young !== undefined) young.stale = true;
    const old = this.#old.get(subject);
    if (old !== undefined) old.stale = true;
    if (this.#last?.subject === subject) this.#last.stale = true;
    // The table may know a route that both generations have dropped.
    const hash = hashText(subject);
    const mask = this.#table.length - 1;
    for (let probe = 0, at = homeOf(hash) & mask; probe <= PROBES; probe++, at = (at + 1) & mask) {
      const route = this.#hashes[at] === hash ? this.#table[at] : undefined;
      if (route?.subject === subject) route.stale = true;
    }
  }

  #remember(route: Route<I>, hash: number): void {
    if (this.#tableCount >= this.#table.length >> 1) this.#grow();
    if (this.#weigh(route)) this.#place(route, hash);
  }

  /** A route in the table no longer holds: another takes its place. */
  #replace(place: number, route: Route<I>): void {
    if (this.#weigh(route)) this.#table[place] = route;
  }

  /** Counts what a route that goes into the table adds to it. When that is too much, the table begins anew without it. */
  #weigh(route: Route<I>): boolean {
    this.#tableWeight += weightOf(route);
    if (this.#tableWeight <= TABLE_WEIGHT_MAX) return true;
    this.#clearTable(TABLE_MIN);
    return false;
  }

  #clearTable(size: number): void {
    this.#table = new Array(size).fill(undefined);
    this.#hashes = new Int32Array(size);
    this.#tableCount = 0;
    this.#tableWeight = 0;
  }

  #grow(): void {
    const table = this.#table;
    const hashes = this.#hashes;
    // Full, and most of it probably subjects that are used once: begin again. Else everything moves to a larger one.
    const size = table.length >= TABLE_MAX ? TABLE_MIN : Math.max(TABLE_FIRST, table.length * 2);
    const weight = this.#tableWeight;
    this.#clearTable(size);
    if (size === TABLE_MIN) return;
    this.#tableWeight = weight;
    for (let i = 0; i < table.length; i++) {
      const route = table[i];
      if (route !== undefined) this.#place(route, hashes[i]);
    }
  }

  /** Puts a route at a free place, or in place of another. */
  #place(route: Route<I>, hash: number): void {
    const mask = this.#table.length - 1;
    const home = homeOf(hash) & mask;
    let at = home;
    for (let probe = 0; probe < PROBES && this.#table[at] !== undefined; probe++) at = (at + 1) & mask;
    if (this.#table[at] === undefined) this.#tableCount += 1;
    else at = home;
    this.#table[at] = route;
    this.#hashes[at] = hash;
  }
}

/** How much a remembered route takes: itself, and each interest it names. */
function weightOf<I>(route: Route<I>): number {
  let weight = 1 + route.plain.length;
  for (const group of route.groups) weight += group.length;
  return weight;
}

/** Whether a subject is one to acknowledge on. */
function isAck(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === DOLLAR && end - start > ACK_PREFIX.length && hasText(bytes, start, ACK_PREFIX);
}

/** Where the search for a hash begins. */
function homeOf(hash: number): number {
  return hash ^ (hash >>> 15);
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
