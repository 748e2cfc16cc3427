import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  errors,
  type PermissionViolationError,
  type Status,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/nats-core";
import { type ConnectOptions, connect } from "../../src/runtime/node/index.ts";
import type { StartConfigured } from "./configured-server.ts";
import { NetworkProxy } from "./proxy.ts";
import { soon, until } from "./waiting.ts";

const FAST: ConnectOptions = { reconnectTimeWait: 5, reconnectJitter: 0, maxReconnectAttempts: -1 };

/** Whom a server lets in: what our client says of itself, and what it does when that is not enough. */
export function credentialsSuite(name: string, start: StartConfigured): void {
  describe(`credentials of our client with ${name}`, () => {
    it("may be a token, a user and password, either in the URL, or a list of authenticators", async () => {
      const token = await start("authorization { token: s3cret }");
      const user = await start("authorization { user: joe, password: 'p:w@' }");
      const good: ConnectOptions[] = [
        { port: token.port, token: "s3cret" },
        { port: token.port, authenticator: tokenAuthenticator(() => "s3cret") },
        { servers: `nats://s3cret@127.0.0.1:${token.port}` },
        { port: user.port, user: "joe", pass: "p:w@" },
        { port: user.port, authenticator: usernamePasswordAuthenticator("joe", () => "p:w@") },
        {
          port: user.port,
          authenticator: [tokenAuthenticator("x"), usernamePasswordAuthenticator("joe", "p:w@")],
        },
        { servers: `nats://joe:p%3Aw%40@127.0.0.1:${user.port}`, user: "somebody", pass: "else" },
      ];
      for (const options of good) {
        const nc = await connect(options);
        await nc.flush();
        await nc.close();
      }
      for (const options of [
        { port: token.port },
        { port: token.port, token: "x" },
        { port: user.port, user: "joe" },
      ])
        await assert.rejects(connect(options), errors.AuthorizationError);
      await token.close();
      await user.close();
    });

    it("are tried with every server the first time", async () => {
      const other = await start("authorization { token: other }");
      const mine = await start("authorization { token: mine }");
      const nc = await connect({
        servers: [`127.0.0.1:${other.port}`, `localhost:${other.port}`, `127.0.0.1:${mine.port}`],
        noRandomize: true,
        token: "mine",
      });
      assert.equal(nc.getServer(), `127.0.0.1:${mine.port}`);
      await nc.close();
      await other.close();
      await mine.close();
    });

    it("are asked for again with every attempt", async () => {
      const server = await start("authorization { token: s3cret }");
      const proxy = await NetworkProxy.start(server.port);
      let asked = 0;
      const nc = await connect({
        servers: proxy.url,
        ...FAST,
        authenticator: tokenAuthenticator(() => {
          asked++;
          // A wrong one once does not end it.
          return asked === 2 ? "wrong" : "s3cret";
        }),
      });
      proxy.cut();
      await until(() => nc.stats().reconnects === 1, "it is back");
      assert.equal(asked, 3);
      await nc.flush();
      await nc.close();
      await proxy.close();
      await server.close();
    });

    it("end the connection when they are refused twice in the same words, unless told otherwise", async () => {
      const server = await start("authorization { token: s3cret }");
      const proxy = await NetworkProxy.start(server.port);
      for (const ignoreAuthErrorAbort of [false, true]) {
        let token = "s3cret";
        const events: Status[] = [];
        const nc = await connect({
          servers: proxy.url,
          ...FAST,
          ignoreAuthErrorAbort,
          authenticator: tokenAuthenticator(() => token),
          onStatus: (status) => events.push(status),
        });
        token = "wrong";
        proxy.cut();
        const refusals = (): number =>
          events.filter((event) => event.type === "error" && event.error instanceof errors.AuthorizationError)
            .length;
        if (ignoreAuthErrorAbort) {
          await until(() => refusals() > 4, "it has tried often");
          token = "s3cret";
          await until(() => nc.stats().reconnects === 1, "it is back");
          await nc.close();
        } else {
          assert.ok((await soon(nc.closed(), "the end")) instanceof errors.AuthorizationError);
          assert.equal(refusals(), 2);
        }
      }
      await proxy.close();
      await server.close();
    });

    it("that cannot be given are the error", async () => {
      const server = await start("authorization { token: s3cret }");
      const authenticator = (): never => {
        throw new Error("no key at hand");
      };
      await assert.rejects(connect({ port: server.port, authenticator }), /no key at hand/);
      await assert.rejects(
        connect({ port: server.port, authenticator: 5 as never }),
        errors.InvalidArgumentError,
      );
      await server.close();
    });

    it("may not be enough for a subject: the one who asked is told", async () => {
      const server = await start(
        "authorization { users: [{ user: u, password: p, permissions: { publish: { deny: [no.pub] }, subscribe: { deny: [no.sub, 'no.sub q', 'mixed q'] } } }] }",
      );
      const events: Status[] = [];
      const nc = await connect({
        port: server.port,
        user: "u",
        pass: "p",
        onStatus: (status) => events.push(status),
      });
      const called = new Promise<Error | null>((resolve) => {
        nc.subscribe("no.sub", { callback: (error) => resolve(error) });
      });
      const fine = nc.subscribe("mixed", { callback: () => {} });
      const isViolation = (error: unknown): boolean =>
        error instanceof errors.PermissionViolationError &&
        error.operation === "subscription" &&
        error.subject === "no.sub";
      assert.ok(isViolation(await soon(called, "the callback")));
      const iterator = nc.subscribe("no.sub", { queue: "q" });
      await assert.rejects(async () => {
        for await (const _ of iterator) assert.fail("a message");
      }, isViolation);
      const why = await soon(iterator.closed, "the end");
      assert.ok(isViolation(why) && (why as PermissionViolationError).queue === "q");
      // Another subscription to the same subject, which is not in the group.
      const member = nc.subscribe("mixed", { queue: "q" });
      assert.ok((await soon(member.closed, "the member's end")) instanceof errors.PermissionViolationError);
      for (const noMux of [false, true]) {
        await assert.rejects(nc.request("no.pub", "", { timeout: 5_000, noMux }), (error: Error) => {
          assert.ok(error instanceof errors.RequestError);
          assert.ok(
            error.cause instanceof errors.PermissionViolationError && error.cause.operation === "publish",
          );
          return true;
        });
      }
      nc.publish("no.pub");
      await nc.flush();
      assert.equal(events.filter(({ type }) => type === "error").length, 6);
      assert.ok(!fine.isClosed() && !nc.isClosed());
      await nc.close();
      await server.close();
    });

    it("may not reach an inbox: the prefix says which it is", async () => {
      const server = await start(
        "authorization { users: [{ user: u, password: p, permissions: { subscribe: [mine.>, echo] } }] }",
      );
      const given = { port: server.port, user: "u", pass: "p" };
      const lost = await connect(given);
      await assert.rejects(lost.request("x", "", { timeout: 5_000 }), errors.RequestError);
      await assert.rejects(lost.request("x", "", { timeout: 5_000 }), errors.RequestError);
      const nc = await connect({ ...given, inboxPrefix: "mine" });
      nc.subscribe("echo", { callback: (_error, msg) => void msg.respond("here") });
      assert.equal((await nc.request("echo")).string(), "here");
      await lost.close();
      await nc.close();
      await server.close();
    });
  });
}
