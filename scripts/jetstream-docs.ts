/**
 * Writes docs/jetstream-api.md from the tables in src/jetstream/, and from what its source raises: `npx tsx scripts/jetstream-docs.ts`. A test
 * holds the page to them.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { API_REQUESTS, type ApiRequestRow } from "../src/jetstream/api/subject.ts";
import { consumerConfig } from "../src/jetstream/consumer/config.ts";
import { API_ERRORS } from "../src/jetstream/error-table.ts";
import type { ApiErrorCode } from "../src/jetstream/errors.ts";
import { streamConfig } from "../src/jetstream/stream/config.ts";
import { streamSource } from "../src/jetstream/stream/source.ts";

const ROOT = join(import.meta.dirname, "..");
const SOURCE = join(ROOT, "src/jetstream");
export const PAGE = join(ROOT, "docs/jetstream-api.md");

/** Why an error is never raised here. */
const REASONS = {
  cluster: "no: of clusters",
  obsolete: "no: nats-server 2.15 does not raise it either",
  before: "no: another error, or a default, comes first, as in nats-server",
  tiers: "no: of accounts with limits by tier (JWT)",
  later: "no: came with 2.15",
  internal: "no: inside nats-server, no answer of the API",
  store: "no: 10012 is raised",
  broken: "no: a consumer that cannot be read is not served, and logged",
  paced: "no: clients wait instead",
  restore: "no: nothing here can fail so",
} as const;

/** The errors that are never raised. */
export const NOT_RAISED: Readonly<Record<keyof typeof REASONS, readonly ApiErrorCode[]>> = {
  cluster: [
    10005, 10006, 10007, 10009, 10035, 10040, 10041, 10044, 10048, 10063, 10075, 10118, 10119, 10123, 10124,
    10129, 10158, 10202,
  ],
  obsolete: [
    10004, 10011, 10019, 10032, 10033, 10036, 10061, 10066, 10067, 10068, 10072, 10073, 10085, 10092, 10093,
    10117, 10163, 10180,
  ],
  before: [10016, 10053, 10078, 10087, 10096, 10103, 10105, 10106, 10114, 10181, 10182],
  tiers: [10120],
  later: [10224, 10225, 10226],
  internal: [10076],
  store: [10104],
  broken: [10195],
  paced: [10167],
  restore: [10042],
};

/** Fields of which more is to be said than that they are served. */
const STREAM_FIELDS: Readonly<Record<string, string>> = {
  compression: "`s2` compresses the files of streams in files ([storage.md](storage.md#segments))",
  num_replicas: "0 or 1",
  placement: "kept: there is one server",
  storage: "yes; without a `storeDir`, all is in memory",
};
const CONSUMER_FIELDS: Readonly<Record<string, string>> = {
  num_replicas: "0 or 1",
  mem_storage: "yes: its state is not kept on disk",
  direct: "yes, for streams that others take from",
  sourcing: "yes, for streams that others take from",
};

const SERVED: Readonly<Record<ApiRequestRow["served"], string>> = {
  always: "yes",
  cluster: "refused (10010), as by a nats-server without a cluster",
  system: "no answer, as from a nats-server without a cluster",
};

const INTRO = `# The JetStream API, row by row

<!-- Written by scripts/jetstream-docs.ts from the tables in src/jetstream/: change those. -->

What [jetstream.md](jetstream.md) describes, as lists: every request below \`$JS.API\`, every field, every error, and whether it is served.
`;

/** The numbers that the source raises: it has them in its code, and not only compares with them. */
export function raisedErrors(): Set<number> {
  const found = new Set<number>();
  for (const name of readdirSync(SOURCE, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name === "error-table.ts") continue;
    const code = readFileSync(join(SOURCE, name), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    for (const [number] of code.matchAll(/(?<!=== )\b10[0-2]\d\d\b/g)) found.add(Number(number));
  }
  return found;
}

/** The whole page. */
export function jetstreamPage(): string {
  return [
    INTRO,
    section("Requests", ["request", "served"], requests()),
    section("Fields of streams", ["field", "served"], fieldsOf(streamConfig.fields, STREAM_FIELDS)),
    section("Fields of `mirror` and `sources`", ["field", "served"], fieldsOf(streamSource.fields, {})),
    section("Fields of consumers", ["field", "served"], fieldsOf(consumerConfig.fields, CONSUMER_FIELDS)),
    section("Errors", ["`err_code`", "`code`", "text", "raised"], errors()),
  ].join("\n");
}

function section(title: string, columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const rows = [columns, columns.map(() => "---"), ...lines];
  return `## ${title}\n\n${rows.map((line) => `| ${line.join(" | ")} |`).join("\n")}\n`;
}

function requests(): string[][] {
  return Object.entries<ApiRequestRow>(API_REQUESTS).map(([name, { forms, served }]) => {
    const subjects = forms.map((form) => `\`${[name, ...form.map((part) => `<${part}>`)].join(".")}\``);
    return [subjects.join("<br>"), SERVED[served]];
  });
}

function fieldsOf(
  fields: readonly (readonly [string, ...unknown[]])[],
  notes: Readonly<Record<string, string>>,
): string[][] {
  return fields.map(([name]) => [`\`${name}\``, notes[name] ?? "yes"]);
}

function errors(): string[][] {
  const raised = raisedErrors();
  return Object.entries(API_ERRORS).map(([number, [code, text]]) => {
    const reason = Object.entries(NOT_RAISED).find(([, codes]) =>
      codes.some((one) => one === Number(number)),
    );
    const state = raised.has(Number(number)) ? "yes" : REASONS[reason?.[0] as keyof typeof REASONS];
    return [number, String(code), text.replaceAll("|", "\\|").replaceAll("*", "\\*"), state];
  });
}

if (process.argv[1]?.endsWith("jetstream-docs.ts")) writeFileSync(PAGE, jetstreamPage());
