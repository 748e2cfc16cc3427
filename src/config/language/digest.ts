import { ConfigError } from "../errors.ts";
import type { ConfigMap, ConfigValue } from "./tree.ts";

/** Characters of the JSON that a digest is made of. Variables that refer to variables may multiply a small file beyond this. */
const MAX_JSON = 8 * 1024 * 1024;
/** Maps and arrays within each other, after variables. */
const MAX_DEPTH = 2_000;

const encoder = new TextEncoder();

/**
 * The digest that nats-server shows with `-t` and logs: of the JSON of the parsed file, in the form that Go writes.
 * @param sha256 gives the hash of bytes, in hex.
 * @throws ConfigError when variables make the configuration too large or too deep.
 */
export function digestOf(config: ConfigMap, sha256: (bytes: Uint8Array) => string): string {
  const writer = new JsonWriter();
  writer.map(config);
  return `sha256:${sha256(encoder.encode(`${writer.text()}\n`))}`;
}

class JsonWriter {
  readonly #parts: string[] = [];
  #size = 0;
  #depth = 0;

  text(): string {
    return this.#parts.join("");
  }

  map(map: ConfigMap): void {
    this.#deeper();
    let separator = "{";
    for (const [key, value] of [...map].sort(([a], [b]) => compareBytes(a, b))) {
      this.#add(`${separator}${quote(key)}:`);
      this.value(value);
      separator = ",";
    }
    this.#add(map.size === 0 ? "{}" : "}");
    this.#depth--;
  }

  value({ content }: ConfigValue): void {
    switch (content.kind) {
      case "map":
        this.map(content.value);
        return;
      case "array": {
        this.#deeper();
        this.#add("[");
        for (const [i, element] of content.value.entries()) {
          if (i > 0) this.#add(",");
          this.value(element);
        }
        this.#add("]");
        this.#depth--;
        return;
      }
      case "string":
      case "date":
        this.#add(quote(content.value));
        return;
      case "float":
        this.#add(Object.is(content.value, -0) ? "-0" : String(content.value));
        return;
      default:
        this.#add(String(content.value));
    }
  }

  #deeper(): void {
    if (++this.#depth <= MAX_DEPTH) return;
    const text = `maps and arrays are nested more than ${MAX_DEPTH} deep`;
    throw new ConfigError([{ place: undefined, text }]);
  }

  #add(part: string): void {
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size > MAX_JSON) {
      throw new ConfigError([{ place: undefined, text: "config is too large: variables multiply it" }]);
    }
  }
}

/** JSON as Go writes it: what could end a script in a page is escaped, and what is not UTF-8 is `\ufffd`. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029\ufffd]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The order of the UTF-8 bytes, which is that of the code points. */
function compareBytes(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i].codePointAt(0)! - right[i].codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
