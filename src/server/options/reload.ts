import { showDuration } from "../../protocol/durations.ts";
import { cipherTitle } from "../../seams/ciphers.ts";
import { ServerError } from "../errors.ts";
import { type ResolvedServerOptions, resolveOptions } from "./resolve.ts";
import type { OptionRow } from "./table/row.ts";
import { SERVER } from "./table/server.ts";
import type { JetStreamOptions, ListenOptions, ServerOptions } from "./types.ts";

/**
 * The options with the defaults in place.
 * @throws ServerError `RELOAD_FAILED` for what is wrong with them.
 */
export function reloadedOptions(given: ServerOptions): ResolvedServerOptions {
  try {
    return resolveOptions(given);
  } catch (cause) {
    throw new ServerError("RELOAD_FAILED", (cause as Error).message, { cause });
  }
}

/**
 * Finds the options that a reload changes (behaviour.md E.4). TLS counts as changed wherever there is any, as its files may have.
 * @param before - the options in use; its ports may be those that are listened on where they were 0.
 * @throws ServerError `RELOAD_FAILED` with nats-server's text, for the first one that a reload cannot change.
 */
export function changedOptions(
  before: ResolvedServerOptions,
  after: ResolvedServerOptions,
): (keyof ServerOptions)[] {
  const changed: (keyof ServerOptions)[] = [];
  for (const row of SERVER) {
    const { option } = row;
    // Programs give the logger, and it stays; nats-server keeps `disableShortFirstPing` too.
    if (option === undefined || option.includes(".") || row.keys.length === 0) continue;
    const name = option as keyof ServerOptions;
    if (hasChanged(row, before, after)) changed.push(name);
  }
  return changed;
}

function hasChanged(row: OptionRow, before: ResolvedServerOptions, after: ResolvedServerOptions): boolean {
  const name = row.option as keyof ServerOptions;
  switch (name) {
    case "listen":
      checkListen(before.listen, after.listen, "Host", "Port");
      return false;
    case "http":
      checkListen(before.http, after.http, "HTTPHost", "HTTPPort");
      return false;
    case "https":
      checkListen(before.https, after.https, "HTTPHost", "HTTPSPort");
      return false;
    case "tls":
      return before.tls !== undefined || after.tls !== undefined;
    case "websocket":
      return hasChangedWebsocket(before, after);
    case "jetstream":
      return hasChangedJetStream(before.jetstream, after.jetstream);
    case "noAuthUser":
      return hasChangedNoAuthUser(before, after);
    default: {
      const [old, now] = [(before as ServerOptions)[name], (after as ServerOptions)[name]];
      if (isSame(old, now)) return false;
      if (!row.reload) throw unsupported(row.field ?? name, show(row, old), show(row, now));
      return true;
    }
  }
}

/** A port that any free one serves keeps the one it has. */
function checkListen(
  before: Required<ListenOptions> | undefined,
  after: Required<ListenOptions> | undefined,
  hostField: string,
  portField: string,
): void {
  if (before !== undefined && after !== undefined && before.host !== after.host) {
    throw unsupported(hostField, before.host, after.host);
  }
  if (before?.port === after?.port || after?.port === 0) return;
  throw unsupported(portField, String(before?.port ?? 0), String(after?.port ?? 0));
}

/** Of the WebSocket listener only TLS can be changed, and not whether there is any. */
function hasChangedWebsocket(before: ResolvedServerOptions, after: ResolvedServerOptions): boolean {
  const { tls: tlsBefore, ...old } = before.websocket ?? {};
  const { tls: tlsAfter, ...now } = after.websocket ?? {};
  // nats-server prints all of both, secrets too.
  if (!isSame(old, now) || (tlsBefore === undefined) !== (tlsAfter === undefined)) {
    throw unsupported("Websocket", "{...}", "{...}");
  }
  return tlsAfter !== undefined;
}

/** JetStream can begin and end; while it runs only how much it may hold can be changed. */
function hasChangedJetStream(
  before: JetStreamOptions | undefined,
  after: JetStreamOptions | undefined,
): boolean {
  if (before === undefined || after === undefined) return before !== after;
  if (before.storeDir !== after.storeDir)
    throw new ServerError("RELOAD_FAILED", "config reload not supported for jetstream storage directory");
  // nats-server prints the keys.
  if (before.encryptionKey !== after.encryptionKey) throw unsupported("JetStreamKey", "{...}", "{...}");
  if (before.prevEncryptionKey !== after.prevEncryptionKey)
    throw unsupported("JetStreamOldKey", "{...}", "{...}");
  const ciphers = [before, after].map(({ cipher }) => cipherTitle(cipher === "aes" ? cipher : "chacha"));
  if (ciphers[0] !== ciphers[1]) throw unsupported("JetStreamCipher", ciphers[0], ciphers[1]);
  const { maxMemoryStore: _memory, maxFileStore: _file, cipher: _cipher, ...old } = before;
  const { maxMemoryStore, maxFileStore, cipher, ...now } = after;
  if (!isSame(old, now)) throw unsupported("JetStream", "{...}", "{...}");
  return maxMemoryStore !== before.maxMemoryStore || maxFileStore !== before.maxFileStore;
}

/** It may be taken back once there is no such user any more. */
function hasChangedNoAuthUser(before: ResolvedServerOptions, after: ResolvedServerOptions): boolean {
  if (before.noAuthUser === after.noAuthUser) return false;
  const lists = [after.authorization?.users, ...Object.values(after.accounts).map(({ users }) => users)];
  const isLeft = lists.some((list) => list?.some(({ user }) => user === before.noAuthUser));
  if (after.noAuthUser !== undefined || isLeft) {
    throw unsupported("NoAuthUser", before.noAuthUser ?? "", after.noAuthUser ?? "");
  }
  return true;
}

function unsupported(field: string, before: string, after: string): ServerError {
  const text = `config reload not supported for ${field}: old=${before}, new=${after}`;
  return new ServerError("RELOAD_FAILED", text);
}

/** A value as Go shows it. */
function show({ kind }: OptionRow, value: unknown): string {
  if (kind.type === "duration") return showDuration(value as number);
  // nats-server has no name for the default of `write_timeout`.
  if (kind.type === "oneOf" && value === "default") return "";
  return String(value ?? "");
}

/** Whether two options say the same; what is undefined counts as left out. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (one instanceof Set && other instanceof Set) return isSame([...one].sort(), [...other].sort());
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [a, b] = [definedOf(one), definedOf(other)];
  return a.length === b.length && a.every(([key, value]) => isSame(value, (other as never)[key]));
}

function definedOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, each]) => each !== undefined);
}
