import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { EXCHANGES, type Exchange, mask, sortMessages } from "./exchanges.ts";
import { RawClient } from "./raw-client.ts";

/** A server that the table is run against. */
export interface ServerUnderTest {
  readonly port: number;
  close(): Promise<void>;
}

/** Runs a table of raw exchanges against a server. */
export function exchangesSuite(
  name: string,
  start: () => Promise<ServerUnderTest>,
  exchanges: readonly Exchange[] = EXCHANGES,
): void {
  describe(name, () => {
    let server: ServerUnderTest;

    before(async () => {
      server = await start();
    });

    after(() => server.close());

    for (const exchange of exchanges) {
      it(exchange.name, async () => {
        const clients = new Map<string, RawClient>();
        for (const [on, send, answer] of exchange.steps) {
          let client = clients.get(on);
          if (client === undefined) clients.set(on, (client = await RawClient.open(server.port)));
          const got = sortMessages(mask(await client.ask(send)));
          assert.equal(got, sortMessages(answer), `${on}: ${JSON.stringify(send.slice(0, 200))}`);
        }
        for (const client of clients.values()) client.close();
      });
    }
  });
}
