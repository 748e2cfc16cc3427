/** Subject mappings of a real nats-server: that they do what the table says, and which ones it refuses in what words. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { resolveMappings } from "../../src/server/options/mappings.ts";
import { exchangesSuite } from "../support/exchanges-suite.ts";
import { ACCOUNT_EXCHANGES, ACCOUNTS, MAPPING_EXCHANGES, MAPPINGS } from "../support/mapping-exchanges.ts";
import { RealServer } from "../support/real-server.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-mappings-"));

function configFile(name: string, config: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

exchangesSuite(
  "mappings of nats-server",
  () => RealServer.start(["-c", configFile("mappings.conf", { mappings: MAPPINGS })]),
  MAPPING_EXCHANGES,
);

exchangesSuite(
  "mappings of accounts of nats-server",
  () => RealServer.start(["-c", configFile("accounts.conf", ACCOUNTS)]),
  ACCOUNT_EXCHANGES,
);

describe("mappings that both refuse", () => {
  after(() => rmSync(folder, { recursive: true }));

  for (const [source, to] of [
    ["a..b", "c"],
    ["a b", "c"],
    ["a", "b.$1"],
    ["a.*", "b.*"],
    ["a.*", "b.$2"],
    ["a.>", "b"],
    ["a", "b..c"],
    ["a", "b c"],
    ["a", "b.>.c"],
    ["a.*", "b.{{left(1)}}"],
    ["a.*", "b.{{nothing(1,1)}}"],
    ["a.*", "b.{{wildcard(2)}}"],
    ["a.*", "b.{{wildcard()}}"],
    ["a.*", "b.{{wildcard(1,2)}}"],
    ["a.*", "b.{{wildcard(x)}}"],
    ["a.*", "b.{{partition()}}"],
    ["a.*", "b.{{partition(10,2)}}"],
    ["a.*", "b.{{random(1,2)}}"],
    ["a.*", "b.{{split(1)}}"],
    ["a.*", "b.{{split(1,a b)}}"],
    ["a.*", "b.{{splitFromLeft(1,2,3)}}"],
    ["a.*", "b.{{sliceFromLeft(1,2147483648)}}"],
    ["a", { destination: "b" }],
    ["a", { destination: "b", weight: 101 }],
    ["a", [{ destination: "b", weight: -1 }]],
    [
      "a",
      [
        { destination: "b", weight: 60 },
        { destination: "c", weight: 41 },
      ],
    ],
    [
      "a",
      [
        { destination: "b", weight: 60, cluster: "X" },
        { destination: "c", weight: 41, cluster: "X" },
      ],
    ],
    [
      "a",
      [
        { destination: "b", weight: 10 },
        { destination: "b", weight: 10, cluster: "X" },
      ],
    ],
  ] as const) {
    it(`${source} to ${JSON.stringify(to)}`, () => {
      let ours = "";
      try {
        resolveMappings({ [source]: to }, "mappings");
      } catch (error) {
        ours = (error as Error).message.replace(/^option ".*?": /, "");
      }
      const file = configFile("wrong.conf", { mappings: { [source]: to } });
      const theirs = spawnSync(process.env.NATS_SERVER!, ["-t", "-c", file], { encoding: "utf8" }).stderr;
      assert.notEqual(ours, "");
      assert.ok(theirs.includes(ours), `${ours}\n${theirs}`);
    });
  }
});
