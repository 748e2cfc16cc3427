import { DurationError, parseDuration, showDuration } from "../protocol/durations.ts";
import type { Kind } from "../server/options/table/row.ts";
import { notAList, notOneOf, outOfRange, wrongScalar } from "./block-texts.ts";
import type { ConfigValue } from "./language/tree.ts";
import { type BlockReader, optionsIn, type Reading } from "./read-block.ts";
import { readListen } from "./read-listen.ts";
import { typeOf, wrongType } from "./report.ts";

/** What texts call lists of texts where that is not their key. */
const LIST_NAMES: Readonly<Record<string, string>> = {
  allowedOrigins: "allowed origins",
  allowedConnectionTypes: "allowed connection types",
  serverTags: "tags",
};

/** Reads a value as the table says; undefined when it is wrong, which is reported, or stands for the default. */
export function readKind(reader: BlockReader, value: ConfigValue, reading: Reading): unknown {
  const { report, block, row, key } = reading;
  const { kind } = row;
  const { content } = value;
  switch (kind.type) {
    case "bool":
    case "string":
      if (content.kind === kind.type) return content.value;
      return report.error(value, wrongScalar(block, key, kind.type, content));
    case "integer":
      return readInteger(value, kind, reading);
    case "port":
      return readPort(value, reading);
    case "duration":
      return readDuration(value, kind, reading);
    case "oneOf":
      return readWord(value, kind.values, reading);
    case "strings":
      return readStrings(value, reading, LIST_NAMES[row.option ?? ""] ?? row.keys[0]);
    case "texts":
      return readTexts(value, reading);
    case "listen":
      return readListen(value, report);
    case "block":
      return readBlock(reader, value, kind.block);
    case "blocks":
      return readBlocks(reader, value, kind.block);
    case "custom":
      return reader.custom(kind.form, value, reading);
    default:
      return true;
  }
}

function readInteger(
  value: ConfigValue,
  kind: Kind & { type: "integer" },
  reading: Reading,
): number | undefined {
  const { report, block, row, key } = reading;
  if (value.content.kind !== "integer") {
    return report.error(value, wrongScalar(block, key, "integer", value.content));
  }
  const number = Number(value.content.value);
  if (number === 0 && row.zeroIsDefault) return undefined;
  if (number < kind.min && row.clamps) return kind.min;
  // Here 0 is no limit; in a file there is no other way to say that than to leave the key out.
  const min = row.option === "maxSubTokens" ? 1 : kind.min;
  if (number >= min && number <= kind.max) return number;
  return report.error(value, outOfRange(block, key, number, kind));
}

function readPort(value: ConfigValue, { report }: Reading): number | undefined {
  if (value.content.kind !== "integer") {
    return report.error(value, wrongType(value.content, "integer"));
  }
  const port = Number(value.content.value);
  if (port >= -1 && port <= 65_535) return port;
  return report.error(value, `invalid port ${port}, it must be from -1 (any free one) to 65535`);
}

/** The ms of a duration; of a fraction of one the next whole ms, so that it does not become nothing. */
function readDuration(
  value: ConfigValue,
  kind: Kind & { type: "duration" },
  reading: Reading,
): number | undefined {
  const { report, row } = reading;
  const { content } = value;
  let ms: number;
  if (content.kind === "string") {
    try {
      ms = Math.ceil(parseDuration(content.value));
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      return report.error(value, durationError(reading, error.message));
    }
  } else if (content.kind === "integer" && kind.file !== "text") {
    if (kind.file === "warned") warnOfNumber(value, reading);
    ms = Number(content.value) * 1_000;
  } else if (content.kind === "float" && kind.file === "either") {
    ms = Math.ceil(content.value * 1_000);
  } else {
    if (kind.file === "warned") warnOfNumber(value, reading);
    const wanted = kind.file === "warned" ? "integer" : "string";
    return report.error(value, durationTypeError(reading, wrongType(content, wanted), typeOf(content)));
  }
  if (ms === 0 && row.zeroIsDefault) return undefined;
  if (ms >= kind.min && ms <= kind.max) return ms;
  return report.error(value, durationRange(reading, ms, kind));
}

function warnOfNumber(value: ConfigValue, { report, row }: Reading): void {
  report.misuse(value, row.keys[0], `${row.keys[0]} should be converted to a duration`);
}

function durationError({ block, row, key }: Reading, reason: string): string {
  if (block === "tls") return `error parsing tls config, 'timeout' ${reason}`;
  if (row.option === "handshakeTimeout") return reason;
  const name = block === "leafProxy" ? `proxy ${key}` : block === "responses" ? "expires" : row.keys[0];
  return `error parsing ${name}: ${reason}`;
}

function durationTypeError({ block, row }: Reading, otherwise: string, type: string): string {
  if (block === "tls") return "error parsing tls config, 'timeout' wrong type";
  if (block === "responses") return "error parsing expires, not a duration string";
  return row.option === "handshakeTimeout"
    ? `error parsing handshake timeout: unsupported type ${type}`
    : otherwise;
}

function durationRange({ key, row }: Reading, ms: number, kind: Kind & { type: "duration" }): string {
  if (row.option === "lameDuckDuration" && ms < kind.min) {
    return `invalid lame_duck_duration of ${showDuration(ms)}, minimum is 30 seconds`;
  }
  if (row.option === "lameDuckGracePeriod" && ms < 0) {
    return "invalid lame_duck_grace_period, needs to be positive";
  }
  return `invalid ${key} of ${showDuration(ms)}, it must be from ${showDuration(kind.min)} to ${showDuration(kind.max)}`;
}

function readWord(value: ConfigValue, words: readonly string[], reading: Reading): string | undefined {
  const { report, block, key } = reading;
  const { content } = value;
  if (content.kind !== "string") {
    return report.error(value, wrongScalar(block, key, "string", content));
  }
  const word = key === "cipher" ? content.value.toLowerCase() : content.value;
  if (words.includes(word) || (key === "cluster_traffic" && word === "")) return word;
  return report.error(value, notOneOf(key, content.value));
}

/** A text or a list of them. What is wrong in a list is reported and left out. */
export function readStrings(value: ConfigValue, { report }: Reading, name: string): string[] | undefined {
  const { content } = value;
  if (content.kind === "string") return [content.value];
  if (content.kind !== "array") {
    return report.error(value, `error parsing ${name}: unsupported type ${typeOf(content)}`);
  }
  const texts: string[] = [];
  for (const element of content.value) {
    if (element.content.kind === "string") texts.push(element.content.value);
    else report.error(element, `error parsing ${name}: unsupported type in array ${typeOf(element.content)}`);
  }
  return texts;
}

function readTexts(value: ConfigValue, { report, row }: Reading): Record<string, string> | undefined {
  const { content } = value;
  if (content.kind !== "map") {
    const name = row.option === "serverMetadata" ? "metadata" : row.keys[0];
    const what = name === "default_js_domain" ? `error ${name} config` : `error parsing ${name}`;
    return report.error(value, `${what}: unsupported type ${typeOf(content)}`);
  }
  const texts: [string, string][] = [];
  for (const [name, text] of content.value) {
    if (text.content.kind === "string") texts.push([name, text.content.value]);
    else if (row.option === "headers") {
      report.error(text, `error parsing header key ${name}: unsupported type ${typeOf(text.content)}`);
    } else report.error(text, wrongType(text.content, "string"));
  }
  return Object.fromEntries(texts);
}

function readBlock(reader: BlockReader, value: ConfigValue, block: Reading["block"]): unknown {
  const record = reader.block(block, value);
  if (record === undefined) return undefined;
  const options = optionsIn(block, record);
  reader.report.blockPlaces.set(options, value);
  return options;
}

function readBlocks(reader: BlockReader, value: ConfigValue, block: Reading["block"]): unknown {
  if (value.content.kind !== "array") {
    return reader.report.error(value, notAList(block, value.content));
  }
  return value.content.value.map((each) => reader.block(block, each)).filter((each) => each !== undefined);
}
