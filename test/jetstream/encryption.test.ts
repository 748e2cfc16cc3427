import assert from "node:assert/strict";
import { it } from "node:test";
import type { JetStreamOptions } from "../../src/server/options/types.ts";
import { SimulatedJetStream } from "../support/jetstream-simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";

const CREATE = ["$JS.API.STREAM.CREATE.S", { name: "S", subjects: ["s"] }] as const;

const start = (disk: SimulatedDisk, options: JetStreamOptions): Promise<SimulatedJetStream> =>
  SimulatedJetStream.start(disk, undefined, { jetstream: { storeDir: "data", ...options } });

for (const [what, before, after] of [
  ["is to be encrypted", {}, { encryptionKey: "one" }],
  ["gets another key", { encryptionKey: "one" }, { encryptionKey: "two", prevEncryptionKey: "one" }],
] as const) {
  it(`on a full disk a stream that ${what} is offline, and the server starts; it is as it was when there is space`, async () => {
    const disk = new SimulatedDisk();
    const first = await start(disk, before);
    await first.ask(...CREATE);
    await first.ask("s", "message");
    await first.close();
    const files = disk.copy().files();
    disk.before = (_call, name) => (name === "write" ? "full" : undefined);
    const full = await start(disk, after);
    const { error } = JSON.parse((await full.ask("$JS.API.STREAM.INFO.S")).text);
    assert.equal(error.err_code, 10194);
    await full.close();
    disk.before = undefined;
    for (const [path, content] of files)
      if (path.includes("/streams/")) assert.deepEqual(disk.files().get(path), content, path);
    const again = await start(disk, after);
    const { state } = JSON.parse((await again.ask("$JS.API.STREAM.INFO.S")).text);
    assert.equal(state.messages, 1);
    await again.close();
    const last = await start(disk, { encryptionKey: after.encryptionKey });
    assert.equal(JSON.parse((await last.ask("$JS.API.STREAM.INFO.S")).text).state.messages, 1);
    await last.close();
  });
}
