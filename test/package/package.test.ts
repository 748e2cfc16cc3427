/** What is shipped: versions that agree, exports that resolve, rooms that import downwards, a main job that does what it says. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { checkImports } from "../../scripts/check-imports.ts";
import { VERSION } from "../../src/seams/version.ts";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

describe("the package", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  it("has one version", () => {
    assert.equal(VERSION, manifest.version);
  });

  it("runs nothing when it is installed, and depends on nothing that does", () => {
    for (const hook of ["preinstall", "install", "postinstall", "prepare"])
      assert.equal(manifest.scripts[hook], undefined);
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
    for (const [name, entry] of Object.entries<{
      dev?: boolean;
      hasInstallScript?: boolean;
      resolved?: string;
    }>(lock.packages)) {
      assert.equal(entry.resolved, undefined, `${name} holds a download address`);
      if (!entry.dev) assert.equal(entry.hasInstallScript, undefined, name);
    }
  });

  it("can be imported by its names", async () => {
    const program = `
      import { NatsServer, connect } from "gnatlet";
      import { connect as official } from "gnatlet/nats-core";
      const server = await NatsServer.start();
      const nc = await connect({ inProcessServer: server });
      const oc = await official({ inProcessServer: server });
      nc.subscribe("x", { callback: (_, msg) => msg.respond("from " + msg.string()) });
      await nc.flush();
      console.log((await oc.request("x", "official")).string());
      await oc.close(); await nc.close(); await server.close();`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: root,
      timeout: 20_000,
    });
    assert.equal(stdout, "from official\n");
  });

  it("has all that programs import from the official client", async () => {
    for (const entry of ["gnatlet", "gnatlet/client"]) {
      const program = `
        import * as ours from "${entry}";
        import * as official from "@nats-io/nats-core";
        // What Node adds to packages in the older form.
        const names = Object.keys(official).filter((name) => !["default", "module.exports", "__esModule"].includes(name));
        console.log(names.length, names.filter((name) => !(name in ours)).join(), "wsconnect" in ours, "connect" in ours);
        console.log(names.filter((name) => ours[name] !== official[name]).join());`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], {
        cwd: root,
        timeout: 20_000,
      });
      assert.match(stdout, /^[4-9]\d {2}true true\nwsconnect\n$/);
    }
  });

  it("says hello", async () => {
    const { stdout } = await run(process.execPath, ["examples/hello.js"], { cwd: root, timeout: 20_000 });
    assert.match(stdout, /alice received: "Hello embedded NATS!"/);
    assert.match(stdout, /Start to first message: \d+\.\d ms/);
    assert.match(stdout, /alice answered: \{"sum":42\}/);
    assert.match(stdout, /Sockets that this process has open: 0/);
  });

  it("keeps its jobs, its cache and its objects", async () => {
    const [queue, cache, objects] = await Promise.all(
      ["work-queue", "cache", "objects"].map((name) =>
        run(process.execPath, [`examples/${name}.js`], { cwd: root, timeout: 80_000 }),
      ),
    );
    assert.match(queue.stdout, /All 100 jobs are done, 0 lost/);
    // The watch tells what it hears in between.
    assert.match(cache.stdout, /^alice has cart: 3 books$/m);
    assert.match(cache.stdout, /^and had cart: 1 book, cart: 2 books, cart: 3 books$/m);
    assert.match(cache.stdout, /PURGE alice \(revision 6\)/);
    assert.match(objects.stdout, /What came out is what went in/);
  });
});

describe("the rooms", () => {
  it("import only what is below them", () => {
    assert.deepEqual(checkImports(join(root, "src")), []);
  });

  it("are held to it: the check finds what is wrong", () => {
    const folder = mkdtempSync(join(tmpdir(), "gnatlet-rooms-"));
    const wrong: [file: string, source: string, says: RegExp][] = [
      ["protocol/a.ts", 'import { b } from "../broker/b.ts";', /protocol\/ may not import from broker\//],
      ["client/a.ts", 'import type { S } from "../server/s.ts";', /client\/ may not import from server\//],
      ["broker/a.ts", 'import { readFileSync } from "node:fs";', /broker\/ may not import "node:fs"/],
      ["server/a.ts", 'import { x } from "left-pad";', /which no room may/],
      ["server/b.ts", "const t = Date.now();", /uses Date\.now/],
      ["client/b.ts", "setTimeout(() => {}, 1);", /uses setTimeout/],
      ["interest/b.ts", "Math.random();", /uses Math\.random/],
      ["seams/b.ts", "process.exit(1);", /uses process\./],
      ["elsewhere/b.ts", "", /is in no room/],
    ];
    for (const [file, source] of wrong) {
      mkdirSync(join(folder, file, ".."), { recursive: true });
      writeFileSync(join(folder, file), source);
    }
    const problems = checkImports(folder).join("\n");
    for (const [file, , says] of wrong) assert.match(problems, says, file);
    rmSync(folder, { recursive: true });
  });
});
