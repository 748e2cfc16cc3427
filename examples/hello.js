// What `npm start` runs: a NATS server inside this program, used without any socket.
import { performance } from "node:perf_hooks";
import process from "node:process";
import { connect, NatsServer } from "gnatlet";

const started = performance.now();
const server = await NatsServer.start();
console.log(`Started a NATS server in this process (${server.name.slice(0, 8)}…); it listens on no port.`);

const alice = await connect({ inProcessServer: server, name: "alice" });
const bob = await connect({ inProcessServer: server, name: "bob" });
console.log(`Connected ${server.stats().connections} clients in process.`);

const delivered = new Promise((resolve) => {
  alice.subscribe("my-subject", { callback: (_error, msg) => resolve(msg.string()) });
});
bob.publish("my-subject", "Hello embedded NATS!");
console.log(`alice received: "${await delivered}"`);
console.log(`Start to first message: ${(performance.now() - started).toFixed(1)} ms.`);

alice.subscribe("add", {
  callback: (_error, msg) => {
    const { a, b } = msg.json();
    msg.respond(JSON.stringify({ sum: a + b }));
  },
});
const answer = await bob.request("add", JSON.stringify({ a: 40, b: 2 }));
console.log(`bob asked for 40 + 2, alice answered: ${answer.string()}`);

const sockets = process
  .getActiveResourcesInfo()
  .filter((kind) => /TCP|UDP|Server/.test(kind) && !/TTY/.test(kind));
console.log(`Sockets that this process has open: ${sockets.length}.`);

await alice.drain();
await bob.drain();
await server.close();
console.log("Closed; the process ends by itself.");
