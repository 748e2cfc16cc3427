/**
 * Writes docs/configuration.md from the table of options and the comments of their types: `npx tsx scripts/config-docs.ts`. A test holds the
 * page to them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { showDuration } from "../src/protocol/durations.ts";
import { BLOCKS } from "../src/server/options/table/blocks.ts";
import type { BlockName, Kind, OptionRow, Service } from "../src/server/options/table/row.ts";

const ROOT = join(import.meta.dirname, "..");
export const PAGE = join(ROOT, "docs/configuration.md");

/** Blocks in the order of the page: what they are called there, where they stand in a file, and the type of their options. */
const SECTIONS: readonly [block: BlockName, title: string, type: string | undefined][] = [
  ["server", "Top level", "ServerOptions"],
  ["tls", "`tls`, of the server and of `websocket`", "TlsOptions"],
  ["authorization", "`authorization`", "AuthorizationOptions"],
  ["user", "`users`, of `authorization` and of accounts", "UserOptions"],
  ["permissions", "`permissions` of users, `default_permissions`", "PermissionsOptions"],
  ["responses", "`allow_responses`", undefined],
  ["account", "`accounts`, each", "AccountOptions"],
  ["accountLimits", "`limits` of accounts", "AccountLimits"],
  ["websocket", "`websocket`", "WebsocketOptions"],
  ["simpleAuthorization", "`authorization` of `websocket` (and of `mqtt`)", undefined],
  ["jetstream", "`jetstream`", "JetStreamOptions"],
  ["jetstreamLimits", "`limits` of `jetstream`", "JetStreamLimits"],
  ["jetstreamBatch", "`batch` of these limits", "JetStreamBatchLimits"],
  ["jetstreamTpm", "`tpm` of `jetstream`", undefined],
  ["accountJetstream", "`jetstream` of accounts", "AccountJetStreamOptions"],
  ["leafnodes", "`leafnodes`", undefined],
  ["leafAuthorization", "`authorization` of `leafnodes`", undefined],
  ["leafUser", "`users` of it", undefined],
  ["leafRemote", "`remotes` of `leafnodes`", undefined],
  ["leafProxy", "`proxy` of these", undefined],
  ["mqtt", "`mqtt`", undefined],
  ["cluster", "`cluster`", undefined],
  ["clusterAuthorization", "`authorization` of `cluster` and `gateway`", undefined],
  ["gateway", "`gateway`", undefined],
  ["gatewayRemote", "`gateways` of it", undefined],
  ["authCallout", "`auth_callout` of `authorization`", undefined],
  ["proxies", "`proxies`", undefined],
  ["trustedProxy", "`trusted` of it", undefined],
];

const SERVICES: Readonly<Record<Service, string>> = {
  served: "yes",
  later: "not yet",
  refused: "refused",
  "no effect": "no effect",
};

/** Forms that the table leaves to functions of their own: what they are called, and their keys with what may stand there. */
const FORMS: readonly [title: string, keys: readonly [keys: string, value: string][]][] = [
  [
    "`publish` and `subscribe` of permissions, as a block: served",
    [
      ["allow", "subjects"],
      ["deny", "subjects"],
    ],
  ],
  [
    "Destinations of `mappings`: served",
    [
      ["destination|dest", "subject"],
      ["weight", 'number, or text such as "20%"'],
      ["cluster", "text"],
    ],
  ],
  [
    "`msg_trace` of accounts, as a block: served",
    [
      ["dest", "subject"],
      ["sampling", 'number from 1 to 100, or text such as "20%"'],
    ],
  ],
  [
    "`exports` of accounts, each: not yet",
    [
      ["stream", "subject"],
      ["service", "subject"],
      ["response|response_type", "`single`, `singleton`, `stream`, `chunk`, `chunked`"],
      ["threshold|response_threshold|response_max_time|response_time", "duration"],
      ["accounts", "list"],
      ["latency", "subject, or { sampling, subject }"],
      ["account_token_position", "number"],
      ["allow_trace", "true/false"],
    ],
  ],
  [
    "`imports` of accounts, each: not yet",
    [
      ["stream", "{ account, subject }"],
      ["service", "{ account, subject }"],
      ["prefix", "subject"],
      ["to", "subject"],
      ["share", "true/false"],
      ["allow_trace", "true/false"],
    ],
  ],
  [
    "`compression` of `leafnodes`, its remotes, and `cluster`, as a block",
    [
      ["mode", "word"],
      ["rtt_thresholds|thresholds|rtts|rtt", "list of durations"],
    ],
  ],
  [
    "`ocsp`, as a block",
    [
      ["mode", "`auto`, `always`, `must`, `never`; not yet, and refused for `always` and `must`"],
      ["url", "URL"],
      ["urls", "list of URLs"],
    ],
  ],
  [
    "`resolver`, as a block: refused",
    [
      ["type", "`MEM`, `MEMORY`, `FULL`, `CACHE`"],
      ["dir", "folder"],
      ["allow_delete", "true/false"],
      ["hard_delete", "true/false"],
      ["limit", "number"],
      ["interval", "duration"],
      ["ttl", "duration"],
      ["timeout", "duration"],
    ],
  ],
];

const INTRO = `# Configuration

<!-- Written by scripts/config-docs.ts from src/server/options/table/ and types.ts: change those. -->

A configuration file of nats-server works as it is: \`gnatlet -c nats.conf\`, or \`NatsServer.fromConfigFile("nats.conf")\` in a program. The same keys
in camelCase are the options of \`NatsServer.start\`; there durations are in milliseconds and sizes in bytes, and it listens only where it is told to, by
default on 127.0.0.1. In a file the server listens on 0.0.0.0:4222 unless it says otherwise.

The language is nats-server's: \`key: value\`, \`key = value\` or \`key { ... }\`; comments with \`#\` and \`//\`; units (\`1MB\`, \`64KiB\`); durations
(\`"2m"\`); \`include 'file'\`; variables (\`$NAME\`) of the file and the environment; or one JSON object as the file. Errors say file, line and position.

In the tables below,

- **served** is "yes"; "not yet": the key is checked, and the server starts and warns that it does not do it; "refused": it is checked, and the server does
  not start, as it would be unsafe without; "no effect": it is checked, and there is nothing here that it could change;
- **reload** says whether the key may change while the server runs. A reload that would change another one changes nothing.

An unknown key is an error.
`;

/** The whole page. */
export function configurationPage(): string {
  const types = readFileSync(join(ROOT, "src/server/options/types.ts"), "utf8");
  const sections = SECTIONS.map(([block, title, type]) => section(block, title, type, types));
  const forms = FORMS.map(([title, keys]) => {
    const lines = keys.map(([names, value]) => [namesOf(names.split("|")), value]);
    return `## ${title}\n\n${tableOf(["key", "value"], lines)}\n`;
  });
  return `${INTRO}\n${[...sections, ...forms].join("\n")}`;
}

function tableOf(columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const rows = [columns, columns.map(() => "---"), ...lines];
  return rows.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function namesOf(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join("<br>");
}

function section(block: BlockName, title: string, type: string | undefined, types: string): string {
  const comments = type === undefined ? new Map<string, string>() : commentsOf(type, types);
  const rows = BLOCKS[block].filter(({ keys }) => keys.length > 0);
  const served = rows.some(({ service }) => service === "served");
  const isTop = block === "server";
  const columns = served
    ? ["key", "option", "value", "default", "served", ...(isTop ? ["reload"] : []), ""]
    : ["key", "value"];
  const lines = rows.map((row) => cells(row, served, isTop, comments));
  return `## ${title}\n\n${tableOf(columns, lines)}\n`;
}

function cells(row: OptionRow, served: boolean, isTop: boolean, comments: Map<string, string>): string[] {
  const keys = namesOf(row.keys);
  if (!served) return [keys, shownValue(row)];
  const name = row.option === "listen.both" ? undefined : row.option;
  return [
    keys,
    name === undefined ? "" : `\`${name}\``,
    shownValue(row),
    defaultOf(row),
    SERVICES[row.service],
    ...(isTop ? [row.service === "served" ? reloadOf(row) : ""] : []),
    row.note === undefined ? commentOf(comments.get(name ?? ""), row) : sentence(row.note),
  ];
}

function reloadOf({ option, reload }: OptionRow): string {
  if (option === "websocket") return "its `tls`";
  if (option === "noAuthUser") return "away, with the user";
  return reload ? "yes" : "no";
}

/** The default has a column of its own where the table knows it. */
function commentOf(comment: string | undefined, { fallback }: OptionRow): string {
  return (fallback === undefined ? comment : comment?.replace(/ Default [^.]*\.$/, "")) ?? "";
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function shownValue({ kind }: OptionRow): string {
  return VALUES[kind.type]?.(kind) ?? "";
}

const CUSTOM_VALUES: Readonly<Record<string, string>> = {
  anything: "",
  cipherSuites: "list",
  compression: "word, true/false or a block",
  curves: "list",
  featureFlags: "true/false by name",
  migrate: "true/false or { leader_migrate_delay }",
  nkey: "public nkey",
  ocsp: "true/false or a block",
  ocspCache: "true/false or a block",
  ocspPeer: "true/false or a block",
  operators: "files",
  pinnedCerts: "list of hashes in hex",
  preload: "JWTs by public key",
  resolver: "word, URL(...) or a block",
  sync: 'duration or "always"',
  systemAccount: "text",
  url: "URL, or list of them",
  urls: "list of URLs",
  authTimeout: "seconds or duration",
  publishPermission: "subjects, or { allow, deny }",
  subscribePermission: "subjects, or { allow, deny }; a subject may have a queue after it",
  permissionSubjects: "subjects",
  responses: "true/false or a block",
  jetstream: "true/false or a block",
  accountJetstream: "true/false or a block",
  accounts: "blocks by name",
  users: "list of blocks",
  exports: "list of blocks",
  imports: "list of blocks",
  remotes: "list of blocks",
  mappings: "destinations by subject",
  msgTrace: "subject, or { dest, sampling }",
  handshakeFirst: 'true/false, "auto" or duration',
  storageSize: 'bytes, or text such as "10G"',
  minVersion: '"1.2" or "1.3"',
  certificates: "list of { cert_file, key_file }",
};

const VALUES: Readonly<Record<Kind["type"], (kind: Kind) => string>> = {
  integer: () => "number",
  duration: () => "duration",
  bool: () => "true/false",
  string: () => "text",
  strings: () => "text or list",
  oneOf: (kind) => (kind.type === "oneOf" ? kind.values.map((value) => `\`${value}\``).join(", ") : ""),
  texts: () => "texts by name",
  listen: () => "port or host:port",
  port: () => "port, -1 for a free one",
  block: () => "block",
  blocks: () => "list of blocks",
  custom: (kind) => (kind.type === "custom" ? (CUSTOM_VALUES[kind.form] ?? "") : ""),
};

function defaultOf({ fallback, kind }: OptionRow): string {
  if (fallback === undefined || fallback === "") return "";
  if (kind.type === "duration") return showDuration(fallback as number);
  return typeof fallback === "number" ? fallback.toLocaleString("en-US") : String(fallback);
}

/** The comments of a type's fields. */
function commentsOf(type: string, types: string): Map<string, string> {
  const start = types.indexOf(`export interface ${type} {`);
  const body = types.slice(start, types.indexOf("\n}", start));
  const comments = new Map<string, string>();
  for (const [, comment, name] of body.matchAll(/\/\*\*([^*]*(?:\*(?!\/)[^*]*)*)\*\/\s*(\w+)\??:/g)) {
    comments.set(
      name,
      comment
        .replace(/\s*\n\s*\*?\s*/g, " ")
        .trim()
        .replaceAll("|", "\\|"),
    );
  }
  return comments;
}

if (process.argv[1]?.endsWith("config-docs.ts")) writeFileSync(PAGE, configurationPage());
