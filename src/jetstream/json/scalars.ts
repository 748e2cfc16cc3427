import { escapeJson } from "../../protocol/go-format.ts";
import type { Codec } from "./codec.ts";
import { JsonValueError } from "./codec.ts";
import { nanoseconds } from "./durations.ts";

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** A text. */
export const text: Codec<string> = {
  goType: "string",
  zero: () => "",
  read(node, decoding, current) {
    if (node.kind === "string") return node.text;
    if (node.kind !== "null") decoding.mismatch(node, "string");
    return current;
  },
  write: writeText,
  isEmpty: (value) => value === "",
};

/** A text as JSON, as Go escapes it. */
export function writeText(value: string): string {
  return escapeJson(JSON.stringify(value));
}

/** True or false. */
export const bool: Codec<boolean> = {
  goType: "bool",
  zero: () => false,
  read(node, decoding, current) {
    if (node.kind === "bool") return node.value;
    if (node.kind !== "null") decoding.mismatch(node, "bool");
    return current;
  },
  write: String,
  isEmpty: (value) => !value,
};

function integer<T>(
  goType: string,
  min: bigint,
  max: bigint,
  from: (value: bigint) => T,
  write: (value: T) => string,
  isEmpty: (value: T) => boolean,
): Codec<T> {
  return {
    goType,
    zero: () => from(0n),
    read(node, decoding, current) {
      if (node.kind === "number") {
        const value = /^-?\d+$/.test(node.raw) ? BigInt(node.raw) : undefined;
        if (value !== undefined && value >= min && value <= max) return from(value);
        decoding.mismatch(node, goType, `number ${node.raw}`);
      } else if (node.kind !== "null") decoding.mismatch(node, goType);
      return current;
    },
    write,
    isEmpty,
  };
}

/**
 * Writes a whole number. Above 2^53 a `number` has only every second value, and every thousandth near 2^63; but the largest that Go has, which
 * programs use for "no limit", is written as it came.
 */
function writeWhole(max: bigint): (value: number) => string {
  return (value) => {
    const whole = BigInt(Math.trunc(value));
    return String(whole > max ? max : whole);
  };
}

function whole(goType: string, min: bigint, max: bigint): Codec<number> {
  return integer(goType, min, max, Number, writeWhole(max), (value) => value === 0);
}

/** A whole number of 64 bits. */
export const int64 = whole("int64", -INT64_MAX - 1n, INT64_MAX);
/** The same, where Go calls it `int`. */
export const int = whole("int", -INT64_MAX - 1n, INT64_MAX);
/** A whole number of 32 bits. */
export const int32 = whole("int32", -(2n ** 31n), 2n ** 31n - 1n);
/** A whole number of 64 bits without a sign. */
export const uint64 = whole("uint64", 0n, UINT64_MAX);

/** A time span: nanoseconds in JSON, here ms with a fraction. Exact to the nanosecond up to 52 days, and to the ms without end. */
export const duration: Codec<number> = integer(
  "time.Duration",
  -INT64_MAX - 1n,
  INT64_MAX,
  (ns) => Number(ns / 1_000_000n) + Number(ns % 1_000_000n) / 1e6,
  (ms) => String(nanoseconds(ms)),
  (ms) => ms === 0,
);

/** One of some words; the first is the zero. `refuse` says the error of any other JSON, which it gets as it is written. */
export function choice<T extends string>(
  goType: string,
  words: readonly [T, ...T[]],
  refuse: (raw: string) => string,
  options: { read?: Readonly<Record<string, T>>; anyCase?: boolean } = {},
): Codec<T> {
  return {
    goType,
    zero: () => words[0],
    read(node, decoding) {
      const raw = decoding.raw(node);
      const given = options.anyCase === true ? raw.toLowerCase() : raw;
      const word = words.find((known) => given === `"${known}"`) ?? options.read?.[given];
      if (word === undefined) throw new JsonValueError(refuse(raw));
      return word;
    },
    write: (value) => `"${value}"`,
    isEmpty: (value) => value === words[0],
  };
}

/** Values by name. They are written in the order of their names' bytes. */
export function mapOf<T>(codec: Codec<T>): Codec<Readonly<Record<string, T>>> {
  const goType = `map[string]${codec.goType}`;
  return {
    goType,
    zero: () => ({}),
    read(node, decoding, current) {
      if (node.kind === "null") return {};
      if (node.kind !== "object") {
        decoding.mismatch(node, goType);
        return current;
      }
      const map = new Map(Object.entries(current));
      for (const [name, member] of node.members) map.set(name, codec.read(member, decoding, codec.zero()));
      return Object.fromEntries(map);
    },
    write(value) {
      const names = Object.keys(value).sort(byCodePoint);
      return `{${names.map((name) => `${writeText(name)}:${codec.write(value[name])}`).join(",")}}`;
    },
    isEmpty: (value) => Object.keys(value).length === 0,
  };
}

/** Texts by name: metadata. */
export const textMap = mapOf(text);

/** The order of two texts' UTF-8 bytes, which is Go's. */
export function byCodePoint(one: string, other: string): number {
  const a = Array.from(one);
  const b = Array.from(other);
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return a[i].codePointAt(0)! - b[i].codePointAt(0)!;
  }
  return a.length - b.length;
}
