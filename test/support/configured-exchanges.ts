/**
 * Raw exchanges with servers that have a configuration file: who may connect, and what they may do. The same files are given to this
 * server and to a real nats-server.
 */
import type { Exchange, Step } from "./exchanges.ts";

/** Exchanges with a server that was started with a file. */
export interface ConfiguredExchanges {
  readonly name: string;
  readonly config: string;
  readonly exchanges: readonly Exchange[];
}

const PING = "PING\r\n";
const PONG = "PONG\r\n";
const VIOLATION = "-ERR 'Authorization Violation'\r\n<closed>";

function connectAs(fields: string): string {
  return `CONNECT {"verbose":false,"pedantic":false${fields === "" ? "" : `,${fields}`}}\r\n`;
}

const hello = (on: string, fields: string): Step => [on, connectAs(fields) + PING, PONG];
const user = (name: string, password: string): string => `"user":"${name}","pass":"${password}"`;
const deniedPub = (subject: string): string => `-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`;
const deniedSub = (subject: string, queue?: string): string =>
  `-ERR 'Permissions Violation for Subscription to "${subject}"${queue === undefined ? "" : ` using queue "${queue}"`}'\r\n`;

/** The password "secret". */
const HASH = "$2a$04$6zuvJCPatCEreqmDLaFecePzV61c3CQWF/CYY3QRfPigDQMJefZPe";

export const CONFIGURED: readonly ConfiguredExchanges[] = [
  {
    name: "a user and a password",
    config: `authorization { user: joe, password: "secret" }`,
    exchanges: [
      { name: "lets the user in", steps: [hello("a", user("joe", "secret"))] },
      { name: "refuses a wrong password", steps: [["a", connectAs(user("joe", "secre")), VIOLATION]] },
      { name: "refuses a wrong user", steps: [["a", connectAs(user("jo", "secret")), VIOLATION]] },
      { name: "refuses nobody in particular", steps: [["a", connectAs(""), VIOLATION]] },
      { name: "refuses a token", steps: [["a", connectAs(`"auth_token":"secret"`), VIOLATION]] },
      { name: "refuses a PING before CONNECT", steps: [["a", PING, VIOLATION]] },
      { name: "refuses anything before CONNECT", steps: [["a", "x", VIOLATION]] },
      { name: "refuses a line end before CONNECT", steps: [["a", "\r\n", VIOLATION]] },
      {
        name: "closes without a word when CONNECT is not JSON",
        steps: [["a", "CONNECT x\r\n", "<closed>"]],
      },
      {
        name: "calls an operation unknown that begins as CONNECT does",
        steps: [["a", "CONNEXT x\r\n", "-ERR 'Unknown Protocol Operation'\r\n<closed>"]],
      },
      {
        name: "refuses who names an account",
        steps: [["a", connectAs(`${user("joe", "secret")},"account":"x"`), VIOLATION]],
      },
      {
        name: "checks a second CONNECT, too",
        steps: [hello("a", user("joe", "secret")), ["a", connectAs(user("joe", "x")), VIOLATION]],
      },
    ],
  },
  {
    name: "a token",
    config: `authorization { token: "s3cret" }`,
    exchanges: [
      { name: "lets the token in", steps: [hello("a", `"auth_token":"s3cret"`)] },
      { name: "refuses another", steps: [["a", connectAs(`"auth_token":"s3cre"`), VIOLATION]] },
      { name: "refuses none", steps: [["a", connectAs(user("s3cret", "s3cret")), VIOLATION]] },
    ],
  },
  {
    name: "passwords as bcrypt hashes",
    config: `authorization { users: [ {user: joe, password: ${HASH}}, {user: amy, password: "${HASH}"} ] }`,
    exchanges: [
      {
        name: "lets the user in, and reads what came after CONNECT",
        steps: [
          [
            "a",
            `${connectAs(user("joe", "secret"))}SUB x 1\r\nPUB x 2\r\nhi\r\n${PING}`,
            `MSG x 1 2\r\nhi\r\n${PONG}`,
          ],
          ["a", `PUB x 2\r\nho\r\n${PING}`, `MSG x 1 2\r\nho\r\n${PONG}`],
          hello("b", user("amy", "secret")),
        ],
      },
      { name: "refuses a wrong password", steps: [["a", connectAs(user("joe", "x")) + PING, VIOLATION]] },
      { name: "refuses the hash", steps: [["a", connectAs(user("joe", HASH)), VIOLATION]] },
    ],
  },
  {
    name: "permissions",
    config: `
authorization {
  default_permissions = { publish: "default.>", subscribe: ["default.>", "_INBOX.>"] }
  users = [
    { user: all, password: p, permissions: { publish: ">", subscribe: ">" } }
    { user: some, password: p, permissions: {
        publish: { allow: ["x.*", "req"], deny: "x.no" }
        subscribe: { allow: ["foo.*", "q.> v1", "both", "both v1", "pat w.*"], deny: ["foo.bad", "foo.queue dq"] } } }
    { user: rest, password: p, permissions: { subscribe: { deny: ["secret.>", "top.*.x"] } } }
    { user: fallback, password: p }
    { user: serve, password: p, permissions: { subscribe: "req", allow_responses: { max: 2, expires: "1m" } } }
    { user: once, password: p, permissions: { subscribe: "req", publish: "other", allow_responses: true } }
    { user: none, password: p, permissions: { publish: [], subscribe: [] } }
  ]
}`,
    exchanges: [
      {
        name: "to publish: what is allowed without what is denied",
        steps: [
          hello("a", user("some", "p")),
          [
            "a",
            `PUB x.1 0\r\n\r\nPUB x.no 0\r\n\r\nPUB y 0\r\n\r\n${PING}`,
            deniedPub("x.no") + deniedPub("y") + PONG,
          ],
          ["a", `PUB x.* 0\r\n\r\nPUB x.> 0\r\n\r\nPUB x.1.2 0\r\n\r\n${PING}`, deniedPub("x.1.2") + PONG],
        ],
      },
      {
        name: "to publish: no +OK for what is denied",
        steps: [
          [
            "a",
            `CONNECT {${user("some", "p")}}\r\nPUB y 0\r\n\r\n${PING}`,
            `+OK\r\n${deniedPub("y")}${PONG}`,
          ],
        ],
      },
      {
        name: "to subscribe: what is allowed without what is denied",
        steps: [
          hello("a", user("some", "p")),
          [
            "a",
            `SUB foo.1 1\r\nSUB foo.bad 2\r\nSUB foo 3\r\n${PING}`,
            deniedSub("foo.bad") + deniedSub("foo") + PONG,
          ],
          ["a", `SUB foo.> 4\r\nSUB foo.* 5\r\nSUB > 6\r\n${PING}`, deniedSub(">") + PONG],
        ],
      },
      {
        name: "to subscribe: queues by name and pattern",
        steps: [
          hello("a", user("some", "p")),
          [
            "a",
            `SUB q.a v1 1\r\nSUB q.a 2\r\nSUB q.a v2 3\r\n${PING}`,
            deniedSub("q.a") + deniedSub("q.a", "v2") + PONG,
          ],
          ["a", `SUB both 4\r\nSUB both v1 5\r\nSUB both v2 6\r\n${PING}`, deniedSub("both", "v2") + PONG],
          [
            "a",
            `SUB pat w.1 7\r\nSUB pat w 8\r\nSUB foo.queue dq 9\r\nSUB foo.queue dp 10\r\nSUB foo.queue 11\r\n${PING}`,
            deniedSub("pat", "w") + deniedSub("foo.queue", "dq") + PONG,
          ],
        ],
      },
      {
        name: "a wider subscription gets all but what is denied",
        steps: [
          hello("a", user("rest", "p")),
          hello("b", user("all", "p")),
          ["a", `SUB > 1\r\nSUB secret.x 2\r\nSUB top.> q 3\r\n${PING}`, deniedSub("secret.x") + PONG],
          [
            "b",
            `PUB secret.x 0\r\n\r\nPUB open 0\r\n\r\nPUB top.1.x 0\r\n\r\nPUB top.1.y 0\r\n\r\n${PING}`,
            PONG,
          ],
          ["a", PING, `MSG open 1 0\r\n\r\nMSG top.1.y 1 0\r\n\r\nMSG top.1.y 3 0\r\n\r\n${PONG}`],
        ],
      },
      {
        name: "default_permissions hold for users without permissions",
        steps: [
          hello("a", user("fallback", "p")),
          [
            "a",
            `SUB default.x 1\r\nSUB x 2\r\nPUB default.x 0\r\n\r\nPUB x 0\r\n\r\n${PING}`,
            `${deniedSub("x")}MSG default.x 1 0\r\n\r\n${deniedPub("x")}${PONG}`,
          ],
        ],
      },
      {
        name: "empty lists say nothing",
        steps: [
          hello("a", user("none", "p")),
          ["a", `SUB x 1\r\nPUB x 0\r\n\r\n${PING}`, `MSG x 1 0\r\n\r\n${PONG}`],
        ],
      },
      {
        name: "allow_responses: as many answers as it says, to requests that came",
        steps: [
          hello("s", user("serve", "p")),
          hello("c", user("all", "p")),
          ["s", `SUB req 1\r\nPUB answer 0\r\n\r\n${PING}`, deniedPub("answer") + PONG],
          ["c", `SUB answer 1\r\nPUB req answer 0\r\n\r\n${PING}`, PONG],
          [
            "s",
            `PUB answer 1\r\n1\r\nPUB answer 1\r\n2\r\nPUB answer 1\r\n3\r\nPUB else 0\r\n\r\n${PING}`,
            `MSG req 1 answer 0\r\n\r\n${deniedPub("answer")}${deniedPub("else")}${PONG}`,
          ],
          ["c", PING, `MSG answer 1 1\r\n1\r\nMSG answer 1 1\r\n2\r\n${PONG}`],
        ],
      },
      {
        name: "allow_responses beside what may be published: once",
        steps: [
          hello("s", user("once", "p")),
          hello("c", user("all", "p")),
          ["s", `SUB req 1\r\n${PING}`, PONG],
          ["c", `PUB req answer 0\r\n\r\n${PING}`, PONG],
          [
            "s",
            `PUB other 0\r\n\r\nPUB answer 0\r\n\r\nPUB answer 0\r\n\r\n${PING}`,
            `MSG req 1 answer 0\r\n\r\n${deniedPub("answer")}${PONG}`,
          ],
        ],
      },
    ],
  },
  {
    name: "no_auth_user",
    config: `
authorization { users = [ { user: joe, password: p }, { user: nobody, password: n, permissions: { publish: "open" } } ] }
no_auth_user: nobody`,
    exchanges: [
      {
        name: "stands for who names none, and for who does not even say CONNECT",
        steps: [
          hello("a", ""),
          ["a", `PUB closed 0\r\n\r\n${PING}`, deniedPub("closed") + PONG],
          ["b", `PUB closed 0\r\n\r\n${PING}`, deniedPub("closed") + PONG],
        ],
      },
      { name: "not for who names a wrong one", steps: [["a", connectAs(user("jim", "p")), VIOLATION]] },
      { name: "not for who has a password only", steps: [["a", connectAs(`"pass":"p"`), VIOLATION]] },
    ],
  },
  {
    name: "ways in",
    config: `
authorization { users = [
  { user: std, password: p, allowed_connection_types: [standard] }
  { user: ws, password: p, allowed_connection_types: ["WEBSOCKET", "MQTT"] } ] }`,
    exchanges: [
      { name: "a user of sockets", steps: [hello("a", user("std", "p"))] },
      { name: "a user of others", steps: [["a", connectAs(user("ws", "p")), VIOLATION]] },
    ],
  },
  {
    name: "accounts",
    config: `
accounts {
  A { users = [ { user: a, password: p } ], limits: { max_conn: 2, max_subs: 2, max_payload: 10 } }
  B { users = [ { user: b, password: p }, { user: b2, password: p, permissions: { subscribe: "x" } } ], default_permissions: { publish: "x" } }
  SYS { users = [ { user: sys, password: p } ] }
}
system_account: SYS`,
    exchanges: [
      {
        name: "are subject spaces of their own",
        steps: [
          hello("a", user("a", "p")),
          hello("b", user("b", "p")),
          ["a", `SUB x 1\r\n${PING}`, PONG],
          ["b", `SUB x 1\r\nPUB x 1\r\nb\r\n${PING}`, `MSG x 1 1\r\nb\r\n${PONG}`],
          ["a", `PUB x 1\r\na\r\n${PING}`, `MSG x 1 1\r\na\r\n${PONG}`],
        ],
      },
      {
        name: "default permissions of one",
        steps: [
          hello("b", user("b", "p")),
          ["b", `PUB y 0\r\n\r\n${PING}`, deniedPub("y") + PONG],
          hello("c", user("b2", "p")),
          ["c", `PUB y 0\r\n\r\nSUB y 1\r\n${PING}`, deniedSub("y") + PONG],
        ],
      },
      {
        name: "limits: connections",
        steps: [
          hello("a", user("a", "p")),
          hello("b", user("a", "p")),
          ["c", connectAs(user("a", "p")), "-ERR 'maximum account active connections exceeded'\r\n<closed>"],
        ],
      },
      {
        name: "limits: subscriptions and payload",
        steps: [
          hello("a", user("a", "p")),
          [
            "a",
            `SUB x 1\r\nSUB y 2\r\nSUB z 3\r\n${PING}`,
            `-ERR 'maximum subscriptions exceeded'\r\n${PONG}`,
          ],
          ["a", "PUB n 11\r\nhello world\r\n", "-ERR 'Maximum Payload Violation'\r\n<closed>"],
        ],
      },
      {
        name: "limits: payload of what comes together with CONNECT",
        steps: [
          [
            "a",
            `${connectAs(user("a", "p"))}PUB n 11\r\nhello world\r\n${PING}`,
            "-ERR 'Maximum Payload Violation'\r\n<closed>",
          ],
        ],
      },
      {
        name: "the user of the system account may use subjects of servers",
        steps: [hello("s", user("sys", "p")), ["s", `PUB $NRG.x 0\r\n\r\n${PING}`, PONG]],
      },
      { name: "nobody gets in without a user", steps: [["x", connectAs(""), VIOLATION]] },
    ],
  },
  {
    name: "users of the system account only",
    config: `accounts { $SYS { users = [ { user: sys, password: p } ] } }`,
    exchanges: [
      {
        name: "leave the global account open",
        steps: [hello("a", ""), ["a", `SUB x 1\r\nPUB x 0\r\n\r\n${PING}`, `MSG x 1 0\r\n\r\n${PONG}`]],
      },
      { name: "let the system user in", steps: [hello("a", user("sys", "p"))] },
      { name: "refuse others", steps: [["a", connectAs(user("joe", "p")), VIOLATION]] },
    ],
  },
  {
    name: "tokens of a subject",
    config: "max_sub_tokens: 3",
    exchanges: [
      {
        name: "may be as many as max_sub_tokens",
        steps: [
          hello("a", ""),
          [
            "a",
            `SUB a.b.c 1\r\nSUB a.b.c.d 2\r\n${PING}`,
            `-ERR 'Permissions Violation for Subscription to "a.b.c.d", too many tokens'\r\n${PONG}`,
          ],
        ],
      },
    ],
  },
];
