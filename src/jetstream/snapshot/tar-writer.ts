import { encodeText } from "../../protocol/text.ts";
import { FIELDS, PAX, REGULAR, TAR_BLOCK, tarChecksum, tarPadding } from "./tar-format.ts";

/** What ends an archive. */
export const TAR_END = new Uint8Array(2 * TAR_BLOCK);

/** What stands before a file in a tar archive. `time` is ms since the epoch. */
export function tarHeader(name: string, size: number, time: number): Uint8Array {
  const path = encodeText(name);
  if (path.length <= FIELDS.name[1] && path.every((byte) => byte < 0x80))
    return header(path, size, time, REGULAR);
  const attributes = paxLine("path", path);
  const filled = attributes.length + tarPadding(attributes.length);
  const all = new Uint8Array(TAR_BLOCK + filled + TAR_BLOCK);
  all.set(header(encodeText("PaxHeader"), attributes.length, time, PAX));
  all.set(attributes, TAR_BLOCK);
  all.set(header(encodeText("file"), size, time, REGULAR), TAR_BLOCK + filled);
  return all;
}

/** What fills up the last block of a file. */
export function tarFill(size: number): Uint8Array {
  return new Uint8Array(tarPadding(size));
}

function header(name: Uint8Array, size: number, time: number, type: string): Uint8Array {
  const bytes = new Uint8Array(TAR_BLOCK);
  const put = ([start]: readonly [number, number], text: string): void => bytes.set(encodeText(text), start);
  const octal = ([, length]: readonly [number, number], value: number): string =>
    `${value.toString(8).padStart(length - 1, "0")}\0`;
  bytes.set(name);
  put(FIELDS.mode, octal(FIELDS.mode, 0o600));
  put(FIELDS.uid, octal(FIELDS.uid, 0));
  put(FIELDS.gid, octal(FIELDS.gid, 0));
  put(FIELDS.size, octal(FIELDS.size, size));
  put(FIELDS.mtime, octal(FIELDS.mtime, Math.floor(time / 1_000)));
  put(FIELDS.type, type);
  put(FIELDS.magic, "ustar\0");
  put(FIELDS.version, "00");
  put(FIELDS.uname, "nats");
  put(FIELDS.gname, "nats");
  put(FIELDS.checksum, `${tarChecksum(bytes).toString(8).padStart(6, "0")}\0 `);
  return bytes;
}

/** A line whose length, which counts itself, stands before it. */
function paxLine(key: string, value: Uint8Array): Uint8Array {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  const line = new Uint8Array(length);
  const start = encodeText(`${length} ${key}=`);
  line.set(start);
  line.set(value, start.length);
  line[length - 1] = 0x0a;
  return line;
}
