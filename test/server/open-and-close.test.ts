/** Connections that come and go without end, cut off wherever they are: nothing is left of them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { WebSocket } from "ws";
import { type Connection, connect, NatsServer } from "../../src/runtime/node/index.ts";
import { certificate, pem } from "../support/tls-files.ts";
import { until } from "../support/waiting.ts";

/** Where clients are cut off: what they have said by then. */
const SAID = [
  "",
  "CON",
  'CONNECT {"verbose":false,"name":"a',
  'CONNECT {"verbose":false}\r\n',
  'CONNECT {"verbose":false}\r\nSUB left.behi',
  'CONNECT {"verbose":false}\r\nSUB left.behind 1\r\nSUB left.* workers 2\r\nUNSUB 2 10\r\nPING\r\n',
  'CONNECT {"verbose":false}\r\nSUB left.behind 1\r\nPUB left.behind 100000\r\nabc',
  'CONNECT {"verbose":false}\r\nSUB left.behind 1\r\nPUB left.behind 3\r\nabc\r\nPUB left.behind 3\r\nabc\r\nPI',
  "nonsense\r\n",
] as const;

/** How they end. */
const ENDS = ["in order", "at once", "by a reset"] as const;

/** Clients at a time, and rounds of them. */
const AT_A_TIME = 27;
const ROUNDS = 60;
/** The first rounds fill what is kept for later: code, buffers, tables. */
const WARM_ROUNDS = 15;
/**
 * What a connection may leave in the heap (bytes): what monitoring tells of connections that have gone, of 10,000 of which that is kept, and some noise; far less
 * than the objects of one take (7,000 and more).
 */
const LEFT_MAX = 3_000;

/** The heap that is in use once everything that nobody holds is gone. */
function heap(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** How many timers there are, and sockets. */
function count(kind: "Timeout" | "TCPSocketWrap"): number {
  return process.getActiveResourcesInfo().filter((each) => each === kind).length;
}

interface Servers {
  readonly plain: NatsServer;
  readonly secured: NatsServer;
}

function cut(socket: Socket, end: (typeof ENDS)[number]): void {
  if (end === "in order") socket.end();
  else if (end === "at once") socket.destroy();
  else socket.resetAndDestroy();
}

/** Connects to a port, and keeps quiet about what goes wrong. */
async function dial(port: number): Promise<Socket> {
  const socket = connectSocket({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** One client, from when it comes to when it has gone. `i` varies what it says, and how it ends. */
type Visit = (servers: Servers, i: number) => Promise<void>;

const said = (i: number): Buffer => Buffer.from(SAID[i % SAID.length]);
const endOf = (i: number): (typeof ENDS)[number] => ENDS[i % ENDS.length];
/** Waits for the end, whatever it is. */
function gone(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.on("close", () => resolve());
  });
}

const VISITS: Readonly<Record<string, Visit>> = {
  "over TCP": async ({ plain }, i) => {
    const socket = await dial(plain.port!);
    socket.write(said(i));
    cut(socket, endOf(Math.floor(i / SAID.length)));
    await gone(socket);
  },

  "over TLS": async ({ secured }, i) => {
    const socket = await dial(secured.port!);
    await once(socket, "data");
    const tls = connectTls({ socket, ca: pem("ca.pem"), checkServerIdentity: () => undefined });
    tls.on("error", () => {});
    await once(tls, "secureConnect");
    await new Promise((resolve) => tls.write(said(i), resolve));
    if (i % 2 === 0) tls.end();
    else tls.destroy();
    await gone(tls);
  },

  "in the middle of a TLS handshake": async ({ secured }, i) => {
    const socket = await dial(secured.port!);
    await once(socket, "data");
    // The beginning of a ClientHello, and nothing; of one that is none; nothing at all.
    const hello = [
      Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]),
      Buffer.from("GET / HTTP"),
      Buffer.alloc(0),
    ];
    socket.write(hello[i % hello.length]);
    cut(socket, endOf(Math.floor(i / hello.length)));
    await gone(socket);
  },

  "over WebSocket": async ({ plain }, i) => {
    const websocket = new WebSocket(plain.websocketUrl!);
    websocket.on("error", () => {});
    await once(websocket, "open");
    await new Promise((resolve) => websocket.send(said(i), { fin: i % 2 === 0 }, resolve));
    if (i % 3 === 0) websocket.close();
    else websocket.terminate();
    if (websocket.readyState !== WebSocket.CLOSED) await once(websocket, "close");
  },

  "in the middle of an upgrade to WebSocket": async ({ plain }, i) => {
    const socket = await dial(Number(new URL(plain.websocketUrl!).port));
    const request =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-";
    socket.write(request.slice(0, (i * 13) % request.length));
    cut(socket, endOf(i));
    await gone(socket);
  },
};

describe("connections that open and close in a loop", () => {
  let servers: Servers;
  let witness: Connection;

  before(async () => {
    servers = {
      plain: await NatsServer.start({
        listen: { port: 0 },
        websocket: { port: 0, noTls: true },
        maxClosedClients: 5,
      }),
      secured: await NatsServer.start({
        listen: { port: 0 },
        tls: certificate("server"),
        maxClosedClients: 5,
      }),
    };
    witness = await connect({ servers: servers.plain.clientUrl });
    witness.subscribe("echo", { callback: (_error, msg) => void msg.respond(msg.data) });
    await witness.request("echo");
  });

  after(async () => {
    await witness.close();
    await servers.plain.close();
    await servers.secured.close();
  });

  for (const [name, visit] of Object.entries(VISITS)) {
    it(`${name}: nothing is left of them, and others are answered meanwhile`, async () => {
      const { plain, secured } = servers;
      const round = async (index: number): Promise<void> => {
        const visits = Array.from({ length: AT_A_TIME }, (_, i) => visit(servers, index * AT_A_TIME + i));
        assert.equal((await witness.request("echo", String(index))).string(), String(index));
        await Promise.all(visits);
        await until(
          () => plain.stats().connections === 1 && secured.stats().connections === 0,
          "all of them have gone",
        );
      };
      const { subscriptions } = plain.stats();
      const timers = count("Timeout");
      const sockets = count("TCPSocketWrap");
      for (let i = 0; i < WARM_ROUNDS; i++) await round(i);
      const before = heap();
      for (let i = WARM_ROUNDS; i < ROUNDS; i++) await round(i);
      await until(() => count("TCPSocketWrap") <= sockets, "their sockets have gone");
      const left = (heap() - before) / ((ROUNDS - WARM_ROUNDS) * AT_A_TIME);
      assert.ok(left < LEFT_MAX, `${left.toFixed(0)} bytes of the heap a connection`);
      await until(() => count("Timeout") <= timers, "their timers have gone");
      assert.equal(plain.stats().subscriptions, subscriptions);
      assert.equal(secured.stats().subscriptions, 0);
    });
  }
});
