// A key-value cache with a watch: what one part of a program puts, another hears of. node examples/cache.js
import { Kvm } from "@nats-io/kv";
import { connect, NatsServer } from "gnatlet";

// In memory only: with { storeDir: "data" } the cache is there again after a restart.
const server = await NatsServer.start({ jetstream: true });
const writer = await connect({ inProcessServer: server });
const reader = await connect({ inProcessServer: server });

const cache = await new Kvm(writer).create("sessions", { history: 5, ttl: 60_000 });
const view = await new Kvm(reader).open("sessions");

const watch = await view.watch();
const heard = (async () => {
  for await (const { key, operation, revision, value } of watch) {
    console.log(`${operation} ${key} (revision ${revision}) ${new TextDecoder().decode(value)}`);
    if (operation === "PURGE") break;
  }
})();

await cache.put("alice", "cart: 1 book");
const revision = await cache.put("alice", "cart: 2 books");
await cache.create("bob", "cart: empty");

// Only one of two writers that read the same revision gets through.
await cache.update("alice", "cart: 3 books", revision);
const late = await cache.update("alice", "cart: none", revision).catch((error) => error);
console.log(`The second writer is told: ${late.message}`);

console.log(`alice has ${(await view.get("alice")).string()}`);
const history = [];
for await (const entry of await view.history({ key: "alice" })) history.push(entry.string());
console.log(`and had ${history.join(", ")}`);

await cache.delete("bob");
await cache.purge("alice");
await heard;
await writer.close();
await reader.close();
await server.close();
console.log("Closed; the process ends by itself.");
