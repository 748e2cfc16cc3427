/** Any keys with any values are read, or refused by a ConfigError; what was read is fit for the server, or refused by a ServerError. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bootProblem } from "../../src/config/boot.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { ServerError } from "../../src/server/errors.ts";
import { resolveOptions } from "../../src/server/options/resolve.ts";
import { BLOCKS } from "../../src/server/options/table/blocks.ts";
import type { BlockName } from "../../src/server/options/table/row.ts";
import type { ServerOptions } from "../../src/server/options/types.ts";

const SCALARS = [
  "1",
  "-1",
  "0",
  "99999999999",
  "1.5",
  "true",
  "off",
  "x",
  '""',
  '"2m"',
  '"a.b.>"',
  '"h:1"',
  "[]",
  "{}",
  "$v",
];
const BLOCK_KEYS: Readonly<Record<string, BlockName>> = {
  tls: "tls",
  authorization: "authorization",
  users: "user",
  permissions: "permissions",
  default_permissions: "permissions",
  allow_responses: "responses",
  websocket: "websocket",
  leafnodes: "leafnodes",
  remotes: "leafRemote",
  mqtt: "mqtt",
  jetstream: "jetstream",
  limits: "accountLimits",
  cluster: "cluster",
  gateway: "gateway",
};

/** The text of a block with some of its keys, up to `depth` blocks in it. */
function block(name: BlockName, depth: number): fc.Arbitrary<string> {
  const keys = [...BLOCKS[name].flatMap((row) => row.keys), "unknown", "A"];
  return fc
    .array(
      fc.constantFrom(...keys).chain((key) => value(key, depth).map((text) => `${key}: ${text}`)),
      { maxLength: 5 },
    )
    .map((lines) => lines.join("\n"));
}

function value(key: string, depth: number): fc.Arbitrary<string> {
  const scalar = fc.constantFrom(...SCALARS);
  const list = fc.array(scalar, { maxLength: 3 }).map((items) => `[ ${items.join("\n")}\n ]`);
  const inner = Object.hasOwn(BLOCK_KEYS, key) ? BLOCK_KEYS[key] : undefined;
  if (depth === 0) return fc.oneof(scalar, list);
  const map = block(inner ?? "account", depth - 1).map((text) => `{\n${text}\n}`);
  const maps = fc.array(map, { maxLength: 3 }).map((items) => `[ ${items.join("\n")}\n ]`);
  const named = map.map((text) => `{ A: ${text}\n }`);
  return fc.oneof(scalar, list, map, maps, named);
}

function check(options: ServerOptions): void {
  try {
    resolveOptions(options);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
  }
}

describe("any configuration", () => {
  it("is read, or refused by the error that is for it", () => {
    let read = 0;
    fc.assert(
      fc.property(block("server", 3), (text) => {
        try {
          const file = { path: "x", readFile: () => text, env: () => "1", sha256: () => "" };
          const { options } = readConfig(file);
          read++;
          bootProblem(options);
          check(options);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          assert.ok(error.errors.length > 0);
        }
      }),
      { numRuns: 2_000 },
    );
    assert.ok(read > 20, "some of them are right");
  });
});
