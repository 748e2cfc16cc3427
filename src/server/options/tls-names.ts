/**
 * The cipher suites that `cipherSuites` may name, as nats-server names them (Go's `tls.CipherSuites()`), the best first. Those of TLS 1.3 are
 * always on there; naming them is allowed and changes nothing.
 */
export const CIPHER_SUITES = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
] as const;

/** Those that it may name besides with `allowInsecureCipherSuites`: of Go's insecure ones, those that OpenSSL still has. */
const INSECURE_CIPHER_SUITES = [
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
  "TLS_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_RSA_WITH_AES_128_CBC_SHA256",
  "TLS_RSA_WITH_AES_128_CBC_SHA",
  "TLS_RSA_WITH_AES_256_CBC_SHA",
] as const;

/** All that there are, the best first. */
export const ALL_CIPHER_SUITES = [...CIPHER_SUITES, ...INSECURE_CIPHER_SUITES] as const;

/** One of {@link ALL_CIPHER_SUITES}. */
export type CipherSuite = (typeof ALL_CIPHER_SUITES)[number];

/** The curves that `curvePreferences` may name, as nats-server names them. */
export const CURVES = [
  "X25519MLKEM768",
  "SecP256r1MLKEM768",
  "SecP384r1MLKEM1024",
  "X25519",
  "CurveP256",
  "CurveP384",
  "CurveP521",
] as const;

/** One of {@link CURVES}. */
export type Curve = (typeof CURVES)[number];
