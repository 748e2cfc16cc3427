/** What `gnatlet/client` is made of. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { bundleClient } from "../../scripts/client-bundle.ts";

const root = resolve(import.meta.dirname, "../..");

describe("gnatlet/client", () => {
  it("holds no server code, and nothing of Node's", async () => {
    const { files, imports } = await bundleClient(root);
    for (const file of files)
      assert.match(file, /^src\/(client|protocol|seams|runtime\/browser|runtime\/[a-z-]+\.ts$)/, file);
    assert.deepEqual([...new Set(imports)].sort(), ["@nats-io/nats-core", "@nats-io/nats-core/internal"]);
    // What is shipped imports no more than what is bundled here.
    const seen = new Set<string>();
    const look = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, specifier] of readFileSync(file, "utf8").matchAll(/(?:from|import) ?\(?"([^"]+)"/g)) {
        if (specifier.startsWith(".")) look(join(file, "..", specifier));
        else assert.match(specifier, /^@nats-io\/nats-core/, `${file} imports ${specifier}`);
      }
    };
    look(join(root, "dist/runtime/browser/index.js"));
  });

  it("is as large as the README says, and less than 40 KB to import", async () => {
    const { entry, connected, all } = await bundleClient(root);
    assert.ok(entry.minified < 40_000, `${entry.minified} bytes minified`);
    const said = /client alone[\s\S]*?\n\n/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[0] ?? "";
    for (const { minified, compressed } of [entry, connected, all]) {
      const near = [...said.matchAll(/(\d+) KB \((\d+) compressed/g)].some(
        ([, plain, packed]) =>
          Math.abs(minified / 1000 - Number(plain)) <= 1 && Math.abs(compressed / 1000 - Number(packed)) <= 1,
      );
      assert.ok(near, `the README says nothing of ${minified} bytes (${compressed} compressed): ${said}`);
    }
  });

  it("can be imported by its name, and connects within a program", async () => {
    const program = `
      import { NatsServer } from "gnatlet";
      import { connect } from "gnatlet/client";
      const server = await NatsServer.start();
      const nc = await connect({ inProcessServer: server });
      const remote = await connect({ messagePort: server.messagePort() });
      nc.subscribe("x", { callback: (_, msg) => msg.respond("from " + msg.string()) });
      await nc.flush();
      console.log((await remote.request("x", "afar")).string());
      await remote.close(); await nc.close(); await server.close();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", program],
      {
        cwd: root,
        timeout: 20_000,
      },
    );
    assert.equal(stdout, "from afar\n");
  });
});
