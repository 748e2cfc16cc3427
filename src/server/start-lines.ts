import { quote } from "../protocol/faults.ts";
import type { Logger } from "../seams/logger.ts";
import { NATS_VERSION } from "../seams/version.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";

/** Above this many bytes the server warns of what it was told to take. */
const LARGE_PAYLOAD_BYTES = 8 * 1024 * 1024;

/** The configuration file that a server was started by. */
export interface ConfigFacts {
  readonly path: string;
  /** `sha256:<hex>`, as nats-server shows it. */
  readonly digest: string;
  /** What is to be said of it: warnings, and what is not served. */
  readonly remarks: readonly string[];
  /** When it was read, in ms since the epoch. */
  readonly loadedAt: number;
}

/** What the first lines tell of a server. */
export interface StartFacts {
  /** The version of this library, and what it runs on. */
  readonly version: string;
  readonly platform: string;
  readonly name: string;
  readonly id: string;
  /** Whether passwords are in the options as they are. */
  readonly plaintext: boolean;
  readonly options: ResolvedServerOptions;
  /** Undefined when there is none. */
  readonly config: ConfigFacts | undefined;
}

/** The first lines of a log. They are nats-server's (server.go `Start`): tools look for them. */
export function logStart(log: Logger, facts: StartFacts): void {
  const { systemAccount, maxPayload } = facts.options;
  log.notice("Starting nats-server");
  log.notice(`  Version:  ${NATS_VERSION}`);
  log.notice(`  Gnatlet:  ${facts.version}`);
  log.debug(`  Runtime:  ${facts.platform}`);
  log.notice(`  Name:     ${facts.name}`);
  log.notice(`  ID:       ${facts.id}`);
  if (facts.plaintext) log.warn("Plaintext passwords detected, use nkeys or bcrypt");
  const { config } = facts;
  if (config !== undefined) {
    log.notice(`Using configuration file: ${config.path} (${config.digest})`);
    for (const remark of config.remarks) log.warn(remark);
  }
  if (maxPayload > LARGE_PAYLOAD_BYTES) {
    log.warn("Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance");
  }
  if (systemAccount !== undefined) log.debug(`Created system account: ${quote(systemAccount)}`);
}

/** What follows the line of the listener for clients, when it has TLS. */
export function logTls(log: Logger, { tls, allowNonTls }: ResolvedServerOptions): void {
  if (tls === undefined) return;
  const handshakeOnly = tls.handshakeFirst === true;
  log.notice(`TLS ${allowNonTls && !handshakeOnly ? "available" : "required"} for client connections`);
  if (handshakeOnly) log.warn('Clients that are not using "TLS Handshake First" option will fail to connect');
}
