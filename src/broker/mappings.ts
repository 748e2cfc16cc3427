import {
  checkDestination,
  isSubsetOf,
  isValidSource,
  SubjectTransform,
  TransformError,
} from "../interest/subject-transform.ts";
import { quote } from "../protocol/faults.ts";
import { EncodedSubject, type Message } from "../protocol/message.ts";
import type { Random } from "../seams/random.ts";

/** One of the places that a {@link Mapping} may send to. */
export interface WeightedDestination {
  readonly destination: string;
  /** Percent of the messages, 0 to 100. */
  readonly weight: number;
  /** The cluster that this holds in; this server is in none, so that such a destination is checked and never taken. */
  readonly cluster?: string;
}

/** A mapping as it is configured. */
export interface MappingRule {
  readonly source: string;
  readonly destinations: readonly WeightedDestination[];
}

/** What mappings need of {@link Random}. */
type Draws = Pick<Random, "fraction">;

/** A destination, and the number below which a draw from [0, 100) falls to it. */
interface Share {
  readonly transform: SubjectTransform;
  readonly below: number;
}

/** Where the messages of a subject, or of several by wildcards, go (behaviour.md B.3, nats-server `AddWeightedMappings`). */
export class Mapping {
  readonly source: string;
  readonly #tokens: readonly string[];
  readonly #shares: readonly Share[];
  readonly #random: Draws;

  /** @throws TransformError with nats-server's text. */
  constructor({ source, destinations }: MappingRule, random: Draws) {
    if (!isValidSource(source)) throw new TransformError("invalid subject");
    this.source = source;
    this.#tokens = source.split(".");
    this.#random = random;
    const seen = new Set<string>();
    const totals = new Map<string, number>();
    const own: { transform: SubjectTransform; weight: number }[] = [];
    for (const { destination, weight, cluster = "" } of destinations) {
      if (seen.has(destination)) throw new TransformError(`duplicate entry for ${quote(destination)}`);
      seen.add(destination);
      if (weight > 100) throw new TransformError("individual weights need to be <= 100");
      const total = (totals.get(cluster) ?? 0) + weight;
      if (total > 100) throw new TransformError("total weight needs to be <= 100");
      totals.set(cluster, total);
      checkDestination(destination);
      const transform = this.#transform(destination);
      if (cluster === "") own.push({ transform, weight });
    }
    const total = totals.get("") ?? 0;
    // What is left over stays on the subject, unless that is listed itself: then it is lost.
    if (total < 100 && !seen.has(source)) {
      own.push({ transform: this.#transform(this.#itself()), weight: 100 - total });
    }
    let below = 0;
    this.#shares = own
      .sort((a, b) => a.weight - b.weight)
      .map(({ transform, weight }) => ({ transform, below: (below += weight) }));
  }

  #transform(destination: string): SubjectTransform {
    return new SubjectTransform(this.source, destination, { fraction: () => this.#random.fraction() });
  }

  /** The source as a destination. */
  #itself(): string {
    let wildcard = 0;
    return this.#tokens.map((token) => (token === "*" ? `$${++wildcard}` : token)).join(".");
  }

  /** Whether messages on a subject of these tokens are this mapping's. */
  takes(tokens: readonly string[]): boolean {
    return isSubsetOf(tokens, this.#tokens);
  }

  /** Where the messages on `subject`, which this mapping takes, go. */
  outcomes(subject: string): Outcomes {
    return new Outcomes(subject, this.#shares, this.#random);
  }
}

/** The subject of a message that is lost on purpose: nobody hears it. */
const LOST = new EncodedSubject("");

/** What becomes of the messages on one subject. */
class Outcomes {
  readonly #subject: string;
  readonly #shares: readonly Share[];
  /** The subjects that do not change from message to message; undefined where they do. */
  readonly #fixed: readonly (EncodedSubject | undefined)[];
  readonly #only: EncodedSubject | undefined;
  readonly #random: Draws;

  constructor(subject: string, shares: readonly Share[], random: Draws) {
    this.#subject = subject;
    this.#shares = shares;
    this.#random = random;
    this.#fixed = shares.map(({ transform }) =>
      transform.deterministic ? new EncodedSubject(transform.transform(subject)) : undefined,
    );
    this.#only = shares.length === 1 && shares[0].below === 100 ? this.#fixed[0] : undefined;
  }

  /** Where the next message goes. */
  next(): EncodedSubject {
    if (this.#only !== undefined) return this.#only;
    const draw = Math.floor(this.#random.fraction() * 100);
    const at = this.#shares.findIndex(({ below }) => draw < below);
    if (at < 0) return LOST;
    return this.#fixed[at] ?? new EncodedSubject(this.#shares[at].transform.transform(this.#subject));
  }
}

/** How many subjects an account's mappings remember what becomes of them, in a generation; there are two. */
const GENERATION_MAX = 1024;

/**
 * The mappings of an account: they change the subjects of what its clients publish, before anything else is done with it. The first that takes a
 * subject is the one that counts.
 */
export class AccountMappings {
  readonly #mappings: readonly Mapping[];
  /** What becomes of a subject; undefined for one that is not mapped. */
  #young = new Map<string, Outcomes | undefined>();
  #old = new Map<string, Outcomes | undefined>();

  /** @throws TransformError with nats-server's text. */
  constructor(rules: readonly MappingRule[], random: Draws) {
    this.#mappings = rules.map((rule) => new Mapping(rule, random));
  }

  /** Changes the subject of a message that a client has published; gives what it becomes, or undefined when it stays. */
  apply(message: Message): string | undefined {
    const mapped = this.#outcomes(message.subjectText)?.next();
    if (mapped === undefined) return undefined;
    message.setSubject(mapped);
    return mapped.text;
  }

  /** What a subject becomes; undefined when it is not mapped. */
  map(subject: string): string | undefined {
    return this.#outcomes(subject)?.next().text;
  }

  #outcomes(subject: string): Outcomes | undefined {
    const known = this.#young.get(subject);
    if (known !== undefined || this.#young.has(subject)) return known;
    return this.#seek(subject);
  }

  #seek(subject: string): Outcomes | undefined {
    let outcomes = this.#old.get(subject);
    if (outcomes === undefined && !this.#old.has(subject)) {
      const tokens = subject.split(".");
      outcomes = this.#mappings.find((mapping) => mapping.takes(tokens))?.outcomes(subject);
    }
    if (this.#young.size >= GENERATION_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(subject, outcomes);
    return outcomes;
  }
}
