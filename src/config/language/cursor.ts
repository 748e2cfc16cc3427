import { characterAt, END, NEWLINE } from "./characters.ts";

export type ItemKind =
  | "error"
  | "end"
  | "key"
  | "string"
  | "bool"
  | "integer"
  | "float"
  | "date"
  | "variable"
  | "include"
  | "mapStart"
  | "mapEnd"
  | "arrayStart"
  | "arrayEnd";

/** A piece of the text that means something. */
export interface Item {
  readonly kind: ItemKind;
  readonly text: string;
  readonly line: number;
  /** Bytes between the start of its line and it; from the second line on the line break before it counts as well. */
  readonly position: number;
}

/** A place in the grammar: reads a little, and says where reading goes on. None at the end or after an error. */
export type State = (cursor: Cursor) => State | undefined;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Where the lexer is in the text, what it has found there, and which states it will come back to. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #items: Item[] = [];
  readonly #states: State[] = [];
  #offset = 0;
  /** Bytes of the character that was read last, which `back` puts back. */
  #width = 0;
  #line = 1;
  /** Offset of the line break before this line. */
  #lineStart = 0;
  /** Where the item that is being read starts, and the line break before it. */
  #itemStart = 0;
  #itemLineStart = 0;
  /** The part of a string that had escapes in it. */
  #escaped: number[] | undefined;
  /** What a string with escapes goes on with. */
  stringState: State | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes the oldest item that was found. */
  take(): Item | undefined {
    return this.#items.shift();
  }

  get line(): number {
    return this.#line;
  }

  /** Bytes read of the present item. */
  get length(): number {
    return this.#offset - this.#itemStart;
  }

  /** Whether the present item has had an escape in it. */
  get hasEscapes(): boolean {
    return this.#escaped !== undefined;
  }

  /** Reads a character; {@link END} at the end. */
  next(): number {
    if (this.#offset >= this.#bytes.length) {
      this.#width = 0;
      return END;
    }
    if (this.#bytes[this.#offset] === NEWLINE) {
      this.#line++;
      this.#lineStart = this.#offset;
    }
    const packed = characterAt(this.#bytes, this.#offset);
    this.#width = packed % 8;
    this.#offset += this.#width;
    return (packed - this.#width) / 8;
  }

  /** Puts the character read last back. A second time it goes back by the same width, which `( )` blocks rely on. */
  back(): void {
    this.#offset -= this.#width;
    if (this.#bytes[this.#offset] === NEWLINE) this.#line--;
  }

  peek(): number {
    const char = this.next();
    this.back();
    return char;
  }

  /** Leaves out what was read up to here. */
  skip(): void {
    this.#itemStart = this.#offset;
    this.#itemLineStart = this.#lineStart;
  }

  /** Leaves out the first byte of the item. */
  skipFirst(): void {
    this.#itemStart++;
  }

  /** Whether the item begins with the character `char`, which is ASCII. */
  startsWith(char: number): boolean {
    return this.#itemStart < this.#bytes.length && this.#bytes[this.#itemStart] === char;
  }

  /** What was read of the present item, escapes left out of account. */
  text(): string {
    return decoder.decode(this.#bytes.subarray(this.#itemStart, this.#offset));
  }

  /** The last `count` bytes that were read. */
  last(count: number): string {
    return decoder.decode(this.#bytes.subarray(this.#offset - count, this.#offset));
  }

  /** Sets aside what was read of a string, without its last `leaveOut` bytes. */
  keepPart(leaveOut: number): void {
    this.#escaped ??= [];
    for (let i = this.#itemStart; i < this.#offset - leaveOut; i++) this.#escaped.push(this.#bytes[i]);
    this.#itemStart = this.#offset;
  }

  /** Adds the byte that an escape stands for. */
  addByte(byte: number): void {
    this.#escaped?.push(byte);
    this.#itemStart = this.#offset;
  }

  /** The present item is of this kind and ends here. */
  emit(kind: ItemKind): void {
    if (this.#escaped !== undefined) this.keepPart(0);
    const bytes =
      this.#escaped === undefined
        ? this.#bytes.subarray(this.#itemStart, this.#offset)
        : Uint8Array.from(this.#escaped);
    this.#escaped = undefined;
    const position = this.#offset - this.#itemLineStart - bytes.length;
    this.#items.push({ kind, text: decoder.decode(bytes), line: this.#line, position });
    this.skip();
  }

  /** Ends with an error. */
  fail(text: string): undefined {
    this.#items.push({
      kind: "error",
      text,
      line: this.#line,
      position: this.#offset - this.#lineStart,
    });
    return undefined;
  }

  /** Comes back to `state` when what follows is done. */
  push(state: State): void {
    this.#states.push(state);
  }

  /** Goes on with the state that was pushed last. */
  pop(): State | undefined {
    return this.#states.pop() ?? this.fail("Unexpected end of a block.");
  }
}
