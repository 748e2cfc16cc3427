/** Subject mappings over every way in, and between them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, NatsServer, type ServerOptions } from "../../src/runtime/node/index.ts";
import { exchangesSuite, type ServerUnderTest } from "../support/exchanges-suite.ts";
import { ACCOUNT_EXCHANGES, ACCOUNTS, MAPPING_EXCHANGES, MAPPINGS } from "../support/mapping-exchanges.ts";

const startWith = async (options: ServerOptions): Promise<ServerUnderTest> => {
  const server = await NatsServer.start({ ...options, listen: { port: 0 } });
  return { port: server.port!, close: () => server.close() };
};

exchangesSuite("mappings, in raw exchanges", () => startWith({ mappings: MAPPINGS }), MAPPING_EXCHANGES);

exchangesSuite("mappings of accounts, in raw exchanges", () => startWith(ACCOUNTS), ACCOUNT_EXCHANGES);

describe("mappings between ways in", () => {
  for (const from of ["socket", "process"] as const) {
    for (const to of ["socket", "process"] as const) {
      it(`from a client by ${from} to one by ${to}`, async () => {
        await using server = await NatsServer.start({ listen: { port: 0 }, mappings: { "a.*": "b.$1.é" } });
        const open = (way: "socket" | "process") =>
          connect(way === "socket" ? { servers: server.clientUrl } : { inProcessServer: server });
        const publisher = await open(from);
        const subscriber = await open(to);
        const subscription = subscriber.subscribe(">", { max: 2 });
        await subscriber.flush();
        publisher.publish("a.1", "x");
        publisher.publish("a.2", "y", { reply: "z" });
        await publisher.flush();
        const heard: string[] = [];
        for await (const msg of subscription) heard.push(`${msg.subject} ${msg.reply ?? ""} ${msg.string()}`);
        assert.deepEqual(heard, ["b.1.é  x", "b.2.é z y"]);
        await publisher.close();
        await subscriber.close();
      });
    }
  }
});
