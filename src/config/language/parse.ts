import { messageOf } from "../../protocol/message-of.ts";
import { ConfigError } from "../errors.ts";
import type { Item } from "./cursor.ts";
import { Lexer } from "./lexer.ts";
import { dateOf, floatOf, integerOf } from "./numbers.ts";
import { includedPath } from "./paths.ts";
import { type ConfigContent, type ConfigMap, ConfigValue } from "./tree.ts";

/** What parsing needs of the outside. */
export interface ConfigSource {
  /** The content of a file. What it throws must be an Error whose message names the file and what is wrong. */
  readFile(path: string): string | Uint8Array;
  /** The environment variable of this name. */
  env(name: string): string | undefined;
}

/** Maps and arrays within each other; far above what anybody writes, and well within what the stack holds. */
const MAX_DEPTH = 500;
/** Files of one configuration. A file that includes itself, by whatever way, ends here. */
const MAX_FILES = 1_000;
const MAX_INCLUDE_DEPTH = 50;
/** Environment variables that refer to each other. */
const MAX_VARIABLE_DEPTH = 500;

const encoder = new TextEncoder();

/** What all files and variables of one configuration share. */
interface Shared {
  readonly source: ConfigSource;
  files: number;
  /** Environment variables that are being read, to find those that refer to themselves. */
  readonly variables: Set<string>;
}

/**
 * Reads a configuration file, with the files it includes, into a tree.
 * @throws ConfigError with nats-server's text, when a file cannot be read or does not follow the grammar.
 */
export function parseFile(path: string, source: ConfigSource): ConfigMap {
  const shared: Shared = { source, files: 0, variables: new Set() };
  return new Parser(read(path, shared), path, shared, 0).parse();
}

/** Reads a configuration from its text; `path` is what errors call it, and what includes are relative to. */
export function parseText(text: string, path: string, source: ConfigSource): ConfigMap {
  const shared: Shared = { source, files: 0, variables: new Set() };
  return new Parser(encoder.encode(text), path, shared, 0).parse();
}

function read(path: string, shared: Shared): Uint8Array {
  if (++shared.files > MAX_FILES) throw wrong(`more than ${MAX_FILES} files are included`);
  let content: string | Uint8Array;
  try {
    content = shared.source.readFile(path);
  } catch (error) {
    throw wrong(messageOf(error));
  }
  return typeof content === "string" ? encoder.encode(content) : content;
}

function wrong(text: string): ConfigError {
  return new ConfigError([{ place: undefined, text }]);
}

class Parser {
  readonly #lexer: Lexer;
  readonly #file: string;
  readonly #shared: Shared;
  readonly #includeDepth: number;
  readonly #top: ConfigMap = new Map();
  /** The maps and arrays that are open, the innermost last. */
  readonly #open: (ConfigMap | ConfigValue[])[] = [this.#top];
  /** Keys that have no value yet. One may be left over when a value is missing; the next value takes it then, as in nats-server. */
  readonly #keys: Item[] = [];

  constructor(bytes: Uint8Array, file: string, shared: Shared, includeDepth: number) {
    this.#lexer = new Lexer(bytes);
    this.#file = file;
    this.#shared = shared;
    this.#includeDepth = includeDepth;
  }

  parse(): ConfigMap {
    let before: Item | undefined;
    for (;;) {
      const item = this.#lexer.next();
      if (item.kind === "end") {
        // A last "}" is read as a key: it closes a file that is one JSON object.
        if (before?.kind === "key" && before.text !== "}") {
          throw wrong(`config is invalid (${this.#file}:${item.line}:${item.position})`);
        }
        return this.#top;
      }
      before = item;
      this.#take(item);
    }
  }

  #take(item: Item): void {
    switch (item.kind) {
      case "error":
        throw wrong(`Parse error on line ${item.line}: '${item.text}'`);
      case "key":
        this.#keys.push(item);
        return;
      case "mapStart":
        this.#begin(new Map());
        return;
      case "arrayStart":
        this.#begin([]);
        return;
      case "mapEnd":
      case "arrayEnd":
        this.#end(item);
        return;
      case "include":
        this.#include(item);
        return;
      case "variable":
        this.#set(this.#variable(item));
        return;
      default: {
        const content = scalar(item);
        if (content !== undefined) this.#set(this.#valueAt(item, content));
      }
    }
  }

  #begin(container: ConfigMap | ConfigValue[]): void {
    if (this.#open.length > MAX_DEPTH) throw wrong(`maps and arrays are nested more than ${MAX_DEPTH} deep`);
    this.#open.push(container);
  }

  #end(item: Item): void {
    const container = this.#open.pop()!;
    const content: ConfigContent =
      container instanceof Map ? { kind: "map", value: container } : { kind: "array", value: container };
    this.#set(this.#valueAt(item, content));
  }

  #valueAt(item: Item, content: ConfigContent): ConfigValue {
    return new ConfigValue(content, this.#file, item.line, item.position);
  }

  /** Puts a value into the innermost map, under the last key, or into the innermost array. */
  #set(value: ConfigValue): void {
    const container = this.#open[this.#open.length - 1];
    if (!(container instanceof Map)) {
      container.push(value);
      return;
    }
    const key = this.#keys.pop();
    if (key === undefined) throw wrong(`config is invalid (${this.#file}:${value.line}:${value.position})`);
    value.line = key.line;
    value.position = key.position;
    // Set anew, so that of two keys for one option the one written last comes last.
    container.delete(key.text);
    container.set(key.text, value);
  }

  #include(item: Item): void {
    const path = includedPath(this.#file, item.text);
    let included: ConfigMap;
    try {
      if (this.#includeDepth >= MAX_INCLUDE_DEPTH) {
        throw wrong(`files include each other more than ${MAX_INCLUDE_DEPTH} deep`);
      }
      const bytes = read(path, this.#shared);
      included = new Parser(bytes, path, this.#shared, this.#includeDepth + 1).parse();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw wrong(`error parsing include file '${item.text}', ${error.message}`);
    }
    for (const [text, value] of included) {
      this.#keys.push({ kind: "key", text, line: value.line, position: value.position });
      this.#set(value);
    }
  }

  #variable(item: Item): ConfigValue {
    // A bcrypt hash needs no quotes.
    if (item.text.startsWith("2a$")) return this.#valueAt(item, { kind: "string", value: `$${item.text}` });
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const container = this.#open[i];
      const found = container instanceof Map ? container.get(item.text) : undefined;
      if (found === undefined) continue;
      found.isVariable = true;
      return this.#valueAt(item, found.content);
    }
    let content: ConfigContent | undefined;
    try {
      content = this.#fromEnvironment(item.text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const where = `variable reference for '${item.text}' on line ${item.line}`;
      throw wrong(`${where} could not be parsed: ${error.message}`);
    }
    if (content === undefined) {
      throw wrong(`variable reference for '${item.text}' on line ${item.line} can not be found`);
    }
    return this.#valueAt(item, content);
  }

  /** The value of an environment variable, which is read as the language itself. */
  #fromEnvironment(name: string): ConfigContent | undefined {
    const { variables, source } = this.#shared;
    if (variables.has(name)) throw wrong(`variable reference cycle for '${name}'`);
    const text = source.env(name);
    if (text === undefined) return undefined;
    if (variables.size >= MAX_VARIABLE_DEPTH) {
      throw wrong(`more than ${MAX_VARIABLE_DEPTH} variables refer to each other`);
    }
    variables.add(name);
    try {
      const bytes = encoder.encode(`pk=${text}`);
      return new Parser(bytes, "", this.#shared, this.#includeDepth).parse().get("pk")?.content;
    } finally {
      variables.delete(name);
    }
  }
}

/** The value of an item; undefined for a number with a unit that is none, which nats-server passes over. */
function scalar(item: Item): ConfigContent | undefined {
  switch (item.kind) {
    case "string":
      return { kind: "string", value: item.text };
    case "bool":
      return { kind: "bool", value: /^(true|yes|on)$/i.test(item.text) };
    case "integer": {
      const value = integerOf(item.text);
      if (typeof value === "string") throw wrong(value);
      return value === undefined ? undefined : { kind: "integer", value };
    }
    case "float": {
      const value = floatOf(item.text);
      if (value === undefined) throw wrong(`expected float, but got '${item.text}'`);
      if (!Number.isFinite(value)) throw wrong(`float '${item.text}' is out of the range`);
      return { kind: "float", value };
    }
    default: {
      const value = dateOf(item.text);
      if (value === undefined) {
        throw wrong(`expected Zulu formatted DateTime, but got '${item.text}'`);
      }
      return { kind: "date", value };
    }
  }
}
