import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A listener that does with its connections what the test says. */
export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  /** Lines that clients have sent, without those of `CONNECT`. */
  readonly lines: string[];
  /** The fields of each `CONNECT`. */
  readonly connects: Record<string, unknown>[];
  readonly sockets: Socket[];
  close(): void;
}

/** What {@link scriptedServer} says of itself. */
export const SCRIPTED_INFO = {
  server_id: "N",
  version: "2.14.3",
  proto: 1,
  headers: true,
  max_payload: 1000,
  client_id: 1,
};

/** A server that greets, answers pings, and else does nothing unless the test writes to its `sockets`. */
export async function scriptedServer(info: Record<string, unknown> = {}): Promise<ScriptedServer> {
  const lines: string[] = [];
  const connects: Record<string, unknown>[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(`INFO ${JSON.stringify({ ...SCRIPTED_INFO, ...info })} \r\n`);
    let rest = "";
    socket.on("data", (bytes) => {
      const parts = (rest + bytes.toString("latin1")).split("\r\n");
      rest = parts.pop()!;
      for (const line of parts) {
        if (line === "PING") socket.write("PONG\r\n");
        if (line.startsWith("CONNECT ")) connects.push(JSON.parse(line.slice(8)));
        else lines.push(line);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    lines,
    connects,
    sockets,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
