import { type Interest, SubjectTree } from "../interest/subject-tree.ts";
import { hasWildcards, subjectsCollide } from "../protocol/subject.ts";
import type { Clock } from "../seams/clock.ts";

/** Which subjects may be used: all of `allow`, or every one when it is undefined, without those of `deny`. */
export interface SubjectRules {
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[];
}

/** What a user may do. Rules for subscribing may be "subject queue". */
export interface PermissionRules {
  readonly publish: SubjectRules;
  readonly subscribe: SubjectRules;
  /** Answers to requests are allowed where publishing is not: how many for each (0 or less: any number), for how long in ms (0 or less: for ever). */
  readonly responses: { readonly max: number; readonly expires: number } | undefined;
}

/** How many subjects' answers are remembered (nats-server `maxPermCacheSize`, `maxDenyPermCacheSize`). */
const PUBLISH_CACHE_MAX = 128;
const DENY_CACHE_MAX = 256;
/** Reply subjects that may be answered are looked through after this many, or this long (nats-server `replyPermLimit`, `replyPruneTime`). */
const REPLIES_LOOK = 4_096;
const REPLIES_LOOK_MS = 1_000;

/** One rule in a tree. */
class Rule implements Interest {
  readonly subject: string;
  readonly queue: string | undefined;
  slot = 0;

  /** @param text - "subject" or "subject queue". */
  constructor(text: string) {
    const [subject, queue] = text.trim().split(/[ \t]+/);
    this.subject = subject;
    this.queue = queue;
  }
}

/**
 * The permissions of a user, made ready; all connections of the user share them (behaviour.md C.5). Whether one may publish is asked for every
 * message, so the answers are remembered.
 */
export class Permissions {
  readonly rules: PermissionRules;
  readonly #publishAllow: SubjectTree<Rule> | undefined;
  readonly #publishDeny: SubjectTree<Rule> | undefined;
  readonly #subscribeAllow: SubjectTree<Rule> | undefined;
  readonly #subscribeDeny: SubjectTree<Rule> | undefined;
  readonly #denied: readonly Rule[];
  readonly #publishCache = new Map<string, boolean>();
  readonly #denyCache = new Map<string, boolean>();
  #lastSubject = "";
  #lastAnswer = false;

  constructor(rules: PermissionRules) {
    this.rules = rules;
    this.#publishAllow = rules.publish.allow && treeOf(rules.publish.allow);
    this.#publishDeny = rules.publish.deny.length > 0 ? treeOf(rules.publish.deny) : undefined;
    // Unlike for publishing, an empty list allows everything (nats-server setPermissions).
    const { allow, deny } = rules.subscribe;
    this.#subscribeAllow = allow !== undefined && allow.length > 0 ? treeOf(allow) : undefined;
    this.#subscribeDeny = deny.length > 0 ? treeOf(deny) : undefined;
    this.#denied = this.#subscribeDeny === undefined ? [] : [...this.#subscribeDeny.all()];
  }

  /** Whether a message may be published on the subject, answers to requests aside. */
  mayPublish(subject: string): boolean {
    if (subject === this.#lastSubject) return this.#lastAnswer;
    let answer = this.#publishCache.get(subject);
    if (answer === undefined) {
      answer =
        (this.#publishAllow === undefined || holds(this.#publishAllow, subject)) &&
        (this.#publishDeny === undefined || !holds(this.#publishDeny, subject));
      remember(this.#publishCache, subject, answer, PUBLISH_CACHE_MAX);
    }
    this.#lastSubject = subject;
    this.#lastAnswer = answer;
    return answer;
  }

  /** Whether a subscription may be made. It may still get less than it asks for: see {@link filters}. */
  maySubscribe(subject: string, queue: string | undefined): boolean {
    let allowed = true;
    if (this.#subscribeAllow !== undefined) {
      const { plain, groups } = this.#subscribeAllow.match(subject);
      allowed = plain.length > 0;
      // A rule for queues decides alone for those who name one: `["foo", "foo v1"]` allows foo, and in queues only v1.
      if (queue !== undefined && groups.length > 0) allowed = namesQueue(groups, queue);
    }
    if (!allowed || this.#subscribeDeny === undefined) return allowed;
    const { plain, groups } = this.#subscribeDeny.match(subject);
    return plain.length === 0 && !(queue !== undefined && groups.length > 0 && namesQueue(groups, queue));
  }

  /** Whether messages that the subscription matches may be ones that are denied, so that each has to be looked at. */
  filters(subject: string, queue: string | undefined): boolean {
    if (queue === undefined && !hasWildcards(subject)) return false;
    return this.#denied.some((rule) => subjectsCollide(rule.subject, subject));
  }

  /** Whether a message must not be delivered to a subscription of this queue, or of none. */
  deniesDelivery(subject: string, queue: string | undefined): boolean {
    const key = queue === undefined ? subject : `${subject} ${queue}`;
    let denied = this.#denyCache.get(key);
    if (denied === undefined) {
      const { plain, groups } = this.#subscribeDeny!.match(subject);
      denied = plain.length > 0 || (queue !== undefined && groups.length > 0 && namesQueue(groups, queue));
      remember(this.#denyCache, key, denied, DENY_CACHE_MAX);
    }
    return denied;
  }
}

/** What a connection with these permissions may answer; undefined where they say nothing of that. */
export function replyPermits(permissions: Permissions | undefined, clock: Clock): ReplyPermits | undefined {
  const responses = permissions?.rules.responses;
  return permissions === undefined || responses === undefined
    ? undefined
    : new ReplyPermits(permissions, responses, clock);
}

/** The reply subjects that one connection may answer although it could not publish on them (`allow_responses`). */
export class ReplyPermits {
  readonly #permissions: Permissions;
  readonly #max: number;
  readonly #expires: number;
  readonly #clock: Clock;
  readonly #permits = new Map<string, { used: number; readonly since: number }>();
  #sinceLook = 0;
  #lookedAt: number;

  constructor(permissions: Permissions, responses: NonNullable<PermissionRules["responses"]>, clock: Clock) {
    this.#permissions = permissions;
    this.#max = responses.max;
    this.#expires = responses.expires;
    this.#clock = clock;
    this.#lookedAt = clock.monotonic();
  }

  /** A request was delivered: its reply subject may be answered, if it could not be anyway. */
  grant(reply: string): void {
    if (this.#permissions.mayPublish(reply)) return;
    const now = this.#clock.monotonic();
    this.#permits.set(reply, { used: 0, since: now });
    this.#sinceLook += 1;
    if (this.#sinceLook > REPLIES_LOOK || now - this.#lookedAt > REPLIES_LOOK_MS) this.#look(now);
  }

  /** Uses up one answer; whether there was one. */
  take(subject: string): boolean {
    const permit = this.#permits.get(subject);
    if (permit === undefined) return false;
    permit.used += 1;
    if ((this.#max > 0 && permit.used > this.#max) || this.#expired(permit, this.#clock.monotonic())) {
      this.#permits.delete(subject);
      return false;
    }
    return true;
  }

  #expired(permit: { readonly since: number }, now: number): boolean {
    return this.#expires > 0 && now - permit.since > this.#expires;
  }

  #look(now: number): void {
    for (const [reply, permit] of this.#permits) {
      if ((this.#max > 0 && permit.used >= this.#max) || this.#expired(permit, now)) {
        this.#permits.delete(reply);
      }
    }
    this.#sinceLook = 0;
    this.#lookedAt = now;
  }
}

function treeOf(rules: readonly string[]): SubjectTree<Rule> {
  const tree = new SubjectTree<Rule>();
  for (const rule of rules) tree.insert(new Rule(rule));
  return tree;
}

function holds(tree: SubjectTree<Rule>, subject: string): boolean {
  const { plain, groups } = tree.match(subject);
  return plain.length > 0 || groups.length > 0;
}

/** Whether one of the rules is for the queue: by its name, or by a pattern of tokens. */
function namesQueue(groups: readonly Rule[][], queue: string): boolean {
  for (const [rule] of groups) {
    const name = rule.queue!;
    if (name === queue) return true;
    if (hasWildcards(name) && holds(treeOf([name]), queue)) return true;
  }
  return false;
}

/** Keeps the answer; makes room by dropping the oldest. */
function remember(cache: Map<string, boolean>, key: string, answer: boolean, max: number): void {
  if (cache.size >= max) cache.delete(cache.keys().next().value!);
  cache.set(key, answer);
}
