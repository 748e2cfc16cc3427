/** What comes into streams while a disk is slow, full or broken. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { FileStore } from "../../../src/storage/file-store.ts";
import { FaultyDisk } from "../../support/faulty-disk.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { settle } from "../../support/simulated.ts";

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  await settle();
}

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A stream of counters, whose first one has to be read from a disk that waits. */
async function behindOneRead() {
  const disk = new FaultyDisk();
  const before = await SimulatedJetStream.start(disk);
  await before.create({ allow_msg_counter: true });
  await before.ask("s.1", "", { "Nats-Incr": "1" });
  await before.ask("s.2", "", { "Nats-Incr": "1" });
  await before.close();
  const server = await SimulatedJetStream.start(disk, before.clock);
  const { opened, open } = gate();
  disk.beforeRead = () => opened;
  const first = server.publish("s.1", "", { "Nats-Incr": "2" });
  await settle();
  return { server, first, open };
}

describe("messages behind one that has to be read for", () => {
  const { append } = FileStore.prototype;
  afterEach(() => {
    FileStore.prototype.append = append;
  });

  it("are seen to when something goes wrong with the first", async () => {
    const { server, first, open } = await behindOneRead();
    const second = server.publish("s.2", "", { "Nats-Incr": "1" });
    FileStore.prototype.append = () => {
      FileStore.prototype.append = append;
      throw new Error("a surprise");
    };
    open();
    await turns();
    assert.match(server.answerTo(first)?.text ?? "", /"err_code":10077/);
    assert.match(server.answerTo(second)?.text ?? "", /"val":"2"/);
    await server.close();
  });
});
