import { isLiteralSubject, isProtocolToken, isValidSubject } from "../protocol/subject.ts";
import { BAD_SUBJECT, destinationError, TransformError } from "./transform-error.ts";
import {
  type Call,
  hasBraces,
  hasFunction,
  partitionOf,
  randomOf,
  readCall,
  split,
  TOKEN_FUNCTIONS,
} from "./transform-functions.ts";

export { TransformError } from "./transform-error.ts";

/** What a {@link SubjectTransform} is made with. */
export interface TransformOptions {
  /** For imports, which must be reversible: only wildcards may be used, and all of them must. Default false. */
  strict?: boolean;
  /** Gives numbers from 0 up to but not including 1, for `{{random(n)}}`. */
  fraction: () => number;
}

/** One token of the destination: text, or what to do with the subject's tokens. */
type Step = string | ((tokens: readonly string[], subject: string) => string);

/**
 * A rule that makes one subject of another: `orders.*.*` to `shop.$2.{{partition(5,1)}}` (behaviour.md B.4, nats-server
 * subject_transform.go). For mappings, imports, and subjects of streams.
 */
export class SubjectTransform {
  readonly source: string;
  readonly destination: string;
  /** Whether a subject always becomes the same: the destination has no `{{random(n)}}`. */
  readonly deterministic: boolean;
  readonly #sourceTokens: readonly string[];
  readonly #calls: readonly Call[];
  readonly #steps: readonly Step[];
  /** The place of the source's `>`, from which on a subject's tokens are put at the end; -1 without one. */
  readonly #rest: number;
  /** The answer for every subject, if there is but one. */
  readonly #constant: string | undefined;
  readonly #fraction: () => number;

  /**
   * @param source - subjects that it is for; "" is ">".
   * @param destination - not empty: whoever takes that for "no transform" must see to it.
   * @throws TransformError with nats-server's text.
   */
  constructor(source: string, destination: string, options: TransformOptions) {
    this.source = source === "" ? ">" : source;
    this.destination = destination;
    this.#fraction = options.fraction;
    const tokens = this.source.split(".");
    const places = tokens.flatMap((token, place) => (token === "*" ? [place] : []));
    const full = tokens[tokens.length - 1] === ">";
    const fits =
      isValidSubject(this.source) &&
      isValidSubject(destination) &&
      !destination.split(".").includes("*") &&
      full === (destination === ">" || destination.endsWith(".>"));
    if (!fits) throw new TransformError(BAD_SUBJECT);
    this.#sourceTokens = tokens;
    this.#rest = full ? tokens.length - 1 : -1;
    const written = destination.split(".");
    if (full) written.pop();
    const wild = places.length > 0 || full;
    this.#calls = written.map((token) => checked(token, wild, places.length, options.strict === true));
    if (options.strict === true && this.#wildcards().length < places.length) {
      throw destinationError("unused", destination);
    }
    // A wildcard below the first stands for the first token of all, as in nats-server.
    const place = (wildcard: number): number => places[wildcard - 1] ?? 0;
    this.#steps = this.#calls.map((call, i) => this.#step(call, written[i], place));
    this.deterministic = !this.#calls.some((call) => call.name === "random");
    this.#constant = !full && this.#calls.every((call) => call.name === "literal") ? destination : undefined;
  }

  #wildcards(): number[] {
    return this.#calls.flatMap((call) => ("wildcards" in call ? [...call.wildcards] : []));
  }

  #step(call: Call, token: string, place: (wildcard: number) => number): Step {
    switch (call.name) {
      case "literal":
        return token;
      case "random":
        return () => randomOf(call.number, this.#fraction);
      case "partition": {
        const at = call.wildcards.map(place);
        if (at.length === 0) return (_tokens, subject) => partitionOf(subject, call.number);
        return (tokens) => partitionOf(at.map((i) => tokens[i] ?? "").join(""), call.number);
      }
      case "wildcard": {
        const at = place(call.wildcards[0]);
        return (tokens) => tokens[at] ?? "";
      }
      case "split": {
        const at = place(call.wildcards[0]);
        return (tokens) => split(tokens[at] ?? "", call.separator);
      }
      default: {
        const at = place(call.wildcards[0]);
        const act = TOKEN_FUNCTIONS[call.name];
        return (tokens) => act(tokens[at] ?? "", call.number);
      }
    }
  }

  /** What a subject becomes, which must match the source. */
  transform(subject: string): string {
    if (this.#constant !== undefined) return this.#constant;
    const tokens = subject.split(".");
    const steps = this.#steps;
    let result = "";
    for (let i = 0; i < steps.length; i++) {
      if (i > 0) result += ".";
      const step = steps[i];
      result += typeof step === "string" ? step : step(tokens, subject);
    }
    if (this.#rest >= 0) {
      if (steps.length > 0) result += ".";
      result += tokens.slice(this.#rest).join(".");
    }
    return result;
  }

  /** What a published subject becomes; undefined when it is not literal, or is none of the source's. */
  match(subject: string): string | undefined {
    if (this.source === ">" && this.destination === ">") return subject;
    if (!isLiteralSubject(subject) || !isSubsetOf(subject.split("."), this.#sourceTokens)) return undefined;
    return this.transform(subject);
  }

  /**
   * The transform that undoes this one: from its destination to its source. There is none, and the answer is undefined, unless the
   * destination uses every wildcard once and no other function.
   */
  reverse(): SubjectTransform | undefined {
    const uses = this.#wildcards();
    const count = this.#sourceTokens.filter((token) => token === "*").length;
    const reversible = this.#calls.every((call) => call.name === "literal" || call.name === "wildcard");
    if (!reversible || uses.length !== count || new Set(uses).size !== count) return undefined;
    const from = this.#calls.map((call, i) => (call.name === "literal" ? (this.#steps[i] as string) : "*"));
    let wildcard = 0;
    const to = this.#sourceTokens.map((token) => {
      if (token !== "*") return token;
      wildcard += 1;
      return `$${uses.indexOf(wildcard) + 1}`;
    });
    if (this.#rest >= 0) from.push(">");
    return new SubjectTransform(from.join("."), to.join("."), { strict: true, fraction: this.#fraction });
  }
}

function checked(token: string, wild: boolean, wildcards: number, strict: boolean): Call {
  const call = readCall(token);
  if (call.name === "literal") return call;
  if (!wild) {
    if (call.name === "random") return call;
    // Nothing stands for a wildcard here, so that it can only be the whole subject that is hashed.
    if (call.name === "partition") return { ...call, wildcards: [] };
    throw destinationError("range", token);
  }
  if (strict && call.name !== "wildcard") throw destinationError("imports", token);
  if ("wildcards" in call) {
    for (const wildcard of call.wildcards) {
      if (wildcard > wildcards) throw destinationError("range", `${token}: [${wildcard}]`);
    }
  }
  return call;
}

/**
 * Checks the destination of a mapping or of a stream's transform, before a {@link SubjectTransform} is made of it. It is stricter than that: words
 * may not hold spaces (nats-server `ValidateMapping`).
 * @throws TransformError with nats-server's text.
 */
export function checkDestination(destination: string): void {
  let full = false;
  for (const token of destination.split(".")) {
    if (token === "" || full) throw destinationError("invalid", token);
    if (hasBraces(token)) {
      if (!hasFunction(token)) throw destinationError("unknown", token);
    } else if (token === ">") {
      full = true;
    } else if (/[\t\n\f\r ]/.test(token)) {
      throw destinationError("invalid", "");
    }
  }
}

/** Whether a subject may be the source of a mapping: valid, and without spaces. */
export function isValidSource(source: string): boolean {
  return isValidSubject(source) && isProtocolToken(source);
}

/**
 * Whether every message on a subject with these tokens is one for a source with those. The subject is as it was published: it may hold
 * wildcards, which only wildcards take in, and empty tokens, which only `>` does (nats-server `isSubsetMatchTokenized`).
 */
export function isSubsetOf(tokens: readonly string[], source: readonly string[]): boolean {
  for (let i = 0; i < source.length; i++) {
    if (i >= tokens.length) return false;
    const wanted = source[i];
    if (wanted === ">") return true;
    const token = tokens[i];
    if (token === "" || token === ">") return false;
    if (wanted !== "*" && wanted !== token) return false;
  }
  return tokens.length === source.length;
}
