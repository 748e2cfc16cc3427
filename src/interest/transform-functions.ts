import { hashBytes, hashText } from "../protocol/hash.ts";
import { decodeText, encodeText, isAscii } from "../protocol/text.ts";
import { destinationError, type TransformError } from "./transform-error.ts";

/**
 * The functions of a transform's destination (behaviour.md B.4): reading `{{name(arguments)}}` and `$n`, and what each does with the tokens
 * of a subject. Positions and lengths count bytes, as in nats-server.
 */

/** What a token of a destination asks for, as it is written. */
export type Call =
  | { readonly name: "literal" }
  | { readonly name: "wildcard"; readonly wildcards: readonly number[] }
  /** Without wildcards it is the whole subject that is hashed. */
  | { readonly name: "partition"; readonly wildcards: readonly number[]; readonly number: number }
  | { readonly name: "random"; readonly number: number }
  | { readonly name: "split"; readonly wildcards: readonly number[]; readonly separator: string }
  | { readonly name: TokenFunction; readonly wildcards: readonly number[]; readonly number: number };

/** The functions of one token and a number. */
type TokenFunction = keyof typeof TOKEN_FUNCTIONS;

const LITERAL: Call = { name: "literal" };

/** In the order that nats-server tries them in. The first letter of each word may be of either case. */
const SPELLINGS: readonly [name: Exclude<Call["name"], "literal">, pattern: RegExp][] = [
  ["wildcard", spelling("[wW]ildcard")],
  ["partition", spelling("[pP]artition")],
  ["splitFromLeft", spelling("[sS]plit[fF]rom[lL]eft")],
  ["splitFromRight", spelling("[sS]plit[fF]rom[rR]ight")],
  ["sliceFromLeft", spelling("[sS]lice[fF]rom[lL]eft")],
  ["sliceFromRight", spelling("[sS]lice[fF]rom[rR]ight")],
  ["right", spelling("[rR]ight")],
  ["left", spelling("[lL]eft")],
  ["split", spelling("[sS]plit")],
  ["random", spelling("[rR]andom")],
];

const INT32_MAX = 2n ** 31n - 1n;
const INT64_MAX = 2n ** 63n - 1n;

function spelling(name: string): RegExp {
  return new RegExp(`\\{\\{[\\t\\n\\f\\r ]*${name}[\\t\\n\\f\\r ]*\\(([^\n]*)\\)[\\t\\n\\f\\r ]*\\}\\}`);
}

/** Whether a token has the braces of a function, known or not. */
export function hasBraces(token: string): boolean {
  return token.length > 4 && token.startsWith("{{") && token.endsWith("}}");
}

/** Whether a token with braces calls a function that there is. */
export function hasFunction(token: string): boolean {
  return SPELLINGS.some(([, pattern]) => pattern.test(token));
}

/**
 * Reads a token of a destination.
 * @throws TransformError about a function that there is not, or its arguments.
 */
export function readCall(token: string): Call {
  if (token.length < 2) return LITERAL;
  if (token[0] === "$") {
    // Other things begin with "$" too.
    const wildcard = integer(token.slice(1));
    return wildcard === undefined ? LITERAL : { name: "wildcard", wildcards: [Number(wildcard)] };
  }
  if (!hasBraces(token)) return LITERAL;
  for (const [name, pattern] of SPELLINGS) {
    const found = pattern.exec(token);
    if (found !== null) return readArguments(name, found[1].split(/,[\t\n\f\r ]*/), token);
  }
  throw destinationError("unknown", token);
}

function readArguments(name: Exclude<Call["name"], "literal">, given: string[], token: string): Call {
  const bad = (): TransformError => destinationError("argument", token);
  const index = (at: number): number => Number(required(integer(trim(given[at])), bad));
  switch (name) {
    case "wildcard":
      if (given.length > 1) throw destinationError("tooMany", token);
      if (given[0] === "") throw destinationError("tooFew", token);
      return { name, wildcards: [index(0)] };
    case "partition": {
      const number = int32(given[0], bad);
      return { name, number, wildcards: given.slice(1).map((_, i) => index(i + 1)) };
    }
    case "random":
      if (given.length !== 1) throw destinationError("tooFew", token);
      return { name, number: int32(given[0], bad) };
    case "split": {
      checkTwo(given, token);
      const wildcards = [index(0)];
      if (given[1].includes(" ")) throw bad();
      return { name, wildcards, separator: given[1] };
    }
    default: {
      checkTwo(given, token);
      const wildcards = [index(0)];
      const number = required(integer(trim(given[1])), bad);
      if (number > INT32_MAX || number < -INT32_MAX - 1n) throw bad();
      return { name, wildcards, number: Number(number) };
    }
  }
}

function checkTwo(given: string[], token: string): void {
  if (given.length < 2) throw destinationError("tooFew", token);
  if (given.length > 2) throw destinationError("tooMany", token);
}

/** A number that is checked only against the largest; one that is too small wraps around, as it does in nats-server. */
function int32(text: string, bad: () => TransformError): number {
  const number = required(integer(trim(text)), bad);
  if (number > INT32_MAX) throw bad();
  return Number(BigInt.asIntN(32, number));
}

function required<T>(value: T | undefined, bad: () => TransformError): T {
  if (value === undefined) throw bad();
  return value;
}

/** A whole number of 64 bits, with or without a sign. */
function integer(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const number = BigInt(text[0] === "+" ? text.slice(1) : text);
  return number > INT64_MAX || number < -INT64_MAX - 1n ? undefined : number;
}

function trim(text: string): string {
  return text.replace(/^ +| +$/g, "");
}

/** A number in [0, count) that the key decides (FNV-1a of its bytes); 0 when there are none. */
export function partitionOf(key: string, count: number): string {
  if (count === 0) return "0";
  const hash = isAscii(key) ? hashText(key) : hashBytes(encodeText(key));
  return String((hash >>> 0) % (count >>> 0));
}

/** A number in [0, count); 0 when there are none. `fraction` gives a number from 0 up to but not including 1. */
export function randomOf(count: number, fraction: () => number): string {
  return String(Math.floor(fraction() * Math.abs(count)));
}

/** The parts of a token between separators, as tokens; empty parts are left out. */
export function split(token: string, separator: string): string {
  const parts = separator === "" ? Array.from(token) : token.split(separator);
  return parts.filter((part) => part !== "").join(".");
}

/** What the functions of one token and a number do. A number that does not cut the token leaves it as it is. */
export const TOKEN_FUNCTIONS = {
  splitFromLeft: cutting((cut, length, number) => [cut(0, number), cut(number, length)]),
  splitFromRight: cutting((cut, length, number) => [cut(0, length - number), cut(length - number, length)]),
  sliceFromLeft: cutting((cut, length, number) => slices(cut, 0, length, number)),
  sliceFromRight: cutting((cut, length, number) => slices(cut, (length % number) - number, length, number)),
  left: cutting((cut, _length, number) => [cut(0, number)]),
  right: cutting((cut, length, number) => [cut(length - number, length)]),
};

type Cut = (start: number, end: number) => string;

function cutting(
  pieces: (cut: Cut, length: number, number: number) => string[],
): (token: string, number: number) => string {
  return (token, number) => {
    if (number <= 0) return token;
    if (isAscii(token)) {
      if (number >= token.length) return token;
      return pieces((start, end) => token.slice(start, end), token.length, number).join(".");
    }
    const bytes = encodeText(token);
    if (number >= bytes.length) return token;
    return pieces((start, end) => decodeText(bytes, start, end), bytes.length, number).join(".");
  };
}

/** The runs of `size` from `start`, which may lie before the token's beginning: then the first run is shorter. */
function slices(cut: Cut, start: number, length: number, size: number): string[] {
  const runs: string[] = [];
  for (let at = start; at < length; at += size) {
    if (at + size > 0) runs.push(cut(Math.max(at, 0), Math.min(at + size, length)));
  }
  return runs;
}
