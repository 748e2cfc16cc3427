import { decodeText, encodeText } from "../protocol/text.ts";
import { checksum } from "./checksum.ts";
import { recordBytes } from "./records.ts";

/** File systems take names of 255 bytes; what is added to a name needs room too. */
const MAX_NAME = 180;

/**
 * The name of any text as a file: lower-case letters, digits, `-` and `_` as they are, all else as `%` and two hexadecimal digits a byte, so that
 * names stay different where the platform does not tell cases apart. One that grows too long is cut, and ends with `~` and a checksum.
 */
export function fileName(name: string): string {
  const bytes = encodeText(name);
  let text = "";
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    text += /[a-z0-9_-]/.test(char) ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }
  if (text.length <= MAX_NAME && text.length > 0) return text;
  const block = recordBytes(bytes.length);
  block.bytes.set(bytes);
  const sums = [0, 1].map((seed) => checksum(block.words, 0, block.words.length, seed) >>> 0);
  return `${text.slice(0, MAX_NAME)}~${sums.map((sum) => sum.toString(16).padStart(8, "0")).join("")}`;
}

/** The text that a file's name stands for; of one that was cut, its beginning. */
export function nameOf(file: string): string {
  const end = file.indexOf("~");
  const text = end < 0 ? file : file.slice(0, end).replace(/%[0-9a-f]?$/, "");
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "%") {
      bytes.push(Number.parseInt(text.slice(i + 1, i + 3), 16));
      i += 2;
    } else {
      bytes.push(text.charCodeAt(i));
    }
  }
  return decodeText(Uint8Array.from(bytes), 0, bytes.length);
}
