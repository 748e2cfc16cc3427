/** Whom a real nats-server lets in, seen from our client: also keys and JWTs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { credsAuthenticator, errors, jwtAuthenticator, nkeyAuthenticator, nkeys } from "@nats-io/nats-core";
import { connect } from "../../src/runtime/node/index.ts";
import { startReal } from "../support/configured-server.ts";
import { credentialsSuite } from "../support/credentials-suite.ts";
import { jwtSetup } from "../support/jwt.ts";
import { NetworkProxy } from "../support/proxy.ts";
import { until } from "../support/waiting.ts";

credentialsSuite("nats-server", startReal);

describe("keys of our client with nats-server", () => {
  it("may be an nkey, which signs every server's challenge anew", async () => {
    const user = nkeys.createUser();
    const server = await startReal(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
    const proxy = await NetworkProxy.start(server.port);
    const sign = nkeyAuthenticator(user.getSeed());
    const challenges = new Set<string | undefined>();
    const nc = await connect({
      servers: proxy.url,
      reconnectTimeWait: 5,
      reconnectJitter: 0,
      authenticator: (nonce) => {
        challenges.add(nonce);
        return sign(nonce);
      },
    });
    proxy.cut();
    await until(() => nc.stats().reconnects === 1, "it is back");
    await nc.flush();
    assert.equal(challenges.size, 2);
    await nc.close();
    await assert.rejects(
      connect({ port: server.port, authenticator: nkeyAuthenticator(nkeys.createUser().getSeed()) }),
      errors.AuthorizationError,
    );
    await proxy.close();
    await server.close();
  });

  it("may be a JWT with its seed, or a creds file", async () => {
    const setup = jwtSetup();
    const server = await startReal(setup.config);
    const { jwt, seed, creds } = setup.user();
    for (const authenticator of [
      jwtAuthenticator(jwt, seed),
      credsAuthenticator(creds),
      credsAuthenticator(() => creds),
    ]) {
      const nc = await connect({ port: server.port, authenticator });
      await nc.flush();
      await nc.close();
    }
    await assert.rejects(
      connect({ port: server.port, authenticator: jwtAuthenticator(jwt, nkeys.createUser().getSeed()) }),
      errors.AuthorizationError,
    );
    await assert.rejects(
      connect({ port: server.port, authenticator: credsAuthenticator(new Uint8Array(3)) }),
      /unable to parse credentials/,
    );
    await server.close();
  });
});
