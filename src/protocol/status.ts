import { ascii, copyBytes } from "./bytes.ts";
import { encodeText } from "./text.ts";

const STATUS_LINE = ascii("NATS/1.0 503\r\nNats-Subject: ");
const BLANK_LINE = ascii("\r\n\r\n");

/** The header block that tells a requestor that nobody serves `subject` (status 503; `Nats-Subject` since nats-server 2.12). */
export function noRespondersHeaders(subject: string): Uint8Array {
  const name = encodeText(subject);
  const block = new Uint8Array(STATUS_LINE.length + name.length + BLANK_LINE.length);
  block.set(STATUS_LINE);
  copyBytes(name, 0, name.length, block, STATUS_LINE.length);
  block.set(BLANK_LINE, STATUS_LINE.length + name.length);
  return block;
}
