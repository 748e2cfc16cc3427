/** docs/client.md has a row for everything that nats-core's connections have, and each row names a test that there is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";

const root = resolve(import.meta.dirname, "../..");

describe("docs/client.md", () => {
  const page = readFileSync(join(root, "docs/client.md"), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));

  /** Names of an interface's members, from nats-core's own types. */
  const membersOf = (name: string): string[] => {
    const types = readFileSync(join(root, "node_modules/@nats-io/nats-core/lib/core.d.ts"), "utf8");
    const body = new RegExp(`export interface ${name}(?: extends [^{]+)? \\{([\\s\\S]*?)\\n\\}`).exec(
      types,
    )![1];
    return [...body.matchAll(/^ {4}(?:\[Symbol\.)?(\w+)\]?\??[:(]/gm)].map(([, member]) => member);
  };

  for (const name of ["ConnectionOptions", "NatsConnection", "Subscription"]) {
    it(`has each member of ${name}`, () => {
      const members = membersOf(name);
      assert.ok(members.length > 10, members.join());
      for (const member of members)
        assert.ok(
          rows.some(
            (row) =>
              row.startsWith(`| \`${member}\` | equal`) ||
              row.startsWith(`| \`${member}\` | better`) ||
              row.startsWith(`| \`${member}\` | different`),
          ),
          member,
        );
    });
  }

  it("names tests that there are", () => {
    assert.ok(rows.length > 50);
    for (const row of rows) {
      const [, title, file] = /\[([^\]]+)\]\(\.\.\/([^)]+)\) \|$/.exec(row)!;
      assert.ok(readFileSync(join(root, file), "utf8").includes(`"${title}"`), `${file}: ${title}`);
    }
  });
});
