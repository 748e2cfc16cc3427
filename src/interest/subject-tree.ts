import { assert } from "../protocol/assert.ts";

/** What the tree holds: somebody's interest in a subject, perhaps as a member of a queue group. */
export interface Interest {
  readonly subject: string;
  readonly queue: string | undefined;
  /** The tree's own: where in its list the interest stands, so that removing one of many takes no search. */
  slot: number;
}

/** All interests of one level of the tree: what has been subscribed to with this token as the last one, and what comes after it. */
class Node<I extends Interest> {
  readonly plain: I[] = [];
  groups: Map<string, I[]> | undefined;
  /** The next tokens: literal ones, `*`, and `>` (which has none after it). */
  literals: Map<string, Node<I>> | undefined;
  star: Node<I> | undefined;
  full: Node<I> | undefined;

  get empty(): boolean {
    return (
      this.plain.length === 0 &&
      this.groups === undefined &&
      this.literals === undefined &&
      this.star === undefined &&
      this.full === undefined
    );
  }
}

/** Who gets a message: every plain interest, and one member of each group. */
export interface Matches<I> {
  readonly plain: I[];
  /** A list a queue group, by name: members on different overlapping subjects are one group for a message. */
  readonly groups: I[][];
  /** Whether a subject with any other last token is matched by the same. */
  readonly whateverLast: boolean;
}

/**
 * The subject tree: a level a token (nats-server's sublist). Subjects given to {@link insert} are valid ones; a subject
 * given to {@link match} is taken as literal, whatever it holds, and matches nothing when it has an empty token.
 */
export class SubjectTree<I extends Interest> {
  readonly #root = new Node<I>();
  #count = 0;

  /** How many interests there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds an interest. */
  insert(interest: I): void {
    let node = this.#root;
    for (const token of interest.subject.split(".")) node = descend(node, token);
    let list = node.plain;
    if (interest.queue !== undefined) {
      node.groups ??= new Map();
      const group = node.groups.get(interest.queue);
      if (group === undefined) node.groups.set(interest.queue, (list = []));
      else list = group;
    }
    interest.slot = list.length;
    list.push(interest);
    this.#count += 1;
  }

  /** Takes away an interest that was added. */
  remove(interest: I): void {
    const tokens = interest.subject.split(".");
    const path: Node<I>[] = [this.#root];
    for (const token of tokens) {
      const next = child(path[path.length - 1], token);
      assert(next !== undefined, "an interest that is removed was inserted");
      path.push(next);
    }
    const node = path[tokens.length];
    const list = interest.queue === undefined ? node.plain : node.groups?.get(interest.queue);
    assert(list !== undefined && list[interest.slot] === interest, "an interest stands where it was put");
    // The last one moves to the place that is free now.
    const last = list.pop()!;
    if (last !== interest) {
      list[interest.slot] = last;
      last.slot = interest.slot;
    }
    if (interest.queue !== undefined && list.length === 0) {
      node.groups!.delete(interest.queue);
      if (node.groups!.size === 0) node.groups = undefined;
    }
    this.#count -= 1;
    for (let i = tokens.length; i > 0 && path[i].empty; i--) cut(path[i - 1], tokens[i - 1]);
  }

  /** Who is interested in a message on `subject`. */
  match(subject: string): Matches<I> {
    const found = new Collector<I>();
    const valid =
      subject !== "" && !subject.startsWith(".") && !subject.endsWith(".") && !subject.includes("..");
    if (valid) collect(this.#root, subject, 0, found);
    return {
      plain: found.plain,
      groups: found.groups === undefined ? NO_GROUPS : [...found.groups.values()],
      whateverLast: valid && found.whateverLast,
    };
  }

  /** Every interest, in no order. */
  *all(): Iterable<I> {
    const nodes = [this.#root];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      yield* node.plain;
      if (node.groups !== undefined) for (const group of node.groups.values()) yield* group;
      if (node.literals !== undefined) nodes.push(...node.literals.values());
      if (node.star !== undefined) nodes.push(node.star);
      if (node.full !== undefined) nodes.push(node.full);
    }
  }
}

const NO_GROUPS: never[] = [];

function child<I extends Interest>(node: Node<I>, token: string): Node<I> | undefined {
  return token === "*" ? node.star : token === ">" ? node.full : node.literals?.get(token);
}

function descend<I extends Interest>(node: Node<I>, token: string): Node<I> {
  if (token === "*") return (node.star ??= new Node());
  if (token === ">") return (node.full ??= new Node());
  node.literals ??= new Map();
  let next = node.literals.get(token);
  if (next === undefined) node.literals.set(token, (next = new Node()));
  return next;
}

function cut<I extends Interest>(node: Node<I>, token: string): void {
  if (token === "*") node.star = undefined;
  else if (token === ">") node.full = undefined;
  else {
    node.literals!.delete(token);
    if (node.literals!.size === 0) node.literals = undefined;
  }
}

/** What a walk down the tree has found so far. */
class Collector<I extends Interest> {
  readonly plain: I[] = [];
  groups: Map<string, I[]> | undefined;
  /** Whether nobody has asked for a last token by name. */
  whateverLast = true;

  add(node: Node<I>): void {
    for (const interest of node.plain) this.plain.push(interest);
    if (node.groups === undefined) return;
    this.groups ??= new Map();
    for (const [name, members] of node.groups) {
      const group = this.groups.get(name);
      if (group === undefined) this.groups.set(name, members.slice());
      else for (const member of members) group.push(member);
    }
  }
}

function collect<I extends Interest>(
  node: Node<I>,
  subject: string,
  start: number,
  found: Collector<I>,
): void {
  if (node.full !== undefined) found.add(node.full);
  const { literals, star } = node;
  if (literals === undefined && star === undefined) return;
  const dot = subject.indexOf(".", start);
  const literal = literals?.get(dot < 0 ? subject.slice(start) : subject.slice(start, dot));
  if (dot < 0) {
    if (literals !== undefined) found.whateverLast = false;
    if (literal !== undefined) found.add(literal);
    if (star !== undefined) found.add(star);
  } else {
    if (literal !== undefined) collect(literal, subject, dot + 1, found);
    if (star !== undefined) collect(star, subject, dot + 1, found);
  }
}
