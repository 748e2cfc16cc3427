import { quote } from "../../protocol/faults.ts";
import { decodePayload } from "../../protocol/text.ts";
import type { JsonNode } from "./scan.ts";

/** How values of one Go type are read from JSON and written to it. */
export interface Codec<T> {
  /** The type as Go's errors name it. */
  readonly goType: string;
  /** What a field holds that is not given. */
  zero(): T;
  /** The value; when the JSON is of another type that is told to `decoding`, and `current` stays. */
  read(node: JsonNode, decoding: Decoding, current: T): T;
  write(value: T): string;
  /** Whether `omitempty` leaves it out. */
  isEmpty(value: T): boolean;
}

/** A value refuses its JSON in a text of its own, which ends the reading at once. */
export class JsonValueError extends Error {
  override readonly name = "JsonValueError";
}

/** The state of reading one request: where it is, and the first error of those that do not end it (Go's `decodeState`). */
export class Decoding {
  readonly #bytes: Uint8Array;
  /** Whether a field that there is not is an error. */
  readonly strict: boolean;
  /** The Go name of the innermost object, "" outside of any. */
  object = "";
  /** The names of fields, outermost first. */
  readonly path: string[] = [];
  #error: string | undefined;

  constructor(bytes: Uint8Array, strict: boolean) {
    this.#bytes = bytes;
    this.strict = strict;
  }

  /** The first error, in Go's words. */
  get error(): string | undefined {
    return this.#error;
  }

  save(error: string): void {
    this.#error ??= error;
  }

  /** The JSON is of another type than the value. */
  mismatch(node: JsonNode, goType: string, what: string = node.kind): void {
    this.save(this.mismatchText(node, goType, what));
  }

  /** What Go says of JSON that is of another type than the value. */
  mismatchText(node: JsonNode, goType: string, what: string = node.kind): string {
    return `json: cannot unmarshal ${what} into ${this.#place()} of type ${goType}`;
  }

  #place(): string {
    if (this.object === "" && this.path.length === 0) return "Go value";
    return `Go struct field ${this.object}.${this.path.join(".")}`;
  }

  /** A value as it is written. */
  raw(node: JsonNode): string {
    return decodePayload(this.#bytes, node.start, node.end);
  }

  /** A value as it is written, as Go quotes it. */
  quoted(node: JsonNode): string {
    return quote(this.raw(node));
  }
}

/** A field of an object: its name in JSON, in the value, how it is read and written, and when it is left out. */
export type Field<T> = {
  [K in keyof T & string]-?: readonly [json: string, key: K, codec: Codec<T[K]>, omit?: typeof OMIT_EMPTY];
}[keyof T & string];

/** The field is left out when it is empty. */
export const OMIT_EMPTY = "omitempty";

/** An object whose fields are given by a table, in the order in which they are written. */
export interface RecordCodec<T> extends Codec<T> {
  readonly fields: readonly Field<T>[];
}

/** Any field, for walking tables: the key and codec of one belong together. */
type AnyField<T> = readonly [
  json: string,
  key: keyof T & string,
  codec: Codec<unknown>,
  omit?: typeof OMIT_EMPTY,
];

interface Place<T> {
  readonly field: AnyField<T>;
  /** The Go name of the embedded object that the field is in, which errors name. */
  readonly embedded: string | undefined;
}

/**
 * The codec of an object.
 * @param name - the Go type, as errors name it.
 * @param embedded - tables of fields that Go's type takes from an embedded one, by that one's name; they come first.
 */
export function record<T extends object>(
  name: string,
  fields: readonly Field<T>[],
  embedded?: readonly [name: string, fields: readonly Field<T>[]],
): RecordCodec<T> {
  const all = [...(embedded?.[1] ?? []), ...fields];
  const walk = all as unknown as readonly AnyField<T>[];
  const places = new Map<string, Place<T>>();
  walk.forEach((field, i) => {
    places.set(field[0], { field, embedded: i < (embedded?.[1].length ?? 0) ? embedded?.[0] : undefined });
  });
  const goType = `server.${name}`;
  return {
    goType,
    fields: all,
    zero: () => Object.fromEntries(walk.map(([, key, codec]) => [key, codec.zero()])) as T,
    read(node, decoding, current) {
      if (node.kind === "null") return current;
      if (node.kind !== "object") {
        decoding.mismatch(node, goType);
        return current;
      }
      const value: T = { ...current };
      for (const [json, member] of node.members) {
        const place = places.get(json) ?? places.get(json.toLowerCase());
        if (place === undefined) {
          if (decoding.strict) decoding.save(`json: unknown field ${quote(json)}`);
          continue;
        }
        const [fieldName, key, codec] = place.field;
        const { object, path } = decoding;
        const depth = path.length;
        decoding.object = name;
        if (place.embedded !== undefined) path.push(place.embedded);
        path.push(fieldName);
        value[key] = codec.read(member, decoding, value[key]) as T[keyof T & string];
        decoding.object = object;
        path.length = depth;
      }
      return value;
    },
    write(value) {
      let out = "";
      for (const [json, key, codec, omit] of walk) {
        const member = value[key];
        if (omit === OMIT_EMPTY && codec.isEmpty(member)) continue;
        out += `${out === "" ? "" : ","}"${json}":${codec.write(member)}`;
      }
      return `{${out}}`;
    },
    // Go's `omitempty` never leaves out an object.
    isEmpty: () => false,
  };
}

/** A value that may be missing: Go's pointer, which `null` makes nothing. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    goType: codec.goType,
    zero: () => undefined,
    read(node, decoding, current) {
      if (node.kind === "null") return undefined;
      return codec.read(node, decoding, current ?? codec.zero());
    },
    write: (value) => (value === undefined ? "null" : codec.write(value)),
    isEmpty: (value) => value === undefined,
  };
}

/** A list; none is an empty one. */
export function list<T>(codec: Codec<T>, goType = `[]${codec.goType}`): Codec<readonly T[]> {
  return {
    goType,
    zero: () => [],
    read(node, decoding, current) {
      if (node.kind === "null") return [];
      if (node.kind !== "array") {
        decoding.mismatch(node, goType);
        return current;
      }
      return node.items.map((item) => codec.read(item, decoding, codec.zero()));
    },
    write: (value) => `[${value.map((item) => codec.write(item)).join(",")}]`,
    isEmpty: (value) => value.length === 0,
  };
}
