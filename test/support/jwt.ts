import { createHash } from "node:crypto";
import { nkeys } from "@nats-io/nats-core";

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** An operator with an account, as nats-server's memory resolver takes them, and users of it. */
export interface JwtSetup {
  /** What goes into the configuration file. */
  readonly config: string;
  /** A new user: its JWT, its seed, and both as a creds file. */
  user(): { jwt: string; seed: Uint8Array; creds: Uint8Array };
}

/** Makes keys and JWTs (the format of nats-io/jwt, version 2). */
export function jwtSetup(): JwtSetup {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const system = nkeys.createAccount();
  const accountJwt = (keys: KeyPair, name: string): string =>
    sign(operator, keys.getPublicKey(), name, {
      type: "account",
      version: 2,
      limits: {
        subs: -1,
        data: -1,
        payload: -1,
        imports: -1,
        exports: -1,
        wildcards: true,
        conn: -1,
        leaf: -1,
      },
      default_permissions: { pub: {}, sub: {} },
      authorization: {},
    });
  const operatorJwt = sign(operator, operator.getPublicKey(), "O", {
    type: "operator",
    version: 2,
    system_account: system.getPublicKey(),
  });
  return {
    config: `operator: ${operatorJwt}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: {
  ${account.getPublicKey()}: ${accountJwt(account, "A")}
  ${system.getPublicKey()}: ${accountJwt(system, "SYS")}
}`,
    user() {
      const keys = nkeys.createUser();
      const seed = keys.getSeed();
      const jwt = sign(account, keys.getPublicKey(), "U", {
        type: "user",
        version: 2,
        pub: {},
        sub: {},
        subs: -1,
        data: -1,
        payload: -1,
      });
      const creds = `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${new TextDecoder().decode(seed)}
------END USER NKEY SEED------
`;
      return { jwt, seed, creds: new TextEncoder().encode(creds) };
    },
  };
}

function sign(issuer: KeyPair, subject: string, name: string, nats: Record<string, unknown>): string {
  const claims = { iat: Math.floor(Date.now() / 1000), iss: issuer.getPublicKey(), name, sub: subject, nats };
  const jti = createHash("sha256").update(JSON.stringify(claims)).digest("hex").toUpperCase();
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${encode({ typ: "JWT", alg: "ed25519-nkey" })}.${encode({ jti, ...claims })}`;
  return `${body}.${Buffer.from(issuer.sign(Buffer.from(body))).toString("base64url")}`;
}
