import { DurationError, parseDuration } from "../protocol/durations.ts";
import { ALL_CIPHER_SUITES, CIPHER_SUITES, CURVES } from "../server/options/tls-names.ts";
import type { TlsOptions } from "../server/options/types.ts";
import type { ConfigValue } from "./language/tree.ts";
import type { BlockRecord, CustomReader } from "./read-block.ts";
import { quoted, type Report, typeOf, wrongType } from "./report.ts";

/** Insecure ones of Go (`tls.InsecureCipherSuites`) that OpenSSL does not have any more. */
const GONE_SUITES: readonly string[] = [
  "TLS_RSA_WITH_RC4_128_SHA",
  "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
];

const HASH = /^[a-f0-9]{64}$/;

/** A list of words that are known. */
function words(known: readonly string[], what: string, empty: string): () => CustomReader {
  return () =>
    (value, { report }) => {
      const { content } = value;
      if (content.kind !== "array") return report.error(value, wrongType(content, "array"));
      if (content.value.length === 0) {
        return report.error(value, `error parsing tls config, '${empty}' cannot be empty`);
      }
      const read: string[] = [];
      for (const each of content.value) {
        if (each.content.kind !== "string") return report.error(each, wrongType(each.content, "string"));
        if (!known.includes(each.content.value)) {
          return report.error(each, `unrecognized ${what} ${each.content.value}`);
        }
        read.push(each.content.value);
      }
      return read;
    };
}

export const cipherSuites = words([...ALL_CIPHER_SUITES, ...GONE_SUITES], "cipher", "cipher_suites");
export const curves = words(CURVES, "curve preference", "curve_preferences");

export const handshakeFirst =
  (): CustomReader =>
  (value, { report, key }) => {
    const { content } = value;
    if (content.kind === "bool") return content.value;
    if (content.kind !== "string") {
      const type = typeOf(content);
      return report.error(value, `field ${quoted(key)} should be a boolean or a string, got ${type}`);
    }
    const word = content.value.toLowerCase();
    if (word === "true" || word === "on") return true;
    if (word === "false" || word === "off") return false;
    if (word === "auto" || word === "auto_fallback") return "auto";
    try {
      const ms = Math.ceil(parseDuration(content.value));
      return ms > 0 ? ms : true;
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      return report.error(value, `field ${quoted(key)}'s value ${quoted(content.value)} is invalid`);
    }
  };

export const minVersion =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    const version = String(content.value);
    if (content.kind !== "string") {
      return report.error(value, `error parsing tls config: 'min_version' wrong type: ${version}`);
    }
    if (version === "1.2" || version === "1.3") return version;
    const reason =
      version === "1.0" || version === "1.1"
        ? `unsupported TLS version: TLS ${version}`
        : `unknown version: ${version}`;
    return report.error(value, `error parsing tls config: ${reason}`);
  };

export const pinnedCerts =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    const what = "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo";
    if (content.kind !== "array") {
      return report.error(value, `error parsing tls config, expected 'pinned_certs' to be a list of ${what}`);
    }
    const read: string[] = [];
    for (const each of content.value) {
      if (each.content.kind !== "string") return report.error(each, wrongType(each.content, "string"));
      const hash = each.content.value.toLowerCase();
      if (!HASH.test(hash)) {
        return report.error(
          each,
          `error parsing tls config, 'pinned_certs' key ${hash} does not look like ${what}`,
        );
      }
      read.push(hash);
    }
    return read.length === 0 ? undefined : read;
  };

export const certificates =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    // Of the list itself nats-server tells the type of the block around it.
    const unsupported = (place: ConfigValue): undefined =>
      report.error(
        place,
        `error parsing certificates config: unsupported type ${place === value ? "map[string]interface {}" : typeOf(place.content)}`,
      );
    if (content.kind !== "array") return unsupported(value);
    const pairs: { certFile: string; keyFile: string }[] = [];
    for (const each of content.value) {
      if (each.content.kind !== "map") return unsupported(each);
      const files: Record<string, string> = {};
      for (const [key, file] of each.content.value) {
        if (file.content.kind !== "string") return unsupported(file);
        if (key !== "cert_file" && key !== "key_file") {
          return report.error(file, `error parsing tls certs config, unknown field ${quoted(key)}`);
        }
        files[key] = file.content.value;
      }
      if (!files.cert_file || !files.key_file) {
        const last = [...each.content.value.values()].pop() ?? each;
        return report.error(
          last,
          "error parsing certificates config: both 'cert_file' and 'cert_key' options are required",
        );
      }
      pairs.push({ certFile: files.cert_file, keyFile: files.key_file });
    }
    return pairs;
  };

/** Whether client certificates would be looked up. */
export const ocspPeer =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    if (content.kind === "bool") return content.value;
    if (content.kind !== "map") {
      const type = typeOf(content);
      return report.error(value, `error parsing ocsp peer config: unsupported type ${type}`);
    }
    for (const [key, each] of content.value) {
      if (key.toLowerCase() === "verify" && each.content.kind === "bool") return each.content.value;
    }
    return false;
  };

/** Checks what must hold among the keys of a `tls` block. */
export function finishTls(record: BlockRecord, place: ConfigValue, report: Report): void {
  const {
    certFile,
    keyFile,
    certs,
    cipherSuites: suites,
    allowInsecureCipherSuites: allowed,
  } = record as TlsOptions;
  if (certs !== undefined && certFile) {
    report.error(place, "error parsing tls config, cannot combine 'cert_file' option with 'certs' option");
  } else if (certFile && !keyFile) report.error(place, "missing 'key_file' in TLS configuration");
  else if (keyFile && !certFile) report.error(place, "missing 'cert_file' in TLS configuration");
  const given: readonly string[] = suites ?? [];
  const insecure = given.filter((name) => !(CIPHER_SUITES as readonly string[]).includes(name));
  const gone = given.filter((name) => GONE_SUITES.includes(name));
  if (insecure.length > 0 && !allowed) {
    const text = "insecure cipher suites configured without 'allow_insecure_cipher_suites' option set";
    report.error(place, `${text}: ${insecure.join(", ")}`);
  } else if (gone.length > 0) {
    const names = gone.join(", ");
    report.refuse(place, `cipher_suites: ${names} cannot be served, as OpenSSL does not have them any more`);
  }
}
