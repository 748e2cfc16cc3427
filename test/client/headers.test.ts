/** Headers of messages that are published one right after the other: each arrives with its own, however long, whatever the payload. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errors, headers, type Msg } from "@nats-io/nats-core";
import { connect, NatsServer } from "../../src/runtime/node/index.ts";

const VALUES = ["a", "b".repeat(900), "é€😀".repeat(200), "c".repeat(5_000), "d", "\udc80x"];
const PAYLOADS = [undefined, "text", "täxt", Uint8Array.of(1, 2, 3), new Uint8Array(10_000).fill(7)];

for (const way of ["in process", "over TCP"] as const) {
  test(`headers that are published one after the other are each message's own (${way})`, async () => {
    const server = await NatsServer.start({ listen: { host: "127.0.0.1", port: 0 } });
    const nc = await connect(
      way === "in process" ? { inProcessServer: server } : { servers: server.clientUrl },
    );
    const got: Msg[] = [];
    nc.subscribe("s", { callback: (_error, message) => void got.push(message) });
    const sent: string[] = [];
    for (const payload of PAYLOADS) {
      for (const value of VALUES) {
        const block = headers();
        block.set("Value", value);
        nc.publish("s", payload, { headers: block });
        sent.push(`${value.replace("\udc80", "\ufffd")} ${Buffer.from(payload ?? "").toString("hex")}`);
      }
    }
    await nc.flush();
    assert.deepEqual(
      got.map(({ headers: block, data }) => `${block?.get("Value")} ${Buffer.from(data).toString("hex")}`),
      sent,
    );
    await nc.close();
    await server.close();
  });
}

test("headers that are none are refused by an error that names them", async () => {
  const server = await NatsServer.start();
  const nc = await connect({ inProcessServer: server });
  for (const wrong of [{ a: "b" }, new Map([["a", "b"]]), "a: b"]) {
    assert.throws(
      () => nc.publish("s", "", { headers: wrong as never }),
      (error) => error instanceof errors.InvalidArgumentError && /headers/.test(error.message),
    );
  }
  await nc.close();
  await server.close();
});
