import type { TlsFailure } from "../../seams/tls.ts";

/** What OpenSSL calls a failure, and what nats-server does. */
const MESSAGES: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "tls: client didn't provide a certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls: client offered only unsupported versions",
  ERR_SSL_NO_SHARED_CIPHER: "tls: no cipher suite supported by both client and server",
  ERR_SSL_NO_SUITABLE_KEY_SHARE: "tls: no key exchanges supported by both client and server",
  ECONNRESET: "EOF",
};

/** Failures of who speaks something else than TLS. */
const NOT_TLS = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_HTTPS_PROXY_REQUEST",
  "ERR_SSL_UNKNOWN_PROTOCOL",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_BAD_RECORD_TYPE",
]);

/** What Node says of a client's certificate, and what Go does. */
const CERTIFICATE_ERRORS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "x509: certificate has expired or is not yet valid",
  INVALID_PURPOSE: "x509: certificate specifies an incompatible key usage",
};

/** The end of the connection before the end of the handshake. */
export const ENDED: TlsFailure = { message: "EOF", probe: false };

/** What an error of Node's TLS is, in nats-server's words. */
export function tlsFailure(error: Error): TlsFailure {
  const code = (error as { code?: string }).code ?? "";
  if (NOT_TLS.has(code))
    return { message: "tls: first record does not look like a TLS handshake", probe: true };
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_(.+)$/.exec(code);
  if (alert !== null) {
    return { message: `remote error: tls: ${alert[1].toLowerCase().replaceAll("_", " ")}`, probe: false };
  }
  return {
    message: MESSAGES[code] ?? `tls: ${(error as { reason?: string }).reason ?? error.message}`,
    probe: false,
  };
}

/** A client's certificate is not to be trusted. @param shown - what it is, "CN=... SHA-256: ..." each. */
export function certificateFailure(code: string, shown: readonly string[]): TlsFailure {
  const why = CERTIFICATE_ERRORS[code] ?? "x509: certificate signed by unknown authority";
  const details = shown.length === 0 ? "" : ` (${shown.join("; ")})`;
  return { message: `tls: failed to verify certificate: ${why}${details}`, probe: false };
}
