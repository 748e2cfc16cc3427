import { quote } from "../../protocol/faults.ts";
import { decodePayload } from "../../protocol/text.ts";

/** A value in a JSON text, and where its bytes are in it. */
export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: "null" | "bool"; readonly value: boolean }
  | { readonly kind: "number"; readonly raw: string }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "object"; readonly members: readonly (readonly [name: string, value: JsonNode])[] }
);

/** The text is no JSON. The message is Go's. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  /** How many bytes had been read when it was noticed; undefined when the text ended too early. */
  readonly offset: number | undefined;

  constructor(text: string, offset?: number) {
    super(text);
    this.offset = offset;
  }
}

/** How deep arrays and objects may lie in one another. Go allows 10,000; no request needs ten. */
const MAX_DEPTH = 500;

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Reads JSON value by value, as Go's decoder does: errors say what nats-server's say, at the same offset, and numbers are kept as they are
 * written, since they may be larger than a `number` holds exactly.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * The next value; undefined when there is only white space left.
   * @throws JsonSyntaxError
   */
  next(): JsonNode | undefined {
    this.#skipSpace();
    return this.#at === this.#bytes.length ? undefined : this.#value();
  }

  /**
   * The only value, with nothing behind it (Go's `json.Unmarshal`).
   * @throws JsonSyntaxError
   */
  only(): JsonNode {
    try {
      const node = this.next();
      if (node === undefined) throw new JsonSyntaxError("unexpected EOF");
      this.#skipSpace();
      if (this.#at < this.#bytes.length) throw this.#bad("after top-level value");
      return node;
    } catch (error) {
      const early = error instanceof JsonSyntaxError && error.offset === undefined;
      throw early ? new JsonSyntaxError("unexpected end of JSON input") : error;
    }
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      const code = bytes[this.#at];
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
      this.#at += 1;
    }
  }

  /** The byte at hand. */
  #peek(): number {
    if (this.#at >= this.#bytes.length) throw new JsonSyntaxError("unexpected EOF");
    return this.#bytes[this.#at];
  }

  /** The error of the byte at hand. */
  #bad(where: string): JsonSyntaxError {
    const code = this.#peek();
    const shown =
      code === 0x27 ? "'\\''" : code === QUOTE ? `'"'` : `'${quote(String.fromCharCode(code)).slice(1, -1)}'`;
    return new JsonSyntaxError(`invalid character ${shown} ${where}`, this.#at + 1);
  }

  #value(): JsonNode {
    const code = this.#peek();
    if (code === 0x7b || code === 0x5b) {
      this.#depth += 1;
      if (this.#depth > MAX_DEPTH) throw new JsonSyntaxError("exceeded max depth", this.#at + 1);
      const node = code === 0x7b ? this.#object() : this.#array();
      this.#depth -= 1;
      return node;
    }
    const start = this.#at;
    if (code === QUOTE) {
      const text = this.#string();
      return { kind: "string", text, start, end: this.#at };
    }
    if (code === 0x74) return this.#word("true", "bool", true);
    if (code === 0x66) return this.#word("false", "bool", false);
    if (code === 0x6e) return this.#word("null", "null", false);
    if (code === 0x2d || isDigit(code)) return this.#number();
    throw this.#bad("looking for beginning of value");
  }

  #word(word: string, kind: "null" | "bool", value: boolean): JsonNode {
    const start = this.#at;
    for (let i = 0; i < word.length; i++) {
      if (this.#peek() !== word.charCodeAt(i)) throw this.#bad(`in literal ${word} (expecting '${word[i]}')`);
      this.#at += 1;
    }
    return { kind, value, start, end: this.#at };
  }

  #number(): JsonNode {
    const start = this.#at;
    if (this.#peek() === 0x2d) {
      this.#at += 1;
      if (!isDigit(this.#peek())) throw this.#bad("in numeric literal");
    }
    // A zero ends the whole part.
    if (this.#bytes[this.#at] === 0x30) this.#at += 1;
    else this.#digits();
    if (this.#bytes[this.#at] === 0x2e) {
      this.#at += 1;
      if (!isDigit(this.#peek())) throw this.#bad("after decimal point in numeric literal");
      this.#digits();
    }
    if ((this.#bytes[this.#at] | 0x20) === 0x65) {
      this.#at += 1;
      if (this.#peek() === 0x2b || this.#peek() === 0x2d) this.#at += 1;
      if (!isDigit(this.#peek())) throw this.#bad("in exponent of numeric literal");
      this.#digits();
    }
    return { kind: "number", raw: decodePayload(this.#bytes, start, this.#at), start, end: this.#at };
  }

  #digits(): void {
    while (isDigit(this.#bytes[this.#at])) this.#at += 1;
  }

  #string(): string {
    this.#at += 1;
    let text = "";
    for (;;) {
      const from = this.#at;
      let code = this.#peek();
      while (code !== QUOTE && code !== BACKSLASH && code >= 0x20) {
        this.#at += 1;
        code = this.#peek();
      }
      text += decodePayload(this.#bytes, from, this.#at);
      if (code < 0x20) throw this.#bad("in string literal");
      this.#at += 1;
      // Half of a pair is no character.
      if (code === QUOTE) return text.replace(/\p{Surrogate}/gu, "\ufffd");
      text += this.#escape();
    }
  }

  #escape(): string {
    const char = String.fromCharCode(this.#peek());
    if (char === "u") {
      this.#at += 1;
      let code = 0;
      for (let i = 0; i < 4; i++) {
        const digit = Number.parseInt(String.fromCharCode(this.#peek()), 16);
        if (Number.isNaN(digit)) throw this.#bad("in \\u hexadecimal character escape");
        code = code * 16 + digit;
        this.#at += 1;
      }
      return String.fromCharCode(code);
    }
    const plain = '"\\/'.includes(char) ? char : Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (plain === undefined) throw this.#bad("in string escape code");
    this.#at += 1;
    return plain;
  }

  #array(): JsonNode {
    const start = this.#at;
    const items: JsonNode[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#peek() === 0x5d) this.#at += 1;
    else {
      for (;;) {
        items.push(this.#value());
        if (this.#ends(0x5d, "after array element")) break;
      }
    }
    return { kind: "array", items, start, end: this.#at };
  }

  #object(): JsonNode {
    const start = this.#at;
    const members: [string, JsonNode][] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#peek() === 0x7d) this.#at += 1;
    else {
      for (;;) {
        if (this.#peek() !== QUOTE) throw this.#bad("looking for beginning of object key string");
        const name = this.#string();
        this.#skipSpace();
        if (this.#peek() !== 0x3a) throw this.#bad("after object key");
        this.#at += 1;
        this.#skipSpace();
        members.push([name, this.#value()]);
        if (this.#ends(0x7d, "after object key:value pair")) break;
      }
    }
    return { kind: "object", members, start, end: this.#at };
  }

  /** Whether what is at hand ends the array or object; else it is the comma before the next element, which is then at hand. */
  #ends(closing: number, where: string): boolean {
    this.#skipSpace();
    const code = this.#peek();
    if (code !== closing && code !== 0x2c) throw this.#bad(where);
    this.#at += 1;
    if (code === closing) return true;
    this.#skipSpace();
    return false;
  }
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= 0x30 && code <= 0x39;
}
