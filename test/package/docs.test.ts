/** What a new user reads: files that are named are there, tests that are named are there, and whole examples run. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { transform } from "esbuild";
import { soon } from "../support/waiting.ts";

const root = resolve(import.meta.dirname, "../..");
const PAGES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "bench/README.md",
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
];

/** The heads of a page, as links name them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, head]) =>
    head
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** What the example prints first. It is ended then: some go on for ever. */
async function firstOutput(example: string): Promise<string> {
  const { code } = await transform(example, { loader: "ts", target: "node20", format: "esm" });
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    let said = "";
    return await soon(
      new Promise<string>((resolve) => {
        child.stdout.on("data", (bytes) => resolve(String(bytes)));
        child.stderr.on("data", (bytes) => {
          said += bytes;
        });
        child.on("close", () => resolve(`nothing but ${said}`));
      }),
      "the example's output",
    );
  } finally {
    child.kill("SIGKILL");
  }
}

describe("the documentation", () => {
  for (const name of PAGES) {
    it(`links to what there is: ${name}`, () => {
      const page = readFileSync(join(root, name), "utf8");
      for (const [link, path, anchor] of page.matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
        const target = path === "" ? join(root, name) : join(dirname(join(root, name)), path);
        assert.ok(existsSync(target), link);
        if (anchor !== undefined && target.endsWith(".md"))
          assert.ok(anchorsOf(readFileSync(target, "utf8")).includes(anchor), link);
      }
    });
  }

  it("names tests that there are as proof of each promise", () => {
    const page = readFileSync(join(root, "docs/promises.md"), "utf8");
    const tests = ["storage", "jetstream/consumer", "runtime", "server", "simulation"]
      .flatMap((room) => readdirSync(join(root, "test", room)).map((name) => join(root, "test", room, name)))
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readFileSync(path, "utf8"))
      .join("\n");
    const rows = page.split("\n").filter((line) => line.startsWith("| ") && line.includes(".test.ts"));
    assert.ok(rows.length >= 9);
    let titles = 0;
    for (const [, title] of rows.join("\n").matchAll(/(?<!\*)\*([^*]+)\*(?!\*)/g)) {
      titles++;
      // An ellipsis stands for words left out.
      for (const part of title.split("…")) assert.ok(tests.includes(part.trim()), title);
    }
    assert.ok(titles > 20);
  });

  it("has examples that run", async () => {
    const storeDir = mkdtempSync(join(tmpdir(), "gnatlet-readme-"));
    try {
      const printed: string[] = [];
      for (const [, example] of readFileSync(join(root, "README.md"), "utf8").matchAll(
        /^```ts\n(import[\s\S]*?)^```/gm,
      ))
        printed.push(await firstOutput(example.replace('"data"', JSON.stringify(storeDir))));
      assert.deepEqual(printed, ["Hello embedded NATS!\n", "orders.new two books\n"]);
    } finally {
      rmSync(storeDir, { recursive: true, force: true });
    }
  });
});
