import { constants, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { type TlsConfig, TlsFileError } from "../../seams/tls.ts";
import {
  ALL_CIPHER_SUITES,
  CIPHER_SUITES,
  type CipherSuite,
  CURVES,
  type Curve,
} from "../../server/options/tls-names.ts";
import { systemErrorText } from "./system-error.ts";

/** What OpenSSL calls the cipher suites. */
const OPENSSL_CIPHERS: Readonly<Record<CipherSuite, string>> = {
  TLS_AES_128_GCM_SHA256: "TLS_AES_128_GCM_SHA256",
  TLS_AES_256_GCM_SHA384: "TLS_AES_256_GCM_SHA384",
  TLS_CHACHA20_POLY1305_SHA256: "TLS_CHACHA20_POLY1305_SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: "ECDHE-ECDSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: "ECDHE-RSA-AES128-SHA256",
  TLS_RSA_WITH_AES_128_GCM_SHA256: "AES128-GCM-SHA256",
  TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
  TLS_RSA_WITH_AES_128_CBC_SHA256: "AES128-SHA256",
  TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA",
  TLS_RSA_WITH_AES_256_CBC_SHA: "AES256-SHA",
};

/** What OpenSSL calls the curves. */
const OPENSSL_CURVES: Readonly<Record<Curve, string>> = {
  X25519MLKEM768: "X25519MLKEM768",
  SecP256r1MLKEM768: "SecP256r1MLKEM768",
  SecP384r1MLKEM1024: "SecP384r1MLKEM1024",
  X25519: "X25519",
  CurveP256: "P-256",
  CurveP384: "P-384",
  CurveP521: "P-521",
};

/** The first OpenSSL that has the curves with ML-KEM. */
const MLKEM_SINCE = [3, 5];

/** The suites of TLS 1.3, which are always on. */
const ALWAYS: readonly CipherSuite[] = CIPHER_SUITES.slice(0, 3);

/** A certificate of a listener, with what is made of it. */
export interface ListenerCertificate {
  /** PEM. */
  readonly cert: Buffer;
  readonly context: SecureContext;
}

/**
 * Reads the files, and makes a context for each certificate. What Node's TLS is to do besides is in {@link socketOptions}.
 * @throws Error that says which file is wrong.
 */
export function readCertificates(config: TlsConfig): ListenerCertificate[] {
  const authorities = config.caFile === undefined ? undefined : readAuthorities(config.caFile);
  const common: SecureContextOptions = {
    // Where no client shows a certificate, nothing is to be known of the CAs: OpenSSL would only send them along with its own.
    ca: config.verify ? authorities : undefined,
    ciphers: cipherList(config.cipherSuites),
    honorCipherOrder: true,
    ecdhCurve: curveList(config.curvePreferences),
    minVersion: config.minVersion === "1.3" ? "TLSv1.3" : "TLSv1.2",
    // Sessions that are resumed keep what their client has shown only within one server.
    sessionIdContext: "gnatlet",
    // A session that is resumed does not look at the client's certificate again, which may have expired meanwhile; Go looks at that.
    secureOptions: config.verify ? constants.SSL_OP_NO_TICKET : undefined,
  };
  return config.certs.map(({ certFile, keyFile }) => {
    const cert = readPem(certFile, "certificate", PAIR_ERROR);
    const key = readPem(keyFile, "key", PAIR_ERROR);
    try {
      return { cert, context: createSecureContext({ ...common, cert, key }) };
    } catch (cause) {
      throw new TlsFileError(
        `error parsing X509 certificate/key pair ${certFile}, ${keyFile}: ${reason(cause)}`,
        PAIR_ERROR + pairProblem(cert, key, reason(cause)),
        cause,
      );
    }
  });
}

/** What nats-server says before what is wrong with a certificate or its key. */
const PAIR_ERROR = "error parsing X509 certificate/key pair: ";
const PEM_BEGINS = "-----BEGIN ";

/** What Go says of a certificate and a key that do not go together; where it has other words, `why`. */
function pairProblem(cert: Buffer, key: Buffer, why: string): string {
  if (!cert.includes(PEM_BEGINS)) return "tls: failed to find any PEM data in certificate input";
  if (!key.includes(PEM_BEGINS)) return "tls: failed to find any PEM data in key input";
  return why === "key values mismatch" ? "tls: private key does not match public key" : `tls: ${why}`;
}

/** Node's words without OpenSSL's numbers. */
function reason(error: unknown): string {
  return (error as { reason?: string }).reason ?? (error as Error).message;
}

/** @param before - what nats-server says before what is wrong with the file. */
function readPem(file: string, what: string, before: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `cannot read ${what} file ${file}: ${(cause as Error).message}`;
    throw new TlsFileError(message, `${before}${systemErrorText(cause)}`, cause);
  }
}

/** Node takes any text for CAs, and then knows none. As in Go, one certificate that can be read is enough. */
function readAuthorities(file: string): Buffer {
  const pem = readPem(file, "CA certificates", "");
  const blocks = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  const text = "failed to parse root ca certificate";
  if (!(blocks ?? []).some(isCertificate)) throw new TlsFileError(`${text} in ${file}`, text);
  return pem;
}

function isCertificate(block: string): boolean {
  try {
    new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}

/** OpenSSL's list: whatever order the names have, the best comes first, as Go does it. */
function cipherList(names: readonly string[] | undefined): string {
  const wanted =
    names === undefined
      ? CIPHER_SUITES
      : ALL_CIPHER_SUITES.filter((name) => names.includes(name) || ALWAYS.includes(name));
  return wanted.map((name) => OPENSSL_CIPHERS[name]).join(":");
}

function curveList(names: readonly string[] | undefined): string | undefined {
  if (names === undefined) return undefined;
  const known = names.filter(
    (name): name is Curve => CURVES.includes(name as Curve) && (hasMlkem() || !name.includes("MLKEM")),
  );
  if (known.length === 0)
    throw new Error(`none of the curves ${names.join(", ")} is in OpenSSL ${process.versions.openssl}`);
  return known.map((name) => OPENSSL_CURVES[name]).join(":");
}

function hasMlkem(): boolean {
  const [major, minor] = process.versions.openssl.split(".").map(Number);
  return major > MLKEM_SINCE[0] || (major === MLKEM_SINCE[0] && minor >= MLKEM_SINCE[1]);
}
