/**
 * The protocol, exchange by exchange: what raw bytes a client sends and what comes back. The same table is run against this server and against
 * a real nats-server; where the two differ by intent, the exchange says why.
 *
 * Each step is sent on one of the connections, in order, and ends with a PING, so that everything before its PONG is the answer.
 * "<closed>" ends the answer of a server that closed the connection.
 */
export interface Exchange {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** [connection, what is sent, what comes back]. INFO lines are shown as "INFO". */
export type Step = readonly [on: string, send: string, answer: string];

const PING = "PING\r\n";
const PONG = "PONG\r\n";
const PLAIN = 'CONNECT {"verbose":false,"pedantic":false}\r\n';
const HEADERS = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n';

/** A client that has said CONNECT and been answered. */
const hello = (on: string, connect = PLAIN): Step => [on, connect + PING, PONG];

const UNKNOWN = "-ERR 'Unknown Protocol Operation'\r\n<closed>";

export const EXCHANGES: readonly Exchange[] = [
  {
    name: "without CONNECT, a client is verbose and pedantic",
    steps: [
      ["a", `SUB foo 1\r\n${PING}`, `+OK\r\n${PONG}`],
      ["a", `PUB foo 2\r\nhi\r\n${PING}`, `+OK\r\nMSG foo 1 2\r\nhi\r\n${PONG}`],
      ["a", `PUB foo.* 2\r\nhi\r\n${PING}`, `-ERR 'Invalid Publish Subject'\r\n+OK\r\n${PONG}`],
      ["a", `PUB a..b 0\r\n\r\n${PING}`, `-ERR 'Invalid Publish Subject'\r\n+OK\r\n${PONG}`],
      ["a", `UNSUB 1\r\n${PING}`, `+OK\r\n${PONG}`],
      ["a", `UNSUB unknown\r\n${PING}`, `+OK\r\n${PONG}`],
    ],
  },
  {
    name: "CONNECT is answered in verbose mode, and may leave everything to the defaults",
    steps: [
      ["a", `CONNECT {}\r\n${PING}`, `+OK\r\n${PONG}`],
      ["a", `SUB foo 1\r\n${PING}`, `+OK\r\n${PONG}`],
    ],
  },
  {
    name: "the first PING after CONNECT brings INFO for clients that take it",
    steps: [
      [
        "a",
        `CONNECT {"verbose":false,"protocol":1}\r\nSUB x 1\r\n${PING}PUB x 0\r\n\r\n${PING}`,
        `${PONG}INFOMSG x 1 0\r\n\r\n${PONG}`,
      ],
      ["b", `${PING}`, PONG],
      [
        "b",
        `CONNECT {"verbose":false,"protocol":1}\r\nSUB x 1\r\n${PING}PUB x 0\r\n\r\n${PING}`,
        `${PONG}INFOMSG x 1 0\r\n\r\n${PONG}`,
      ],
    ],
  },
  {
    name: "verbs in any case, tabs and runs of spaces between arguments",
    steps: [
      hello("a"),
      ["a", `sUb   foo\t 1  \r\nPuB \t foo  3\r\nabc\r\n${PING}`, `MSG foo 1 3\r\nabc\r\n${PONG}`],
      ["a", `pub\tfoo\treply\t3\nabc\r\nping\r\n`, `MSG foo 1 reply 3\r\nabc\r\n${PONG}`],
      ["a", `unsub 1\npInG and more\n`, PONG],
    ],
  },
  {
    name: "sizes are handed on as they were spelled",
    steps: [
      hello("a", HEADERS),
      ["a", `SUB foo 1\r\nPUB foo 0003\r\nabc\r\n${PING}`, `MSG foo 1 0003\r\nabc\r\n${PONG}`],
      [
        "a",
        `HPUB foo  012  0015\r\nNATS/1.0\r\n\r\nabc\r\n${PING}`,
        `HMSG foo 1 012 0015\r\nNATS/1.0\r\n\r\nabc\r\n${PONG}`,
      ],
      [
        "a",
        `HPUB foo r 12 15\r\nNATS/1.0\r\n\r\nabc\r\n${PING}`,
        `HMSG foo 1 r 12 15\r\nNATS/1.0\r\n\r\nabc\r\n${PONG}`,
      ],
      ["a", `HPUB foo 0 3\r\nabc\r\n${PING}`, `MSG foo 1 3\r\nabc\r\n${PONG}`],
    ],
  },
  {
    name: "headers are left out for clients without them",
    steps: [
      hello("old"),
      hello("new", HEADERS),
      ["old", `SUB foo 7\r\n${PING}`, PONG],
      [
        "new",
        `SUB foo 8\r\nHPUB foo reply 12 15\r\nNATS/1.0\r\n\r\nabc\r\n${PING}`,
        `HMSG foo 8 reply 12 15\r\nNATS/1.0\r\n\r\nabc\r\n${PONG}`,
      ],
      ["old", PING, `MSG foo 7 reply 3\r\nabc\r\n${PONG}`],
      ["old", `HPUB foo 12 15\r\nNATS/1.0\r\n\r\nabc\r\n${PING}`, "<closed>"],
    ],
  },
  {
    name: "payloads may hold anything",
    steps: [
      hello("a"),
      [
        "a",
        `SUB foo 1\r\nPUB foo 12\r\nPUB x 1\r\n\r\n\0\r\nPUB foo 0\r\n\r\n${PING}`,
        `MSG foo 1 12\r\nPUB x 1\r\n\r\n\0\r\nMSG foo 1 0\r\n\r\n${PONG}`,
      ],
    ],
  },
  {
    name: "a payload must end with CR LF",
    steps: [hello("a"), ["a", `PUB foo 3\r\nabcd\r\n${PING}`, UNKNOWN]],
  },
  { name: "an unknown verb", steps: [hello("a"), ["a", `BLA foo\r\n${PING}`, UNKNOWN]] },
  { name: "a verb of another kind of connection", steps: [hello("a"), ["a", `RS+ foo\r\n${PING}`, UNKNOWN]] },
  { name: "UNSUB without an id", steps: [hello("a"), ["a", `UNSUB\r\n${PING}`, UNKNOWN]] },
  { name: "PUB with too few arguments", steps: [hello("a"), ["a", `PUB foo\r\n${PING}`, "<closed>"]] },
  {
    name: "PUB with too many arguments",
    steps: [hello("a"), ["a", `PUB foo a b 1\r\nx\r\n${PING}`, "<closed>"]],
  },
  {
    name: "PUB with a size that is none",
    steps: [hello("a"), ["a", `PUB foo 1x\r\nx\r\n${PING}`, "<closed>"]],
  },
  { name: "PUB with a negative size", steps: [hello("a"), ["a", `PUB foo -1\r\n\r\n${PING}`, "<closed>"]] },
  {
    name: "PUB with a size of ten digits",
    steps: [hello("a"), ["a", `PUB foo 1234567890\r\n${PING}`, "<closed>"]],
  },
  {
    name: "HPUB with more headers than bytes",
    steps: [hello("a", HEADERS), ["a", `HPUB foo 5 3\r\nabc\r\n${PING}`, "<closed>"]],
  },
  { name: "SUB with too many arguments", steps: [hello("a"), ["a", `SUB foo q 1 2\r\n${PING}`, "<closed>"]] },
  { name: "SUB with too few arguments", steps: [hello("a"), ["a", `SUB foo\r\n${PING}`, "<closed>"]] },
  {
    name: "a payload larger than max_payload is refused at its line",
    steps: [hello("a"), ["a", `PUB foo 1048577\r\n${PING}`, "-ERR 'Maximum Payload Violation'\r\n<closed>"]],
  },
  {
    name: "a line longer than max_control_line",
    steps: [
      hello("a"),
      ["a", `SUB ${"x".repeat(4096)} 1\r\n${PING}`, "-ERR 'maximum control line exceeded'\r\n<closed>"],
    ],
  },
  {
    name: "a line as long as max_control_line",
    steps: [hello("a"), ["a", `SUB ${"x".repeat(4094)} 1\r\n${PING}`, PONG]],
  },
  { name: "CONNECT that is not JSON", steps: [["a", `CONNECT {"verbose":\r\n${PING}`, "<closed>"]] },
  {
    name: "CONNECT with a field of another type",
    steps: [["a", `CONNECT {"verbose":1}\r\n${PING}`, "<closed>"]],
  },
  {
    name: "CONNECT with fields in other case, unknown ones, and null",
    steps: [["a", `CONNECT {"VERBOSE":false,"new":1,"name":null}\r\n${PING}`, PONG]],
  },
  {
    name: "CONNECT with a protocol that there is not",
    steps: [
      [
        "a",
        `CONNECT {"verbose":false,"protocol":2}\r\n${PING}`,
        "-ERR 'invalid client protocol'\r\n<closed>",
      ],
    ],
  },
  {
    name: "CONNECT that wants no-responders without headers",
    steps: [
      [
        "a",
        `CONNECT {"no_responders":true}\r\n${PING}`,
        "-ERR 'no responders requires headers support'\r\n<closed>",
      ],
    ],
  },
  {
    name: "CONNECT that names an account",
    steps: [["a", `CONNECT {"account":"x"}\r\n${PING}`, "-ERR 'Authorization Violation'\r\n<closed>"]],
  },
  {
    name: "a second CONNECT drops the subscriptions, and changes what it names",
    steps: [
      hello("a"),
      ["a", `SUB foo 1\r\n${PING}`, PONG],
      ["a", `CONNECT {"verbose":true}\r\n${PING}`, `+OK\r\n${PONG}`],
      ["a", `PUB foo 1\r\nx\r\n${PING}`, `+OK\r\n${PONG}`],
      ["a", `SUB foo 1\r\nPUB foo 1\r\nx\r\n${PING}`, `+OK\r\n+OK\r\nMSG foo 1 1\r\nx\r\n${PONG}`],
    ],
  },
  {
    name: "an error that the client reports ends the connection",
    steps: [hello("a"), ["a", `-ERR 'me'\r\n${PING}`, "<closed>"]],
  },
  { name: "+OK from a client is ignored", steps: [hello("a"), ["a", `+OK\r\n${PING}`, PONG]] },
  { name: "INFO from a client is ignored", steps: [hello("a"), ["a", `INFO {"a":1}\r\n${PING}`, PONG]] },
  {
    name: "INFO from a client must be an object",
    steps: [hello("a"), ["a", `INFO 5\r\n${PING}`, "<closed>"]],
  },
  {
    name: "INFO from a client must be JSON",
    steps: [hello("a"), ["a", `INFO nonsense\r\n${PING}`, "<closed>"]],
  },
  { name: "PONG that nobody asked for", steps: [hello("a"), ["a", `PONG\r\n${PING}`, PONG]] },
  {
    name: "wildcards",
    steps: [
      hello("a"),
      ["a", `SUB *.b 1\r\nSUB a.> 2\r\nSUB a.b 3\r\n${PING}`, PONG],
      ["a", `PUB b.b 1\r\nx\r\n${PING}`, `MSG b.b 1 1\r\nx\r\n${PONG}`],
      ["a", `PUB a.c.d 1\r\nx\r\n${PING}`, `MSG a.c.d 2 1\r\nx\r\n${PONG}`],
      ["a", `PUB a 1\r\nx\r\nPUB a. 1\r\nx\r\nPUB .b 1\r\nx\r\nPUB a..b 1\r\nx\r\n${PING}`, PONG],
      ["a", `PUB x.* 1\r\nx\r\nPUB *.b 1\r\nx\r\n${PING}`, `MSG *.b 1 1\r\nx\r\n${PONG}`],
    ],
  },
  {
    name: "subjects that a subscription may not have",
    steps: [
      hello("a"),
      [
        "a",
        `SUB foo. 1\r\nSUB .foo 2\r\nSUB a..b 3\r\nSUB >.a 4\r\nSUB . 5\r\n${PING}`,
        `${"-ERR 'Invalid Subject'\r\n".repeat(5)}${PONG}`,
      ],
      [
        "a",
        `SUB foo* 6\r\nSUB a.>b 7\r\nSUB *> 8\r\nPUB foo* 1\r\nx\r\nPUB foox 1\r\nx\r\n${PING}`,
        `MSG foo* 6 1\r\nx\r\n${PONG}`,
      ],
      [
        "a",
        `SUB caf\u00c3\u00a9.\u00ff 9\r\nPUB caf\u00c3\u00a9.\u00ff 1\r\nx\r\n${PING}`,
        `MSG caf\u00c3\u00a9.\u00ff 9 1\r\nx\r\n${PONG}`,
      ],
    ],
  },
  {
    name: "an id that is taken stays with the first subscription",
    steps: [
      hello("a"),
      [
        "a",
        `SUB foo 1\r\nSUB bar 1\r\nPUB bar 1\r\nx\r\nPUB foo 1\r\ny\r\n${PING}`,
        `MSG foo 1 1\r\ny\r\n${PONG}`,
      ],
      [
        "a",
        `UNSUB 1\r\nSUB bar any-token\r\nPUB bar 1\r\nx\r\n${PING}`,
        `MSG bar any-token 1\r\nx\r\n${PONG}`,
      ],
    ],
  },
  {
    name: "UNSUB with a maximum counts from SUB",
    steps: [
      hello("a"),
      [
        "a",
        `SUB foo 1\r\nUNSUB 1 2\r\n${"PUB foo 1\r\nx\r\n".repeat(3)}${PING}`,
        `${"MSG foo 1 1\r\nx\r\n".repeat(2)}${PONG}`,
      ],
      [
        "a",
        `SUB foo 2\r\n${"PUB foo 1\r\nx\r\n".repeat(3)}UNSUB 2 3\r\nPUB foo 1\r\ny\r\n${PING}`,
        `${"MSG foo 2 1\r\nx\r\n".repeat(3)}${PONG}`,
      ],
      ["a", `SUB foo 3\r\nUNSUB 3 5\r\nUNSUB 3\r\nPUB foo 1\r\ny\r\n${PING}`, PONG],
      ["a", `SUB foo 4\r\nUNSUB 4 bad\r\nPUB foo 1\r\ny\r\n${PING}`, PONG],
    ],
  },
  {
    name: "a queue group gets a message once, by its name",
    steps: [
      hello("a"),
      ["a", `SUB foo.* q 1\r\nSUB foo.> q 1\r\nPUB foo.x 1\r\nx\r\n${PING}`, `MSG foo.x 1 1\r\nx\r\n${PONG}`],
      [
        "a",
        `SUB foo.x 2\r\nPUB foo.x 1\r\nx\r\n${PING}`,
        `MSG foo.x 2 1\r\nx\r\nMSG foo.x 1 1\r\nx\r\n${PONG}`,
      ],
      [
        "a",
        `SUB other _sys_ 3\r\n${PING}`,
        `-ERR 'Permissions Violation for Subscription to "other" using queue "_sys_"'\r\n${PONG}`,
      ],
    ],
  },
  {
    name: "echo off",
    steps: [
      hello(
        "a",
        'CONNECT {"verbose":false,"pedantic":false,"echo":false,"headers":true,"no_responders":true}\r\n',
      ),
      hello("b"),
      ["a", `SUB foo 1\r\nSUB reply 2\r\n${PING}`, PONG],
      ["a", `PUB foo 1\r\nx\r\n${PING}`, PONG],
      ["b", `PUB foo 1\r\ny\r\n${PING}`, PONG],
      ["a", PING, `MSG foo 1 1\r\ny\r\n${PONG}`],
      [
        "a",
        `PUB foo reply 1\r\nx\r\n${PING}`,
        `HMSG reply 2 35 35\r\nNATS/1.0 503\r\nNats-Subject: foo\r\n\r\n\r\n${PONG}`,
      ],
    ],
  },
  {
    name: "no responders",
    steps: [
      hello("a", HEADERS),
      [
        "a",
        `SUB inbox.* 1\r\nPUB nobody inbox.7 1\r\nx\r\n${PING}`,
        `HMSG inbox.7 1 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\n${PONG}`,
      ],
      ["a", `PUB nobody elsewhere 1\r\nx\r\nPUB nobody 1\r\nx\r\n${PING}`, PONG],
      ["a", `SUB inbox.* q 2\r\nUNSUB 1\r\nPUB nobody inbox.7 1\r\nx\r\n${PING}`, PONG],
      hello("plain"),
      ["plain", `SUB inbox 1\r\nPUB nobody inbox 1\r\nx\r\n${PING}`, PONG],
    ],
  },
  {
    name: "subjects and replies that only servers use",
    steps: [
      hello("a"),
      [
        "a",
        `SUB > 1\r\nPUB _GR_.x 1\r\nx\r\n${PING}`,
        `-ERR 'Permissions Violation for Publish to "_GR_.x"'\r\n${PONG}`,
      ],
      [
        "a",
        `PUB $NRG.x 1\r\nx\r\n${PING}`,
        `-ERR 'Permissions Violation for Publish to "$NRG.x"'\r\n${PONG}`,
      ],
      [
        "a",
        `PUB x _R_.a 1\r\nx\r\n${PING}`,
        `-ERR 'Permissions Violation for Publish with Reply of "_R_.a"'\r\n${PONG}`,
      ],
      [
        "a",
        `PUB x $JS.ACK.a 1\r\nx\r\n${PING}`,
        `-ERR 'Permissions Violation for Publish with Reply of "$JS.ACK.a"'\r\n${PONG}`,
      ],
      [
        "a",
        `PUB x _GR_.a 1\r\nx\r\n${PING}`,
        `-ERR 'Permissions Violation for Publish with Reply of "_GR_.a"'\r\n${PONG}`,
      ],
      ["a", `PUB x _INBOX.a 1\r\nx\r\n${PING}`, `MSG x 1 _INBOX.a 1\r\nx\r\n${PONG}`],
    ],
  },
  {
    name: "a message goes once to each subscription that matches",
    steps: [
      hello("a"),
      hello("b"),
      ["b", `SUB foo 1\r\n${PING}`, PONG],
      [
        "a",
        `SUB foo 1\r\nSUB foo 2\r\nPUB foo 1\r\nx\r\n${PING}`,
        `MSG foo 1 1\r\nx\r\nMSG foo 2 1\r\nx\r\n${PONG}`,
      ],
      ["b", PING, `MSG foo 1 1\r\nx\r\n${PONG}`],
    ],
  },
];

/** What a server answered, with what is its own masked. */
export function mask(answer: string): string {
  return answer.replace(/INFO \{.*?\} \r\n/g, "INFO");
}

/** The answer with the messages between two other lines in one order: which of several subscriptions comes first is open. */
export function sortMessages(answer: string): string {
  return answer.replace(/(?:H?MSG [^\r]*\r\n[^\r]*\r\n)+/g, (run) =>
    run
      .split(/(?=H?MSG )/)
      .sort()
      .join(""),
  );
}
