/** docs/configuration.md says what the table of options says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { configurationPage, PAGE } from "../../scripts/config-docs.ts";
import { BLOCKS } from "../../src/server/options/table/blocks.ts";

describe("docs/configuration.md", () => {
  it("is what scripts/config-docs.ts writes", () => {
    assert.equal(readFileSync(PAGE, "utf8"), configurationPage(), "run npx tsx scripts/config-docs.ts");
  });

  it("has a section for every block, and every key", () => {
    const page = configurationPage();
    for (const row of Object.values(BLOCKS).flat()) {
      for (const key of row.keys) assert.ok(page.includes(`\`${key}\``), key);
    }
  });

  it("describes every option at the top that a file can set", () => {
    const page = configurationPage();
    for (const { option, keys } of BLOCKS.server) {
      if (option === undefined || option.includes(".") || keys.length === 0) continue;
      const line = page.split("\n").find((each) => each.startsWith(`| \`${keys[0]}\``))!;
      assert.doesNotMatch(line, /\| +\|$/, `${option} has no comment in types.ts`);
    }
  });
});
