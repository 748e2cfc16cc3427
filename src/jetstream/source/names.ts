import { decodeText } from "../../protocol/text.ts";
import { shortHash } from "../short-hash.ts";
import type { StreamSource } from "../stream/source.ts";

/** Stands between several filters, or destinations. */
const BETWEEN = "\f";

/** What a source is called where its messages say where they come from: three words (nats-server `composeIName`). */
export function indexName({
  name,
  filterSubject,
  subjectTransforms,
  external,
  consumer,
}: StreamSource): string {
  let first = name;
  if (external !== undefined) first += `:${shortHash(external.api)}`;
  if (consumer !== undefined) first += `:C=${shortHash(consumer.name)}`;
  const several = subjectTransforms.length > 0;
  const from = several ? subjectTransforms.map(({ src }) => src || ">").join(BETWEEN) : filterSubject || ">";
  const to = several ? subjectTransforms.map(({ dest }) => dest || ">").join(BETWEEN) : ">";
  return `${first} ${from} ${to}`;
}

/** What the header `Nats-Stream-Source` says: the source, the message's sequence and subject there. */
export function sourceHeader(index: string, seq: number, subject: string): string {
  const [stream, from, to] = index.split(" ");
  return `${stream} ${seq} ${from} ${to} ${subject}`;
}

/** What is read of that header. */
export interface SourceMark {
  /** Undefined in the forms before nats-server 2.10, which name the stream only. */
  readonly index: string | undefined;
  /** The stream, with what else the first word of the index says. */
  readonly stream: string;
  readonly seq: number;
}

/** Reads the header, in all its forms: `stream seq [filters destinations subject]`, or the subject of an acknowledgement. */
export function readSourceHeader(value: string): SourceMark | undefined {
  const words = value.split(" ");
  if (value.startsWith("$JS.ACK.")) {
    const tokens = value.split(".");
    const at = tokens.length === 9 ? 2 : 4;
    return mark(undefined, tokens[at] ?? "", tokens[at + 3] ?? "");
  }
  if (words.length === 2) return mark(undefined, words[0], words[1]);
  if (words.length < 4) return undefined;
  return mark(`${words[0]} ${words[2]} ${words[3]}`, words[0], words[1]);
}

function mark(index: string | undefined, stream: string, seq: string): SourceMark | undefined {
  return /^\d+$/.test(seq) && stream !== "" ? { index, stream, seq: Number(seq) } : undefined;
}

/** Who a stream is, for those that it is a copy of. */
export interface CopyIdentity {
  readonly stream: string;
  readonly account: string;
  /** "" for none. */
  readonly domain: string;
}

/** The name of the consumer that a mirror makes of its origin: the same each time (nats-server `createStableConsumerHash`). */
export function mirrorConsumerName(copy: CopyIdentity): string {
  return `JS_MIRROR_${stableHash(copy)}`;
}

/** The name of the consumer that a source is taken through. @param all - the sources of the stream. */
export function sourceConsumerName(
  copy: CopyIdentity,
  source: StreamSource,
  all: readonly StreamSource[],
): string {
  const stable = stableHash(copy);
  const alone = all.filter(({ name }) => name === source.name).length < 2;
  return `JS_SRC_${shortHash(alone ? stable : `${stable} ${indexName(source)}`)}`;
}

function stableHash({ stream, account, domain }: CopyIdentity): string {
  return shortHash(domain === "" ? `${stream} ${account}` : `${stream} ${account} ${domain}`);
}

/** The token of the consumer's name in the reply subject of a message; "" when it is none. */
export function consumerOfReply(reply: string): string {
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK") return "";
  if (tokens.length === 9) return tokens[3];
  return tokens.length >= 11 ? tokens[5] : "";
}

/** A header of a block by its name, "" without; for the few that are read here only. */
export function headerOf(block: Uint8Array, name: string): string {
  const text = decodeText(block, 0, block.length);
  const start = text.indexOf(`\r\n${name}:`);
  if (start < 0) return "";
  const from = start + name.length + 3;
  return text.slice(from, text.indexOf("\r\n", from)).trim();
}
