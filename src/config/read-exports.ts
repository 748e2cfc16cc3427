import { DurationError, parseDuration } from "../protocol/durations.ts";
import type { ConfigMap, ConfigValue } from "./language/tree.ts";
import type { CustomReader } from "./read-block.ts";
import { quoted, type Report, shown, typeOf, wrongType } from "./report.ts";

/** Exports and imports of accounts, which are checked and not served yet (behaviour.md B.5). */

const RESPONSE_TYPES = new Set(["single", "singleton", "stream", "chunk", "chunked"]);
const THRESHOLDS = new Set(["threshold", "response_threshold", "response_max_time", "response_time"]);

export const exports =
  (): CustomReader =>
  (value, { report }) => {
    if (value.content.kind !== "array") {
      return report.error(value, `Exports should be an array, got ${typeOf(value.content)}`);
    }
    for (const each of value.content.value) checkExport(each, report);
    return value.content.value;
  };

export const imports =
  (): CustomReader =>
  (value, { report }) => {
    if (value.content.kind !== "array") {
      return report.error(value, `Imports should be an array, got ${typeOf(value.content)}`);
    }
    for (const each of value.content.value) checkImport(each, report);
    return value.content.value;
  };

/** The values of a map by their keys in lower case. */
function byName(map: ConfigMap): Map<string, ConfigValue> {
  return new Map([...map].map(([key, value]) => [key.toLowerCase(), value]));
}

function checkExport(value: ConfigValue, report: Report): void {
  const { content } = value;
  if (content.kind !== "map") {
    report.error(value, `Export Items should be a map with type entry, got ${typeOf(content)}`);
    return;
  }
  const keys = byName(content.value);
  const stream = keys.get("stream");
  const service = keys.get("service");
  if (stream !== undefined && service !== undefined) {
    report.error(service, `Detected service ${quoted(shown(service.content))} but already saw a stream`);
  }
  for (const [key, each] of content.value) checkExportKey(key, each, stream !== undefined, report);
}

function checkExportKey(key: string, value: ConfigValue, isStream: boolean, report: Report): void {
  const name = key.toLowerCase();
  const { content } = value;
  const forServices = (what: string): void => {
    if (isStream) report.error(value, `Detected ${what} directive on non-service`);
  };
  if (name === "stream" || name === "service") {
    if (content.kind !== "string") {
      report.error(value, `Expected ${name} name to be string, got ${typeOf(content)}`);
    }
  } else if (name === "response" || name === "response_type") {
    if (content.kind !== "string") {
      report.error(value, `Expected response type to be string, got ${typeOf(content)}`);
    } else if (!RESPONSE_TYPES.has(content.value.toLowerCase())) {
      report.error(value, `Unknown response type: ${quoted(content.value.toLowerCase())}`);
    } else forServices("response");
  } else if (THRESHOLDS.has(name)) {
    checkThreshold(value, report);
    forServices("response");
  } else if (name === "latency") {
    checkLatency(value, report);
    forServices("latency");
  } else if (name === "accounts") checkNames(value, report);
  else if (name === "account_token_position") expect(value, "integer", report);
  else if (name === "allow_trace") {
    expect(value, "bool", report);
    forServices("allow_trace");
  } else unknown(key, value, report);
}

function expect(value: ConfigValue, kind: "string" | "bool" | "integer", report: Report): void {
  if (value.content.kind !== kind) report.error(value, wrongType(value.content, kind));
}

function unknown(key: string, value: ConfigValue, report: Report): void {
  if (!value.isVariable) report.error(value, `unknown field ${quoted(key)}`);
}

function checkNames(value: ConfigValue, report: Report): void {
  const { content } = value;
  if (content.kind !== "array") {
    report.error(value, wrongType(content, "array"));
    return;
  }
  for (const each of content.value) expect(each, "string", report);
}

function checkThreshold(value: ConfigValue, report: Report): void {
  const { content } = value;
  const text = "Expected response threshold to be a parseable time duration, got";
  if (content.kind !== "string") {
    report.error(value, `${text} ${typeOf(content)}`);
    return;
  }
  try {
    parseDuration(content.value);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    report.error(value, `${text} ${quoted(content.value)}`);
  }
}

function checkLatency(value: ConfigValue, report: Report): void {
  const { content } = value;
  if (content.kind === "string") return;
  if (content.kind !== "map") {
    report.error(value, `Expected latency entry to be a map/struct or string, got ${typeOf(content)}`);
    return;
  }
  const sampling = content.value.get("sampling");
  if (sampling !== undefined) checkSampling(sampling, report);
  const subject = content.value.get("subject");
  if (subject === undefined) report.error(value, "Latency subject required, but missing");
  else if (subject.content.kind !== "string") {
    report.error(subject, "Expected latency subject to be a string, got string");
  }
}

function checkSampling(value: ConfigValue, report: Report): void {
  const { content } = value;
  let sample: number;
  if (content.kind === "integer") sample = Number(content.value);
  else if (content.kind === "string") {
    if (content.value.trim().toLowerCase() === "headers") return;
    const digits = content.value.replace(/%$/, "");
    if (!/^[+-]?[0-9]+$/.test(digits)) {
      const reason = `strconv.Atoi: parsing ${quoted(digits)}: invalid syntax`;
      report.error(value, `Failed to parse latency sample: ${reason}`);
      return;
    }
    sample = Number(digits);
  } else {
    report.error(value, `Expected latency sample to be a string or map/struct, got ${typeOf(content)}`);
    return;
  }
  if (sample < 1 || sample > 100) report.error(value, "bad sampling percentage, should be 1-100");
}

function checkImport(value: ConfigValue, report: Report): void {
  const { content } = value;
  if (content.kind !== "map") {
    report.error(value, `Import Items should be a map with type entry, got ${typeOf(content)}`);
    return;
  }
  const keys = byName(content.value);
  const service = keys.get("service");
  const trace = keys.get("allow_trace");
  const to = keys.get("to");
  if (keys.has("stream") && service !== undefined) {
    report.error(service, "Detected service but already saw a stream");
  }
  if (trace !== undefined && service !== undefined) {
    report.error(trace, "Detected allow_trace directive on a non-stream");
  }
  if (keys.has("stream") && keys.has("prefix") && to !== undefined) {
    report.error(to, "Stream import can not have a 'prefix' and a 'to' property");
  }
  for (const [key, each] of content.value) {
    const name = key.toLowerCase();
    if (name === "stream" || name === "service") checkOrigin(each, name, report);
    else if (name === "prefix" || name === "to") expect(each, "string", report);
    else if (name === "share" || name === "allow_trace") expect(each, "bool", report);
    else unknown(key, each, report);
  }
}

/** Where something is imported from: an account and a subject. */
function checkOrigin(value: ConfigValue, what: string, report: Report): void {
  const { content } = value;
  if (content.kind !== "map") {
    const name = what === "stream" ? "Stream" : "Service";
    report.error(value, `${name} entry should be an account map, got ${typeOf(content)}`);
    return;
  }
  const named: Record<string, string> = {};
  for (const [key, each] of content.value) {
    const name = key.toLowerCase();
    if (name !== "account" && name !== "subject") unknown(key, each, report);
    else if (each.content.kind === "string") named[name] = each.content.value;
    else expect(each, "string", report);
  }
  if (!named.account || !named.subject) report.error(value, "Expect an account name and a subject");
}
