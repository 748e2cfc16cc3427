import type { TlsConfig } from "../../seams/tls.ts";
import { invalid, listOf, objectOf, textOf, textsOf, wholeNumberOf } from "./check.ts";
import { resolveBlock } from "./resolve-block.ts";
import { ALL_CIPHER_SUITES, CIPHER_SUITES, CURVES } from "./tls-names.ts";
import type { TlsOptions } from "./types.ts";

/** How long (ms) a handshake may take unless the options say (nats-server `TLS_TIMEOUT`). */
const TIMEOUT_MS = 2_000;
/** How long (ms) "auto" waits for the client to begin (nats-server `DEFAULT_TLS_HANDSHAKE_FIRST_FALLBACK_DELAY`). */
const AUTO_MS = 50;

/** {@link TlsOptions}, checked and with the defaults in place. */
export interface ResolvedTls {
  /** What its runtime needs for handshakes. */
  readonly config: TlsConfig;
  /** How long a handshake may take, in ms. */
  readonly timeout: number;
  /** False: INFO first. True: the handshake first. A number: INFO first for clients that say nothing for so long (ms). */
  readonly handshakeFirst: boolean | number;
  /** SHA-256 of public keys, in hex; undefined to let all in. */
  readonly pinnedCerts: ReadonlySet<string> | undefined;
  /** New connections a second; 0 for no limit. */
  readonly connectionRateLimit: number;
}

/**
 * Checks the TLS options of a listener. @param path - where they are, such as "tls" or "websocket.tls".
 * @throws ServerError `INVALID_OPTION`.
 */
export function resolveTls(options: TlsOptions, path: string): ResolvedTls {
  const block = resolveBlock("tls", options, path, {}) as TlsOptions;
  const at = (name: string): string => `${path}.${name}`;
  const suites = block.allowInsecureCipherSuites === true ? ALL_CIPHER_SUITES : CIPHER_SUITES;
  return {
    config: {
      certs: certificates(block, at),
      caFile: block.caFile,
      verify: block.verify ?? false,
      cipherSuites: namesOf(block.cipherSuites, at("cipherSuites"), suites),
      curvePreferences: namesOf(block.curvePreferences, at("curvePreferences"), CURVES),
      minVersion: oneOf(block.minVersion ?? "1.2", at("minVersion"), ["1.2", "1.3"]),
    },
    timeout: block.timeout || TIMEOUT_MS,
    handshakeFirst: handshakeFirst(block.handshakeFirst ?? false, at("handshakeFirst")),
    pinnedCerts: block.pinnedCerts && pinnedCerts(block.pinnedCerts, at("pinnedCerts")),
    connectionRateLimit: block.connectionRateLimit ?? 0,
  };
}

function certificates(options: TlsOptions, at: (name: string) => string): TlsConfig["certs"] {
  const { certs, certFile, keyFile } = options;
  if (certs === undefined) {
    if (certFile === undefined) throw invalid(at("certFile"), "must name a file (or certs several)");
    if (keyFile === undefined) throw invalid(at("keyFile"), "must name the file of the key to certFile");
    return [{ certFile, keyFile }];
  }
  if (certFile !== undefined || keyFile !== undefined) {
    throw invalid(at("certs"), "must not be given together with certFile or keyFile");
  }
  if (listOf(certs, at("certs"), "certificates").length === 0) {
    throw invalid(at("certs"), "must have at least one certificate");
  }
  return certs.map((pair, i) => {
    const path = at(`certs[${i}]`);
    objectOf(pair, path);
    return {
      certFile: textOf(pair.certFile, `${path}.certFile`, "must name a file"),
      keyFile: textOf(pair.keyFile, `${path}.keyFile`, "must name a file"),
    };
  });
}

function handshakeFirst(given: boolean | "auto" | number, path: string): boolean | number {
  if (given === "auto") return AUTO_MS;
  if (typeof given === "number") return wholeNumberOf(given, path, 1, 2 ** 31 - 1);
  if (typeof given === "boolean") return given;
  throw invalid(path, 'must be true, false, "auto" or a time in ms', given);
}

function pinnedCerts(given: readonly string[], path: string): ReadonlySet<string> {
  const hashes = textsOf(given, path).map((hash) => hash.toLowerCase());
  const wrong = hashes.find((hash) => !/^[0-9a-f]{64}$/.test(hash));
  if (wrong !== undefined) throw invalid(path, "must be SHA-256 hashes, each 64 hexadecimal digits", wrong);
  return new Set(hashes);
}

/** The names, when all are known and there is one at least. */
function namesOf(
  given: readonly string[] | undefined,
  path: string,
  known: readonly string[],
): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const names = textsOf(given, path);
  if (names.length === 0) throw invalid(path, "must have at least one name");
  return names.map((name, i) => oneOf(name, `${path}[${i}]`, known));
}

function oneOf<T extends string>(given: string, path: string, known: readonly T[]): T {
  const found = known.find((name) => name === given);
  if (found === undefined) throw invalid(path, `must be one of ${known.join(", ")}`, given);
  return found;
}
