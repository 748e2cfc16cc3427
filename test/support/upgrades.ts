import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WebsocketOptions } from "../../src/server/options/types.ts";
import { RawClient } from "./raw-client.ts";

/** Requests to the WebSocket listener: the same table is run against this server and against a real nats-server. */
interface UpgradeCase {
  readonly name: string;
  readonly options?: Partial<WebsocketOptions>;
  readonly method?: string;
  readonly path?: string;
  /** Headers in place of the usual ones; null for none. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Sent right behind the request. */
  readonly early?: string;
  /** The status line and headers, without those that vary, and the body; for an upgrade, up to INFO. */
  readonly answer: readonly string[];
  /** What this server does otherwise, and why. */
  readonly ours?: { readonly answer: readonly string[]; readonly why: string };
}

const USUAL = {
  Host: "nats.example",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};
const UPGRADED = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];
const INFO = "<INFO>";
const COMPRESSED = "<a compressed frame>";
const ACCEPTED = [...UPGRADED, "", INFO];

function refused(status: string): string[] {
  return [
    `HTTP/1.1 ${status}`,
    "Content-Type: text/plain; charset=utf-8",
    "Sec-Websocket-Version: 13",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${status.length - 3}`,
    "",
    `${status.slice(4)}\n`,
  ];
}

const BAD = refused("400 Bad Request");
const FORBIDDEN = refused("403 Forbidden");
const DEFLATE =
  "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover";

export const UPGRADES: readonly UpgradeCase[] = [
  { name: "the usual request", answer: ACCEPTED },
  { name: "any path", path: "/a/b?c=d", answer: ACCEPTED },
  {
    name: "headers with several tokens, in any case",
    headers: { Upgrade: "h2c, WebSocket", Connection: "keep-alive, UPGRADE" },
    answer: ACCEPTED,
  },
  { name: "another method", method: "POST", answer: refused("405 Method Not Allowed") },
  {
    name: "another method, and no upgrade",
    method: "PUT",
    headers: { Upgrade: null },
    answer: refused("405 Method Not Allowed"),
  },
  { name: "no Upgrade", headers: { Upgrade: null }, answer: BAD },
  { name: "another Upgrade", headers: { Upgrade: "h2c" }, answer: BAD },
  { name: "no Connection", headers: { Connection: null }, answer: BAD },
  { name: "another Connection", headers: { Connection: "close" }, answer: BAD },
  { name: "no key", headers: { "Sec-WebSocket-Key": null }, answer: BAD },
  { name: "a key that is too short", headers: { "Sec-WebSocket-Key": "c2hvcnQ=" }, answer: BAD },
  {
    name: "a key that is no base64",
    headers: { "Sec-WebSocket-Key": "~~~~~~~~~~~~~~~~~~~~~~==" },
    answer: BAD,
  },
  { name: "no version", headers: { "Sec-WebSocket-Version": null }, answer: BAD },
  { name: "version 8", headers: { "Sec-WebSocket-Version": "8" }, answer: BAD },
  { name: "MQTT, which is not served", path: "/x/mqtt", answer: refused("404 Not Found") },
  { name: "a leaf node, which is not served", path: "/leafnode", answer: [...UPGRADED, "", "<closed>"] },
  { name: "any origin", headers: { Origin: "http://elsewhere" }, answer: ACCEPTED },
  {
    name: "the same origin",
    options: { sameOrigin: true },
    headers: { Origin: "http://nats.example" },
    answer: ACCEPTED,
  },
  {
    name: "the same origin, with its port",
    options: { sameOrigin: true },
    headers: { Origin: "HTTP://NATS.example:80" },
    answer: ACCEPTED,
  },
  { name: "no origin where it must be the same", options: { sameOrigin: true }, answer: ACCEPTED },
  {
    name: "another origin",
    options: { sameOrigin: true },
    headers: { Origin: "http://elsewhere" },
    answer: FORBIDDEN,
  },
  {
    name: "another scheme",
    options: { sameOrigin: true },
    headers: { Origin: "https://nats.example:80" },
    answer: FORBIDDEN,
  },
  {
    name: "an origin that is none",
    options: { sameOrigin: true },
    headers: { Origin: "null" },
    answer: FORBIDDEN,
  },
  {
    name: "an origin of the list",
    options: { allowedOrigins: ["https://a.example", "http://b.example:8080"] },
    headers: { Origin: "http://b.example:8080" },
    answer: ACCEPTED,
  },
  {
    name: "an origin of the list, with another port",
    options: { allowedOrigins: ["https://a.example", "http://b.example:8080"] },
    headers: { Origin: "https://a.example:8080" },
    answer: FORBIDDEN,
  },
  {
    name: "compression that is offered, and not on",
    headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
    answer: ACCEPTED,
  },
  {
    name: "compression that is offered, and on",
    options: { compression: true },
    headers: { "Sec-WebSocket-Extensions": "x-other, permessage-deflate; client_max_window_bits" },
    answer: [...UPGRADED, DEFLATE, "", COMPRESSED],
  },
  { name: "compression that is not offered", options: { compression: true }, answer: ACCEPTED },
  {
    name: "headers of its own",
    options: { headers: { "X-Served-By": "nats" } },
    answer: [...UPGRADED, "X-Served-By: nats", "", INFO],
  },
  { name: "a subprotocol", headers: { "Sec-WebSocket-Protocol": "nats, chat" }, answer: ACCEPTED },
  {
    name: "no masking, which leaf nodes ask for",
    headers: { "Nats-No-Masking": "true" },
    answer: [...UPGRADED, "Nats-No-Masking: true", "", INFO],
    ours: {
      answer: ACCEPTED,
      why: "ws has clients mask what they send; whoever asks goes on with masking then",
    },
  },
  { name: "bytes before the answer", early: "\x82\x80abcd", answer: ["<closed>"] },
];

/** A server that the table is run against. */
export interface WebsocketServerUnderTest {
  readonly port: number;
  close(): Promise<void>;
}

/** Runs the table. */
export function upgradesSuite(
  name: string,
  ours: boolean,
  start: (options: Partial<WebsocketOptions>) => Promise<WebsocketServerUnderTest>,
): void {
  describe(name, () => {
    for (const each of UPGRADES) {
      it(each.name, async () => {
        const server = await start(each.options ?? {});
        try {
          const client = await RawClient.openUngreeted(server.port);
          const wanted = (ours ? each.ours?.answer : undefined) ?? each.answer;
          client.send(requestOf(each));
          assert.deepEqual(await answerOf(client, wanted), wanted);
          client.close();
        } finally {
          await server.close();
        }
      });
    }

    it("answers frames that come together with one", async () => {
      const server = await start({});
      try {
        const client = await RawClient.openUngreeted(server.port);
        client.send(requestOf({}));
        await client.take(/INFO .*\r\n/);
        client.send(frameOf('CONNECT {"verbose":false}\r\nPING\r\n'));
        await client.take(/^\x82\x06PONG\r\n/);
        client.send(["PING\r\n", "SUB a 1\r\n", "PUB a 5\r\nhel", "lo\r\nPING\r\n"].map(frameOf).join(""));
        const answer = "PONG\r\nMSG a 1 5\r\nhello\r\nPONG\r\n";
        assert.equal(
          await client.take(/PONG[\s\S]*PONG\r\n/),
          `\x82${String.fromCharCode(answer.length)}${answer}`,
        );
        client.close();
      } finally {
        await server.close();
      }
    });
  });
}

/** A binary frame of a client, whose mask changes nothing. */
function frameOf(text: string): string {
  return `\x82${String.fromCharCode(0x80 | text.length)}\0\0\0\0${text}`;
}

function requestOf({ method = "GET", path = "/", headers = {}, early = "" }: Partial<UpgradeCase>): string {
  const lines = Object.entries({ ...USUAL, ...headers }).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}\r\n`],
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${early}`;
}

/** Reads as much as is expected. Whether the connection is kept after a refusal is not compared: Node gives it up. */
async function answerOf(client: RawClient, wanted: readonly string[]): Promise<string[]> {
  const end = wanted[wanted.length - 1];
  if (end === "<closed>" && wanted.length === 1) return [...lines(await client.end()), "<closed>"];
  const head = lines((await client.take(/^[\s\S]*?\r\n\r\n/)).slice(0, -4));
  if (end === "<closed>") return [...head, "", `${await client.end()}<closed>`];
  if (end === COMPRESSED) {
    await client.take(/^\xc2\x7e/);
    return [...head, "", COMPRESSED];
  }
  if (end === INFO) {
    const frame = await client.take(/INFO .*\r\n/);
    assert.match(frame, /^\x82\x7e..INFO \{/s);
    return [...head, "", INFO];
  }
  return [...head, "", await client.take(/\n/)];
}

function lines(text: string): string[] {
  return text
    .split("\r\n")
    .filter((line) => line !== "" && !/^(Date|Connection: (close|keep-alive)|Keep-Alive)/.test(line));
}
