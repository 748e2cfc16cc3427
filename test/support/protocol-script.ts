/** Random NATS lines for fast-check: right ones with the calls that they must cause, and broken ones with their faults. */

import { decodeText, encodeText } from "../../src/protocol/text.ts";
import { bytesOf, concat, latin1 } from "./protocol-bytes.ts";
import { fc } from "./protocol-check.ts";
import type { ClientCall, FaultName } from "./protocol-recorder.ts";

/** Characters that a subject, a queue name or an id may have, among them some that are not ASCII or not even UTF-8. */
const TOKEN_CHARACTERS = [
  ..."abcdefghijklmnopqrstuvwxyzABCXYZ0123456789._$-*>{}\"'",
  "\u0001",
  "\u000b",
  "\u007f",
  "é",
  "ß",
  "日",
  "本",
  "😀",
  "\udcff",
];

/** A token of the wire: anything but separators. */
export const token: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(...TOKEN_CHARACTERS),
  minLength: 1,
  maxLength: 24,
});

/** A subject that a message may have; mostly one of the ordinary kind. */
export const subject: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.constantFrom("foo", "bar", "a", "orders", "日本", "_INBOX", "x1", "*"), {
        minLength: 1,
        maxLength: 5,
      })
      .map((tokens) => tokens.join(".")),
  },
  { weight: 2, arbitrary: token },
  { weight: 1, arbitrary: fc.integer({ min: 29, max: 300 }).map((length) => "long.".repeat(length / 5 + 1)) },
);

const piece = fc.oneof(
  fc.constantFrom("\r\n", "\r", "\n", " ", "PUB a 1\r\nx\r\n", "PING\r\n", "\0"),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => latin1(bytes)),
);

/** Any bytes, as latin1 text; many are empty or full of line ends and of things that look like lines. */
export const blob: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: fc.constant("") },
  { weight: 5, arbitrary: fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 6000 }))
      .map(([pieces, length]) => `${pieces.join("")}#`.repeat(length).slice(0, length)),
  },
);

/** Sizes of chunks; with 1 in them often, so that everything is split everywhere. */
export const chunkSizes: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
);

/** Bytes that a client may send, and the calls that they cause. */
export interface Element {
  readonly bytes: Uint8Array;
  readonly calls: readonly ClientCall[];
}

const separator = fc.oneof(
  { weight: 6, arbitrary: fc.constant(" ") },
  { weight: 1, arbitrary: fc.constantFrom("\t", "  ", " \t ", "\t\t", "      ") },
);
const lineEnd = fc.oneof(
  { weight: 6, arbitrary: fc.constant("\r\n") },
  { weight: 1, arbitrary: fc.constantFrom("\n", " \r\n", "\t\n", "   \n") },
);

/** The word with some letters small. */
function inAnyCase(word: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(word) },
    { weight: 1, arbitrary: fc.constant(word.toLowerCase()) },
    {
      weight: 1,
      arbitrary: fc.infiniteStream(fc.boolean()).map((small) => {
        const letters = [...word];
        return letters.map((letter) => (small.next().value ? letter.toLowerCase() : letter)).join("");
      }),
    },
  );
}

/** A size with zeros before it now and then: at most nine digits are read. */
const padding = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) },
);

/** The size as it may be spelled. */
export function spell(size: number, digits: number): string {
  return String(size).padStart(digits, "0");
}

/** The text as the server has it after a round over the wire. */
function onWire(text: string): string {
  const bytes = encodeText(text);
  return decodeText(bytes, 0, bytes.length);
}

/** What a `PUB` or `HPUB` is made of. */
export const publication = fc.record({
  subject,
  reply: fc.option(subject, { nil: undefined }),
  /** None: `PUB`. */
  headers: fc.option(blob, { nil: undefined }),
  payload: blob,
});

const publish: fc.Arbitrary<Element> = fc
  .tuple(
    publication,
    inAnyCase("HPUB"),
    fc.array(separator, { minLength: 5, maxLength: 5 }),
    lineEnd,
    padding,
    padding,
  )
  .map(([{ subject, reply, headers, payload }, word, gaps, end, headerDigits, sizeDigits]) => {
    const size = (headers ?? "").length + payload.length;
    const args = [encodeText(subject)];
    if (reply !== undefined) args.push(encodeText(reply));
    if (headers !== undefined) args.push(bytesOf(spell(headers.length, headerDigits)));
    args.push(bytesOf(spell(size, sizeDigits)));
    const parts = [bytesOf(headers === undefined ? word.slice(1) : word)];
    for (const [i, arg] of args.entries()) parts.push(bytesOf(gaps[i]), arg);
    parts.push(bytesOf(`${end}${headers ?? ""}${payload}\r\n`));
    const oneSpace = gaps.slice(1, args.length).every((gap) => gap === " ");
    return {
      bytes: concat(parts),
      calls: [
        {
          verb: "pub",
          subject: onWire(subject),
          reply: reply === undefined ? undefined : onWire(reply),
          headers: headers ?? "",
          payload,
          run: oneSpace && end === "\r\n" && headers !== "",
        },
      ],
    };
  });

/** A line of a verb and its arguments. */
function line(
  word: string,
  args: fc.Arbitrary<string[]>,
  call: (args: string[]) => ClientCall,
): fc.Arbitrary<Element> {
  return fc
    .tuple(inAnyCase(word), args, fc.array(separator, { minLength: 4, maxLength: 4 }), lineEnd)
    .map(([word, args, gaps, end]) => ({
      bytes: concat([
        bytesOf(word),
        ...args.flatMap((arg, i) => [bytesOf(gaps[i]), encodeText(arg)]),
        bytesOf(end),
      ]),
      calls: [call(args.map(onWire))],
    }));
}

const subscribe = fc.oneof(
  line("SUB", fc.tuple(subject, token), ([subject, sid]) => ({
    verb: "sub",
    subject,
    queue: undefined,
    sid,
  })),
  line("SUB", fc.tuple(subject, token, token), ([subject, queue, sid]) => ({
    verb: "sub",
    subject,
    queue,
    sid,
  })),
);

const unsubscribe = fc.oneof(
  line("UNSUB", fc.tuple(token), ([sid]) => ({ verb: "unsub", sid, max: undefined })),
  line(
    "UNSUB",
    fc.tuple(token, fc.integer({ min: 0, max: 999_999_999 }).map(String)),
    ([sid, max]): ClientCall => ({ verb: "unsub", sid, max: Number(max) > 0 ? Number(max) : undefined }),
  ),
);

/** What a client may give as a text: anything that JSON can hold. */
const jsonText = fc.string({ unit: "grapheme", maxLength: 20 });

/** The options of a `CONNECT`. */
export const connectOptions = fc.record(
  {
    verbose: fc.boolean(),
    pedantic: fc.boolean(),
    echo: fc.boolean(),
    headers: fc.boolean(),
    no_responders: fc.boolean(),
    protocol: fc.nat(3),
    user: jsonText,
    pass: jsonText,
    name: jsonText,
  },
  { requiredKeys: [] },
);

const connect: fc.Arbitrary<Element> = fc
  .tuple(
    inAnyCase("CONNECT"),
    connectOptions,
    fc.constantFrom("", " ", "\t", "   "),
    fc.constantFrom("\r\n", "\n"),
  )
  .map(([word, options, gap, end]) => ({
    bytes: encodeText(`${word}${gap}${JSON.stringify(options)}${end}`),
    calls: [{ verb: "connect", options: { ...options } }],
  }));

const heartbeat: fc.Arbitrary<Element> = fc
  .tuple(
    fc.constantFrom("PING", "PONG"),
    fc.constantFrom("\r\n", "\n", " \r\n", "xyz and more\r\n", "\r\r\n"),
    fc.boolean(),
  )
  .map(([word, end, small]) => ({
    bytes: bytesOf(`${small ? word.toLowerCase() : word}${end}`),
    calls: [{ verb: word === "PING" ? "ping" : "pong" }],
  }));

const ignored: fc.Arbitrary<Element> = fc
  .constantFrom("+OK\r\n", "+ok\n", "+OKAY then\r\n", 'INFO {"a":1}\r\n', "info\t{}\n", "INFO{} \r\n")
  .map((text) => ({ bytes: bytesOf(text), calls: [] }));

/** Something that a client may say. */
export const element: fc.Arbitrary<Element> = fc.oneof(
  { weight: 5, arbitrary: publish },
  { weight: 2, arbitrary: subscribe },
  { weight: 1, arbitrary: unsubscribe },
  { weight: 1, arbitrary: connect },
  { weight: 2, arbitrary: heartbeat },
  { weight: 1, arbitrary: ignored },
);

/** What breaks the protocol, whatever the limits are, and the fault that it is. */
export const BROKEN: readonly [text: string, fault: FaultName][] = [
  // No verb begins so; no line end is needed to see it.
  ["X", "unknownOperation"],
  ["\r\n", "unknownOperation"],
  ["\n", "unknownOperation"],
  [" PING\r\n", "unknownOperation"],
  ["MSG foo 1 2\r\nhi\r\n", "unknownOperation"],
  ["HMSG foo 1 0 2\r\nhi\r\n", "unknownOperation"],
  ["HX", "unknownOperation"],
  ["PUX", "unknownOperation"],
  ["PUBL", "unknownOperation"],
  ["PUB\r\n", "unknownOperation"],
  ["PUB{", "unknownOperation"],
  ["HPUB\n", "unknownOperation"],
  ["SUBS", "unknownOperation"],
  ["SUB\r\n", "unknownOperation"],
  ["UNSUB\r\n", "unknownOperation"],
  ["UNSUBX", "unknownOperation"],
  ["PIMG", "unknownOperation"],
  ["CONNECX", "unknownOperation"],
  ["INFX", "unknownOperation"],
  ["+OX", "unknownOperation"],
  ["+X", "unknownOperation"],
  ["-ERR\r\n", "unknownOperation"],
  ["-ERR'x'\r\n", "unknownOperation"],
  ["RS+ a b\r\n", "unknownOperation"],
  ["LS+ a\r\n", "unknownOperation"],
  ["A+ a\r\n", "unknownOperation"],
  ["\xff\xfe", "unknownOperation"],
  ["\0", "unknownOperation"],
  // Lines whose arguments are wrong.
  ["PUB \r\n", "malformed"],
  ["PUB foo\r\n", "malformed"],
  ["PUB foo\n", "malformed"],
  ["PUB foo \r\n", "malformed"],
  ["PUB foo bar baz 1\r\n", "malformed"],
  ["PUB foo bar\r\n", "malformed"],
  ["PUB foo -1\r\n", "malformed"],
  ["PUB foo +1\r\n", "malformed"],
  ["PUB foo 1x\r\n", "malformed"],
  ["PUB foo 1.0\r\n", "malformed"],
  ["PUB foo 0x1\r\n", "malformed"],
  ["PUB foo 0000000001\r\n", "malformed"],
  ["PUB foo 1000000000\r\n", "malformed"],
  ["PUB foo\rX", "malformed"],
  ["PUB foo 1\r\r\n", "malformed"],
  ["PUB foo 1 \r1\r\n", "malformed"],
  ["HPUB \r\n", "malformed"],
  ["HPUB foo 1\r2\r\n", "malformed"],
  ["HPUB foo 2\r\n", "malformed"],
  ["HPUB foo 3 2\r\n", "malformed"],
  ["HPUB foo x 2\r\n", "malformed"],
  ["HPUB foo -1 2\r\n", "malformed"],
  ["HPUB foo bar x 2\r\n", "malformed"],
  ["HPUB foo 0000000001 2\r\n", "malformed"],
  ["HPUB foo bar baz 1 2\r\n", "malformed"],
  ["SUB \r\n", "malformed"],
  ["SUB foo\r\n", "malformed"],
  ["SUB foo bar baz 1\r\n", "malformed"],
  ["UNSUB \r\n", "malformed"],
  ["UNSUB 1 2 3\r\n", "malformed"],
  ["CONNECT\r\n", "malformed"],
  ["CONNECT \r\n", "malformed"],
  ["CONNECT {\r\n", "malformed"],
  ["CONNECT []\r\n", "malformed"],
  ["CONNECT 1\r\n", "malformed"],
  ['CONNECT "a"\r\n', "malformed"],
  ["CONNECT {} {}\r\n", "malformed"],
  ["CONNECT {'verbose':true}\r\n", "malformed"],
  ['CONNECT {"verbose":"yes"}\r\n', "malformed"],
  ['CONNECT {"verbose":1}\r\n', "malformed"],
  ['CONNECT {"protocol":"1"}\r\n', "malformed"],
  ['CONNECT {"protocol":1.5}\r\n', "malformed"],
  ['CONNECT {"name":{}}\r\n', "malformed"],
  ['CONNECT {"user":1}\r\n', "malformed"],
  ["INFO\r\n", "malformed"],
  ["INFO nonsense\r\n", "malformed"],
  ["INFO {\n", "malformed"],
  // A payload that does not end with CRLF.
  ["PUB foo 0\r\nx\r\n", "unknownOperation"],
  ["PUB foo 2\r\nabc\r\n", "unknownOperation"],
  ["PUB foo 2\r\nab\n", "unknownOperation"],
  ["PUB foo 2\r\nab\rx", "unknownOperation"],
  ["PUB foo 3\r\nab\r\nPING\r\n", "unknownOperation"],
  ["HPUB foo 1 2\r\nabc\r\n", "unknownOperation"],
  // The client's own error.
  ["-ERR 'bad'\r\n", "clientError"],
  ["-err\tbad\n", "clientError"],
];

/** Some elements, then perhaps something broken, with more after it that nobody reads. */
export const script: fc.Arbitrary<{ bytes: Uint8Array; calls: ClientCall[] }> = fc
  .tuple(
    fc.array(element, { maxLength: 12 }),
    fc.option(fc.constantFrom(...BROKEN), { nil: undefined }),
    fc.array(element, { maxLength: 2 }),
  )
  .map(([elements, broken, rest]) => {
    const parts = elements.map((one) => one.bytes);
    const calls = elements.flatMap((one) => one.calls);
    if (broken !== undefined) {
      parts.push(bytesOf(broken[0]), ...rest.map((one) => one.bytes));
      calls.push({ verb: "fault", fault: broken[1] });
    }
    return { bytes: concat(parts), calls };
  });
