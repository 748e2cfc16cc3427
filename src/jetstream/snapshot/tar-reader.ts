import { decodeText } from "../../protocol/text.ts";
import { SnapshotError, unexpectedEnd } from "./errors.ts";
import { PendingBytes } from "./pending-bytes.ts";
import {
  FIELDS,
  LONG_NAME,
  PAX,
  PAX_GLOBAL,
  REGULAR,
  TAR_BLOCK,
  tarChecksum,
  tarPadding,
} from "./tar-format.ts";

/** Takes the files of an archive. What it is given is valid until a call returns. */
export interface TarSink {
  /** A file begins. Anything that is no file (a directory, a link) is not told but refused. */
  file(name: string, size: number): void;
  /** A part of the file. */
  data(bytes: Uint8Array): void;
  /** The file is complete. */
  fileEnd(): void;
}

/** Attributes of a file are no longer than this. */
const MAX_ATTRIBUTES = 64 * 1024;

/** Reads a tar archive as it comes in: ustar, pax, and the long names of GNU tar. */
export class TarReader {
  readonly #sink: TarSink;
  readonly #refuse: (type: string) => SnapshotError;
  readonly #pending = new PendingBytes();
  /** What is still to come of the file at hand, and of what fills up its last block. */
  #left = 0;
  #padding = 0;
  /** Attributes at hand, and how many bytes they are of. */
  #attributes: { readonly type: string; readonly size: number } | undefined;
  /** What was said of the next file. */
  #name: string | undefined;
  #size: number | undefined;
  #zeroBlocks = 0;

  /** @param refuse - makes the error of what is no file. */
  constructor(sink: TarSink, refuse: (type: string) => SnapshotError) {
    this.#sink = sink;
    this.#refuse = refuse;
  }

  /** @throws SnapshotError */
  push(bytes: Uint8Array): void {
    // What a file is of goes on as it comes.
    const direct = this.#pending.length === 0 ? this.#body(bytes) : 0;
    this.#pending.push(bytes.subarray(direct));
    while (this.#step());
  }

  /**
   * Nothing more comes in.
   * @throws SnapshotError when the archive's end was not there.
   */
  end(): void {
    if (this.#zeroBlocks < 2) throw unexpectedEnd();
  }

  #body(bytes: Uint8Array): number {
    if (this.#left === 0) return 0;
    const count = Math.min(this.#left, bytes.length);
    this.#sink.data(bytes.subarray(0, count));
    this.#left -= count;
    if (this.#left === 0) this.#sink.fileEnd();
    return count;
  }

  /** Uses what has come; returns whether there may be more to do. */
  #step(): boolean {
    const pending = this.#pending;
    if (this.#zeroBlocks === 2) {
      pending.skip(pending.length);
      return false;
    }
    if (this.#left > 0) {
      if (pending.length === 0) return false;
      const part = pending.take(Math.min(this.#left, pending.length))!;
      this.#body(part);
      return true;
    }
    if (this.#padding > 0) {
      const skipped = Math.min(this.#padding, pending.length);
      pending.skip(skipped);
      this.#padding -= skipped;
      return skipped > 0;
    }
    return this.#attributes === undefined ? this.#header() : this.#readAttributes(this.#attributes);
  }

  #header(): boolean {
    const header = this.#pending.take(TAR_BLOCK);
    if (header === undefined) return false;
    if (header.every((byte) => byte === 0)) {
      this.#zeroBlocks++;
      return true;
    }
    if (this.#zeroBlocks > 0 || octal(header, FIELDS.checksum) !== tarChecksum(header)) throw invalid();
    const size = number(header, FIELDS.size);
    const [typeAt] = FIELDS.type;
    const type = header[typeAt] === 0 ? REGULAR : String.fromCharCode(header[typeAt]);
    if (type === PAX || type === PAX_GLOBAL || type === LONG_NAME) {
      if (size > MAX_ATTRIBUTES) throw invalid();
      this.#attributes = { type, size };
      return true;
    }
    this.#file(this.#name ?? nameOf(header), this.#size ?? size, type);
    return true;
  }

  #file(name: string, size: number, type: string): void {
    this.#name = undefined;
    this.#size = undefined;
    if (type !== REGULAR || name.endsWith("/")) throw this.#refuse(type);
    this.#left = size;
    this.#padding = tarPadding(size);
    this.#sink.file(name, size);
    if (size === 0) this.#sink.fileEnd();
  }

  #readAttributes({ type, size }: { readonly type: string; readonly size: number }): boolean {
    const bytes = this.#pending.take(size);
    if (bytes === undefined) return false;
    this.#attributes = undefined;
    this.#padding = tarPadding(size);
    if (type === LONG_NAME) this.#name = cString(bytes, 0, bytes.length);
    if (type === PAX) this.#readPax(bytes);
    return true;
  }

  /** Lines such as "27 path=obs/a/meta.inf", each with its length before it. */
  #readPax(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(0x20, at);
      const length = space < 0 ? 0 : digits(decodeText(bytes, at, space), 10);
      const end = at + length;
      if (length < 5 || end > bytes.length || bytes[end - 1] !== 0x0a) throw invalid();
      const [key, ...value] = decodeText(bytes, space + 1, end - 1).split("=");
      if (key === "path") this.#name = value.join("=");
      if (key === "size") this.#size = digits(value.join("="), 10);
      at = end;
    }
  }
}

function invalid(): SnapshotError {
  return new SnapshotError("archive/tar: invalid tar header");
}

function nameOf(header: Uint8Array): string {
  const [start, length] = FIELDS.name;
  const name = cString(header, start, start + length);
  const [magicAt] = FIELDS.magic;
  const [prefixAt, prefixLength] = FIELDS.prefix;
  const ustar = decodeText(header, magicAt, magicAt + 6) === "ustar\0";
  const prefix = ustar ? cString(header, prefixAt, prefixAt + prefixLength) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function cString(bytes: Uint8Array, start: number, end: number): string {
  const zero = bytes.indexOf(0, start);
  return decodeText(bytes, start, zero < 0 ? end : Math.min(zero, end));
}

/** A number in octal digits, or (the first bit set) in binary. */
function number(header: Uint8Array, field: readonly [number, number]): number {
  const [start, length] = field;
  if ((header[start] & 0x80) === 0) return octal(header, field);
  let value = header[start] & 0x7f;
  for (let i = start + 1; i < start + length; i++) value = value * 256 + header[i];
  if (!Number.isSafeInteger(value)) throw invalid();
  return value;
}

function octal(header: Uint8Array, [start, length]: readonly [number, number]): number {
  const text = cString(header, start, start + length).trim();
  return text === "" ? 0 : digits(text, 8);
}

function digits(text: string, radix: 8 | 10): number {
  if (!(radix === 8 ? /^[0-7]+$/ : /^\d+$/).test(text)) throw invalid();
  const value = Number.parseInt(text, radix);
  if (!Number.isSafeInteger(value)) throw invalid();
  return value;
}
