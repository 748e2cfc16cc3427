import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A file of test/fixtures/tls/. */
export function tlsFile(name: string): string {
  return join(import.meta.dirname, "..", "fixtures", "tls", name);
}

/** The PEM of one of them. */
export function pem(name: string): string {
  return readFileSync(tlsFile(name), "utf8");
}

/** Server options for the certificate named. */
export function certificate(name: string): { certFile: string; keyFile: string } {
  return { certFile: tlsFile(`${name}.pem`), keyFile: tlsFile(`${name}-key.pem`) };
}

/** What a client shows: the certificate named. */
export function identity(name: string): { cert: string; key: string } {
  return { cert: pem(`${name}.pem`), key: pem(`${name}-key.pem`) };
}

/** The SHA-256 of the public key of client.pem, in hex. */
export const CLIENT_SPKI = "9fce38d7ac4c38bfed9a3e479ec681406f804611a898aaf9a30f9635ed6841c4";
