import { createHash, X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { PeerCertificate, TlsFacts } from "../../seams/tls.ts";

/** The parts of a subject in the order that Go writes them. */
const SUBJECT_ORDER = ["SERIALNUMBER", "CN", "POSTALCODE", "STREET", "ST", "L", "OU", "O", "C"];

/** Names of those parts where Node has others. */
const SUBJECT_NAMES: Readonly<Record<string, string>> = {
  serialNumber: "SERIALNUMBER",
  postalCode: "POSTALCODE",
  street: "STREET",
};

/** What the handshake of a socket has settled. */
export function tlsFacts(socket: TLSSocket): TlsFacts {
  return {
    version: (socket.getProtocol() ?? "").replace("TLSv", ""),
    cipherSuite: (socket.getCipher() as { standardName?: string } | undefined)?.standardName ?? "",
    peerCertificates: peerCertificates(socket),
  };
}

function peerCertificates(socket: TLSSocket): PeerCertificate[] {
  const found: PeerCertificate[] = [];
  const seen = new Set<string>();
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // The last one of a chain is its own issuer.
  while (at?.raw !== undefined && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    const certificate = readCertificate(at.raw);
    // What the client shows is its own affair: one that cannot be read tells nothing, and pins nothing.
    if (certificate === undefined) break;
    found.push(certificate);
    at = at.issuerCertificate;
  }
  return found;
}

function readCertificate(raw: Uint8Array): PeerCertificate | undefined {
  try {
    const certificate = new X509Certificate(raw);
    return {
      subject: goSubject(certificate.subject ?? ""),
      spkiSha256: sha256(certificate.publicKey.export({ type: "spki", format: "der" })),
      certSha256: sha256(raw),
    };
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A subject as Go writes it (`pkix.Name.String`), from Node's lines of `name=value`, in which what must be is escaped already. */
export function goSubject(subject: string): string {
  const parts = new Map<string, string[]>();
  for (const part of subject.split(/\n| \+ /)) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    const name = SUBJECT_NAMES[part.slice(0, at)] ?? part.slice(0, at);
    parts.set(name, [...(parts.get(name) ?? []), part.slice(at + 1)]);
  }
  const others = [...parts.keys()].filter((name) => !SUBJECT_ORDER.includes(name));
  return [...SUBJECT_ORDER, ...others]
    .flatMap((name) => {
      const values = parts.get(name);
      return values === undefined ? [] : [values.map((value) => `${name}=${value}`).join("+")];
    })
    .join(",");
}
