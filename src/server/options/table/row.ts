/** What a value may be. Sizes are in bytes; durations are in ms as options, and "2m" or seconds in a file. */
export type Kind =
  | { readonly type: "integer"; readonly min: number; readonly max: number }
  | { readonly type: "duration"; readonly min: number; readonly max: number; readonly file: DurationForm }
  | { readonly type: "bool" }
  | { readonly type: "string" }
  /** A text, or a list of texts. */
  | { readonly type: "strings" }
  | { readonly type: "oneOf"; readonly values: readonly string[] }
  /** Texts by name. */
  | { readonly type: "texts" }
  /** An address: "host:port", or a port alone. */
  | { readonly type: "listen"; readonly port: number }
  /** A port, -1 for a free one. */
  | { readonly type: "port" }
  | { readonly type: "block"; readonly block: BlockName }
  | { readonly type: "blocks"; readonly block: BlockName }
  /** Read by a function of its own. */
  | { readonly type: "custom"; readonly form: CustomForm };

/**
 * How a duration may stand in a file: "2m" or, with a warning, a number of seconds; only "2m"; or either without a warning.
 */
export type DurationForm = "warned" | "text" | "either";

export type CustomForm =
  | "authTimeout"
  | "certificates"
  | "cipherSuites"
  | "compression"
  | "curves"
  | "exports"
  | "featureFlags"
  | "handshakeFirst"
  | "imports"
  | "jetstream"
  | "accountJetstream"
  | "accounts"
  | "logger"
  | "mappings"
  | "migrate"
  | "minVersion"
  | "msgTrace"
  | "nkey"
  | "ocsp"
  | "ocspCache"
  | "ocspPeer"
  | "operators"
  | "permissionSubjects"
  | "pinnedCerts"
  | "preload"
  | "publishPermission"
  | "remotes"
  | "resolver"
  | "responses"
  | "storageSize"
  | "subscribePermission"
  | "sync"
  | "systemAccount"
  | "url"
  | "urls"
  | "users"
  | "anything";

export type BlockName =
  | "server"
  | "tls"
  | "authorization"
  | "user"
  | "permissions"
  | "responses"
  | "account"
  | "accountLimits"
  | "websocket"
  | "simpleAuthorization"
  | "authCallout"
  | "proxies"
  | "trustedProxy"
  | "cluster"
  | "clusterAuthorization"
  | "gateway"
  | "gatewayRemote"
  | "leafnodes"
  | "leafAuthorization"
  | "leafUser"
  | "leafRemote"
  | "leafProxy"
  | "mqtt"
  | "jetstream"
  | "jetstreamLimits"
  | "jetstreamBatch"
  | "jetstreamTpm"
  | "accountJetstream";

/**
 * What becomes of a key: "served"; "later": checked, and warned of when it is used, as this server does not do it yet;
 * "refused": checked, and the server does not start with it; "no effect": checked, and there is nothing here that it could change.
 */
export type Service = "served" | "later" | "refused" | "no effect";

/** One option: its keys in a configuration file, its name in {@link import("../types.ts").ServerOptions}, and what it may be. */
export interface OptionRow {
  /** The key, and others that mean the same. None for what only a program can give. */
  readonly keys: readonly string[];
  /** The name as an option, of its block; "listen.port" for a part of one. Undefined when it is none. */
  readonly option: string | undefined;
  readonly kind: Kind;
  readonly fallback: number | boolean | string | undefined;
  /** In a file 0 stands for the default. */
  readonly zeroIsDefault: boolean;
  /** In a file a number below `min` stands for `min`. */
  readonly clamps: boolean;
  readonly service: Service;
  /** Why it is not served and what to do instead, as a sentence. */
  readonly note: string | undefined;
  /** nats-server's name for it, in errors of a reload. */
  readonly field: string | undefined;
  /** Whether a reload may change it. Of a block within a block the outer one decides. */
  readonly reload: boolean;
}

type Details = Partial<Omit<OptionRow, "keys" | "option" | "kind">>;

/** @param keys - "key|alias|alias", or "" for none. */
export function row(keys: string, option: string | undefined, kind: Kind, details: Details = {}): OptionRow {
  return {
    keys: keys === "" ? [] : keys.split("|"),
    option,
    kind,
    fallback: undefined,
    zeroIsDefault: false,
    clamps: false,
    service: "served",
    note: undefined,
    field: undefined,
    reload: false,
    ...details,
  };
}

/** A key that is checked and does nothing here: `service` and `note` say what becomes of it. */
export function unserved(
  keys: string,
  kind: Kind,
  service: Exclude<Service, "served">,
  note?: string,
): OptionRow {
  return row(keys, undefined, kind, { service, note });
}

/** A key of a block that is not served as a whole. */
export function checked(keys: string, kind: Kind): OptionRow {
  return row(keys, undefined, kind, { service: "no effect" });
}

/** The largest value of nats-server's 32-bit fields; also the longest time that timers take, in ms. */
export const MAX_32 = 2 ** 31 - 1;

export const BOOL: Kind = { type: "bool" };
export const STRING: Kind = { type: "string" };
export const STRINGS: Kind = { type: "strings" };
export const PORT: Kind = { type: "port" };

export function integer(min: number, max: number = MAX_32): Kind {
  return { type: "integer", min, max };
}

/** Any whole number that nats-server takes. */
export const NUMBER: Kind = integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

export function duration(file: DurationForm = "warned", min = 1, max: number = MAX_32): Kind {
  return { type: "duration", min, max, file };
}

export function custom(form: CustomForm): Kind {
  return { type: "custom", form };
}

export function block(name: BlockName): Kind {
  return { type: "block", block: name };
}

export function blocks(name: BlockName): Kind {
  return { type: "blocks", block: name };
}
