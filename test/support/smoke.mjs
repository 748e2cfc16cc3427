/**
 * A program that uses the build as a user's would: for other JavaScript runtimes. It prints what it saw, and must end by itself.
 * The password is "secret".
 */
import { connect, NatsServer } from "../../dist/runtime/node/index.js";

const password = "$2a$04$6zuvJCPatCEreqmDLaFecePzV61c3CQWF/CYY3QRfPigDQMJefZPe";
const server = await NatsServer.start({
  listen: { port: 0 },
  http: { port: 0 },
  authorization: { users: [{ user: "joe", password }] },
});
const login = { user: "joe", pass: "secret" };
const near = await connect({ inProcessServer: server, ...login });
const far = await connect({ servers: server.clientUrl, ...login });
far.subscribe("service", { callback: (_error, msg) => void msg.respond(`got ${msg.string()}`) });
await far.flush();
console.log((await near.request("service", "hello")).string());
console.log(await (await fetch(`${server.monitorUrl}/healthz`)).text());

let count = 0;
far.subscribe("many", { callback: () => count++ });
await far.flush();
for (let i = 0; i < 100_000; i++) near.publish("many", "0123456789");
await near.flush();
await far.flush();
console.log(count);
await near.close();
await far.close();
await server.close();
console.log("closed");
