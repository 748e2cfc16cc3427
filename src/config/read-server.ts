import { BLOCKS } from "../server/options/table/blocks.ts";
import type {
  AccountOptions,
  AuthorizationOptions,
  JetStreamOptions,
  ListenOptions,
  ServerOptions,
  TlsOptions,
  UserOptions,
  WebsocketOptions,
} from "../server/options/types.ts";
import type { ConfigMap, ConfigValue } from "./language/tree.ts";
import { accountNkey, accounts, mappings, msgTrace } from "./read-accounts.ts";
import { BlockReader, type BlockRecord, type CustomReaders, type Finishers, placeIn } from "./read-block.ts";
import { exports, imports } from "./read-exports.ts";
import type { FileListen } from "./read-listen.ts";
import * as others from "./read-others.ts";
import { permissionSubjects, publishPermission, responses, subscribePermission } from "./read-permissions.ts";
import * as tls from "./read-tls.ts";
import { authTimeout, users } from "./read-users.ts";
import { quoted, type Report } from "./report.ts";

const CUSTOMS: CustomReaders = {
  accountJetstream: others.accountJetstream,
  accounts,
  authTimeout,
  certificates: tls.certificates,
  cipherSuites: tls.cipherSuites,
  compression: others.compression,
  curves: tls.curves,
  exports,
  featureFlags: others.featureFlags,
  handshakeFirst: tls.handshakeFirst,
  imports,
  jetstream: others.jetstream,
  mappings,
  migrate: others.migrate,
  minVersion: tls.minVersion,
  msgTrace,
  nkey: accountNkey,
  ocsp: others.ocsp,
  ocspPeer: tls.ocspPeer,
  operators: others.operators,
  permissionSubjects,
  pinnedCerts: tls.pinnedCerts,
  preload: others.preload,
  publishPermission,
  remotes: others.remotes,
  resolver: others.resolver,
  responses,
  storageSize: others.storageSize,
  subscribePermission,
  sync: others.sync,
  systemAccount: others.systemAccount,
  url: others.url,
  urls: others.urls,
  users,
};

const FINISHERS: Finishers = { ...others.UNSERVED_FINISHERS, tls: tls.finishTls };

/** What a file listens on where it does not say (nats-server `DEFAULT_HOST`, `DEFAULT_PORT`). */
const DEFAULT_HOST = "0.0.0.0";
const DEFAULT_PORT = 4222;

/** The keys that say where clients, or monitoring, are listened for, apart from the block of the name itself. */
interface ListenKeys {
  readonly listen?: FileListen;
  readonly host?: string;
  readonly port?: number;
}

/** Reads the tree of a configuration file into options. What is wrong goes to `report`. */
export function readServer(map: ConfigMap, report: Report): ServerOptions {
  const record = new BlockReader(report, CUSTOMS, FINISHERS).map("server", map);
  checkServer(record, map, report);
  const options: Record<string, unknown> = {};
  for (const { option } of BLOCKS.server) {
    if (option !== undefined && !option.includes(".") && record[option] !== undefined) {
      options[option] = record[option];
    }
  }
  for (const name of ["serverName", "clientAdvertise", "noAuthUser", "logFile", "pidFile", "portsFileDir"]) {
    if (options[name] === "") delete options[name];
  }
  const listen = listenOf({
    listen: record.listen as FileListen | undefined,
    host: record["listen.host"] as string | undefined,
    port: record["listen.port"] as number | undefined,
  });
  // In a file port 0 is no port at all, and so the default.
  options.listen =
    listen === undefined || listen.port === undefined ? { ...listen, port: DEFAULT_PORT } : listen;
  options.listen = { host: DEFAULT_HOST, ...(options.listen as ListenOptions) };
  for (const name of ["http", "https"]) {
    const where = listenOf({
      listen: record[name] as FileListen | undefined,
      port: record[`${name}.port`] as number | undefined,
    });
    if (where?.port === undefined) delete options[name];
    else options[name] = where;
  }
  // Tracing all, or headers, is tracing.
  const trace = record.traceVerbose ?? record.traceHeaders;
  if (trace !== undefined && (record.trace === undefined || trace === true)) options.trace = trace;
  options.jetstream = jetstreamOf(record);
  options.authorization = authorizationOf(record.authorization as AuthorizationOptions | undefined);
  options.websocket = websocketOf(record.websocket as BlockRecord | undefined);
  for (const name of ["authorization", "jetstream", "websocket"])
    if (options[name] === undefined) delete options[name];
  return options as ServerOptions;
}

/** JetStream, if it is on: its folder may be named at the top of the file. */
function jetstreamOf({
  jetstream,
  store_dir: storeDir,
}: BlockRecord): boolean | JetStreamOptions | undefined {
  if (jetstream === undefined || jetstream === false) return undefined;
  const given = jetstream === true ? {} : (jetstream as JetStreamOptions);
  const options = storeDir ? { storeDir: storeDir as string, ...given } : given;
  return Object.keys(options).length === 0 ? true : options;
}

/** Where to listen; no port when it is 0, as nats-server's 0 is none. */
function listenOf({ listen, host, port }: ListenKeys): ListenOptions | undefined {
  const found: ListenOptions = {};
  const name = host || listen?.host;
  if (name) found.host = name;
  const number = port ?? listen?.port ?? 0;
  if (number !== 0) found.port = number === -1 ? 0 : number;
  return found.host === undefined && found.port === undefined ? undefined : found;
}

/** Without what is empty, which in a file is the same as nothing. */
function authorizationOf(given: AuthorizationOptions | undefined): AuthorizationOptions | undefined {
  return given && withoutEmpty(given, ["user", "password", "token"]);
}

function withoutEmpty<Block extends object>(given: Block, names: readonly (keyof Block)[]): Block {
  const block = { ...given };
  for (const name of names) if (block[name] === "") delete block[name];
  return block;
}

function websocketOf(record: BlockRecord | undefined): WebsocketOptions | undefined {
  if (record === undefined) return undefined;
  const { "listen.both": listen, host, port, ...rest } = record as BlockRecord & ListenKeys;
  const where = listenOf({ listen: listen as FileListen | undefined, host, port });
  // A listener without a port is none.
  if (where?.port === undefined) return undefined;
  const options: WebsocketOptions = { host: DEFAULT_HOST, ...where, ...rest };
  if (options.authorization !== undefined) {
    options.authorization = withoutEmpty(options.authorization, ["user", "password", "token"]);
  }
  return withoutEmpty(options, [
    "advertise",
    "noAuthUser",
    "jwtCookie",
    "userCookie",
    "passCookie",
    "tokenCookie",
  ]);
}

/** Checks what must hold among the keys of a file, in nats-server's words. */
function checkServer(record: BlockRecord, map: ConfigMap, report: Report): void {
  const place = (option: string): ConfigValue | undefined => placeOf(map, option);
  if (String(record.serverName ?? "").includes(" ")) {
    report.error(place("serverName"), "server name cannot contain spaces");
  }
  const jetstream = record.jetstream as JetStreamOptions | boolean | undefined;
  if (record.store_dir && typeof jetstream === "object" && jetstream.storeDir) {
    const block = placeOf(map, "jetstream")!;
    report.error(placeIn(block, "store", "store_dir", "storedir"), "Duplicate 'store_dir' configuration");
  }
  checkCertificate(record.tls as TlsOptions | undefined, place("tls"), report);
  const websocket = record.websocket as WebsocketOptions | undefined;
  checkCertificate(websocket?.tls, place("websocket"), report);
  checkUsers(record, map, report);
}

function checkCertificate(
  given: TlsOptions | undefined,
  place: ConfigValue | undefined,
  report: Report,
): void {
  if (given === undefined || given.certFile || given.keyFile || given.certs !== undefined) return;
  report.refuse(place, "tls: needs cert_file and key_file, as no client could connect without them");
}

function checkUsers(record: BlockRecord, map: ConfigMap, report: Report): void {
  const { user, password, token, users: own } = (record.authorization ?? {}) as AuthorizationOptions;
  const inAccounts = Object.values((record.accounts ?? {}) as Record<string, AccountOptions>);
  const all = [own ?? [], ...inAccounts.map((account) => account.users ?? [])].flat();
  const place = placeOf(map, "authorization");
  const withUsers = own !== undefined || all.length > 0;
  if ((user || password) && token) report.error(place, "Cannot have a user/pass and token");
  else if (withUsers && user) report.error(place, "Can not have a single user/pass and a users array");
  else if (withUsers && token) report.error(place, "Can not have a token and a users array");
  const twice = duplicate(all);
  if (twice !== undefined) {
    const where = own?.some((each) => each.user === twice) ? place : placeOf(map, "accounts");
    report.error(where, `Duplicate user ${quoted(twice)} detected`);
  }
  if (report.nkeyUser !== undefined && all.length === 0 && !user && !token) {
    report.refuse(
      report.nkeyUser,
      "users: there are none but those with an nkey, who are not served yet: without them anybody could connect",
    );
  }
}

function duplicate(list: readonly UserOptions[]): string | undefined {
  const seen = new Set<string>();
  for (const { user } of list) {
    if (seen.has(user)) return user;
    seen.add(user);
  }
  return undefined;
}

/** Where the key of an option stands at the top of a file. */
function placeOf(map: ConfigMap, option: string): ConfigValue | undefined {
  const row = BLOCKS.server.find((each) => each.option === option || each.keys[0] === option);
  for (const [key, value] of map) if (row?.keys.includes(key.toLowerCase())) return value;
  return undefined;
}
