/** A server that is started by a configuration file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { connect } from "nats";
import { ConfigError, NatsServer } from "../../src/runtime/node/index.ts";
import { setEveryKeyVariables } from "../support/every-key.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-file-"));
after(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, "x.conf");
  writeFileSync(path, text);
  return path;
}

describe("NatsServer.fromConfigFile", () => {
  it("starts what the file says", async () => {
    const path = file('listen: "127.0.0.1:-1"\nserver_name: filed\nauthorization { token: secret }');
    await using server = await NatsServer.fromConfigFile(path);
    const client = await connect({ port: server.port, token: "secret" });
    assert.equal(client.info?.server_name, "filed");
    await client.close();
  });

  it("lays other options over the file's, and says what is not served", async () => {
    const logger = new RecordingLogger();
    const path = file("port: 1\nmax_payload: 1k\nmqtt { port: 1883 }");
    const overrides = { listen: { host: "127.0.0.1", port: 0 }, logger };
    await using server = await NatsServer.fromConfigFile(path, overrides);
    const client = await connect({ port: server.port });
    assert.equal(client.info?.max_payload, 1_000);
    await client.close();
    assert.ok(logger.lines.some((line) => line.includes(`${path}:3:1: mqtt: MQTT is not served yet`)));
  });

  it("rejects with all that is wrong in the file", async () => {
    const path = file("foo: 1\nport: x");
    await assert.rejects(NatsServer.fromConfigFile(path), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.message.split("\n"), [
        `${path}:1:0: unknown field "foo"`,
        `${path}:2:1: interface conversion: interface {} is string, not int64`,
      ]);
      return true;
    });
    await assert.rejects(NatsServer.fromConfigFile("no/such.conf"), {
      name: "ConfigError",
      message: "open no/such.conf: no such file or directory",
    });
    await assert.rejects(NatsServer.fromConfigFile(folder), { message: `read ${folder}: is a directory` });
  });

  it("starts with every documented key", async () => {
    const restore = setEveryKeyVariables();
    try {
      const options = { listen: { port: 0 } };
      await using server = await NatsServer.fromConfigFile("test/fixtures/config/every-key.conf", options);
      assert.ok(server.port !== undefined && server.port > 0);
    } finally {
      restore();
    }
  });
});
