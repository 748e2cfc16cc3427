// An object store with progress: a file of any size goes in and comes out in pieces. node examples/objects.js
import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Objm } from "@nats-io/obj";
import { connect, NatsServer } from "gnatlet";

const SIZE = 32 * 1024 * 1024;
const PIECE = 256 * 1024;

const storeDir = mkdtempSync(join(tmpdir(), "gnatlet-objects-"));
const server = await NatsServer.start({ jetstream: { storeDir } });
const nc = await connect({ inProcessServer: server });
const store = await new Objm(nc).create("films");

/** Says how far it is, each tenth. */
function progress(what) {
  let bytes = 0;
  let said = 0;
  return (more) => {
    bytes += more;
    const tenths = Math.floor((bytes / SIZE) * 10);
    if (tenths > said) console.log(`${what} ${tenths * 10} %`);
    said = Math.max(said, tenths);
  };
}

const sent = createHash("sha256");
const put = progress("put");
let made = 0;
const film = new ReadableStream({
  pull(controller) {
    if (made === SIZE) {
      controller.close();
      return;
    }
    const piece = new Uint8Array(PIECE).fill(made / PIECE);
    made += PIECE;
    sent.update(piece);
    put(PIECE);
    controller.enqueue(piece);
  },
});
const info = await store.put({ name: "holiday.mp4", description: "The film of the holiday" }, film);
console.log(`${info.name}: ${info.size} bytes in ${info.chunks} pieces`);

const got = createHash("sha256");
const get = progress("got");
const result = await store.get("holiday.mp4");
for await (const piece of result.data) {
  got.update(piece);
  get(piece.length);
}
const failed = await result.error;
if (failed) throw failed;
console.log(sent.digest("hex") === got.digest("hex") ? "What came out is what went in." : "They differ!");

await nc.close();
await server.close();
await rm(storeDir, { recursive: true });
