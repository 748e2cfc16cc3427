import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchCase, Prepare, RowSpec, Target, Workbench } from "./case.ts";
import { measureCommandStart } from "./command-start.ts";
import type { ClientLoad } from "./loads/client.ts";
import type { InProcessLoad } from "./loads/in-process.ts";
import type { RawLoad } from "./loads/raw.ts";
import type { StreamLoad } from "./loads/stream.ts";
import type { LibraryLoad } from "./loads/stream-library.ts";
import { Child, resultOf, startLoad } from "./processes.ts";
import {
  startGnatlet,
  startNatsServer,
  startOurJetStream,
  startTheirJetStream,
  type TcpServer,
} from "./servers.ts";

/** How long (ms) a run may take before it counts as hung; it should take 2 s. */
const RUN_MS = 30_000;
const RATE = { key: "rate", unit: "/s" } as const;

/** A case with one row, named like it. */
function single(row: Omit<RowSpec, "name">, rest: Omit<BenchCase, "rows">): BenchCase {
  return { ...rest, rows: [{ ...row, name: rest.name }] };
}

/** A load as the Go program takes it. */
interface EmbeddedLoad {
  readonly kind: "fan" | "request" | "start";
  readonly size: number;
  readonly count: number;
}

/**
 * Server and clients in one program, ours and the Go one. The numbers of messages differ, so that both take
 * about as long.
 */
export function inProcess(
  name: string,
  target: Target | undefined,
  ours: InProcessLoad,
  peer: EmbeddedLoad,
): BenchCase {
  const scaled = <T extends object>(load: T, bench: Workbench): string =>
    JSON.stringify("count" in load ? { ...load, count: bench.scale(load.count as number) } : load);
  const row = ours.kind === "start" ? ({ key: "ms", unit: "ms" } as const) : RATE;
  return single(
    { ...row, target },
    {
      name,
      ours: async (bench) => () =>
        resultOf(startLoad(bench.root, "our load", "in-process.ts", [scaled(ours, bench)]), RUN_MS),
      peer: {
        name: "embedded Go",
        prepare: async (bench) => () =>
          resultOf(new Child("the Go load", bench.peers.embedded!, [scaled(peer, bench)]), RUN_MS),
      },
    },
  );
}

/** The same raw load for either server. */
export function overTcp(name: string, rows: readonly RowSpec[], load: RawLoad): BenchCase {
  const against =
    (start: (bench: Workbench) => Promise<TcpServer>): Prepare =>
    async (bench) => {
      const server = bench.keep(await start(bench));
      const args = [String(server.port), JSON.stringify({ ...load, count: bench.scale(load.count) })];
      return () => resultOf(startLoad(bench.root, "the raw load", "raw.ts", args), RUN_MS);
    };
  return {
    name,
    rows,
    ours: against((bench) => startGnatlet(bench.root)),
    peer: { name: "nats-server", prepare: against((bench) => startNatsServer(bench.peers.natsServer!)) },
  };
}

/** A raw load whose messages a second are the result. */
export function tcpRate(
  name: string,
  target: Target,
  load: Partial<RawLoad> & { size: number; count: number },
): BenchCase {
  const full: RawLoad = { kind: "fan", publishers: 1, subscribers: 1, subjects: 1, ...load };
  return overTcp(name, [{ ...RATE, name, target }], full);
}

/** The same load for either client library, both against nats-server. */
export function client(name: string, row: Omit<RowSpec, "name">, load: ClientLoad): BenchCase {
  const using =
    (library: string): Prepare =>
    async (bench) => {
      const server = bench.keep(await startNatsServer(bench.peers.natsServer!));
      if (load.kind === "requests") {
        const service = bench.keep(startLoad(bench.root, "the service", "echo.ts", [String(server.port)]));
        await service.answer(RUN_MS);
      }
      const args = [
        library,
        String(server.port),
        JSON.stringify({ ...load, count: bench.scale(load.count) }),
      ];
      return () => resultOf(startLoad(bench.root, `the load of ${library}`, "client.ts", args), RUN_MS);
    };
  return single(row, {
    name,
    ours: using("gnatlet"),
    peer: { name: "nats.js", prepare: using("nats.js") },
    needs: "nats-server",
  });
}

/** Messages from one connection of a library to another. */
export function clientFan(name: string, target: Target, size: number, iterate = false): BenchCase {
  const load = { kind: "fan", size, count: 1_500_000, batch: 10_000, iterate } as const;
  return client(name, { ...RATE, target }, load);
}

/** What a stream and its consumers do, over TCP, by the same raw load for either server. @param sync - of theirs; ours always syncs first. */
export function jetStream(
  name: string,
  target: Target,
  load: StreamLoad,
  sync: "late" | "always" = "late",
): BenchCase {
  const against =
    (start: (bench: Workbench) => Promise<TcpServer>): Prepare =>
    async (bench) => {
      const server = bench.keep(await start(bench));
      const args = [String(server.port), JSON.stringify({ ...load, count: bench.scale(load.count) })];
      return () => resultOf(startLoad(bench.root, "the stream's load", "stream.ts", args), RUN_MS);
    };
  return single(
    { ...RATE, target },
    {
      name,
      ours: against((bench) => startOurJetStream(bench.root)),
      peer: {
        name: "nats-server",
        prepare: against((bench) => startTheirJetStream(bench.peers.natsServer!, sync)),
      },
    },
  );
}

/** The official JetStream library on our connection, in process, against the same on our connection over TCP. */
export function jetStreamInProcess(name: string, target: Target, load: LibraryLoad): BenchCase {
  const run = (bench: Workbench, where: string): ReturnType<typeof resultOf> => {
    const args = [where, JSON.stringify({ ...load, count: bench.scale(load.count) })];
    return resultOf(startLoad(bench.root, "the library's load", "stream-library.ts", args), RUN_MS);
  };
  return single(
    { ...RATE, target },
    {
      name,
      ours: async (bench) => () => run(bench, "in process"),
      peer: {
        name: "gnatlet over TCP",
        prepare: async (bench) => {
          const server = bench.keep(await startOurJetStream(bench.root));
          return () => run(bench, String(server.port));
        },
      },
    },
  );
}

/** How long (ms) a server may take until what it needs for new connections is all there. */
const SETTLE_MS = 500;

/**
 * What a server grows by with connections. A new server for each round: memory that it once had is not given
 * back.
 */
export function idleConnections(name: string, target: Target, count: number): BenchCase {
  const growthOf =
    (start: (bench: Workbench) => Promise<TcpServer>): Prepare =>
    async (bench) =>
    async () => {
      const server = await start(bench);
      try {
        await sleep(SETTLE_MS);
        const before = await server.rss();
        const args = [String(server.port), String(count)];
        const load = startLoad(bench.root, "the idle connections", "connections.ts", args);
        try {
          await load.answer(RUN_MS);
          await sleep(SETTLE_MS);
          return { bytes: (await server.rss()) - before };
        } finally {
          await load.stop();
        }
      } finally {
        await server.stop();
      }
    };
  return single(
    { key: "bytes", unit: "MB", target },
    {
      name,
      ours: growthOf((bench) => startGnatlet(bench.root)),
      peer: {
        name: "nats-server",
        prepare: growthOf((bench) => startNatsServer(bench.peers.natsServer!)),
      },
    },
  );
}

/** What an idle server adds to a program. There is no peer: the Go program has no such thing to load. */
export function idleEmbedded(name: string, target: Target): BenchCase {
  return single(
    { key: "bytes", unit: "MB", target },
    {
      name,
      ours: async (bench) => () => resultOf(startLoad(bench.root, "our load", "memory.js", []), RUN_MS),
    },
  );
}

/** The command, as it is shipped: from the shell to its first client. */
export function commandStart(name: string, target: Target): BenchCase {
  return single(
    { key: "ms", unit: "ms", target },
    {
      name,
      ours:
        async ({ root }) =>
        async () => ({
          ms: await measureCommandStart("gnatlet", process.execPath, [
            join(root, "dist", "cli", "gnatlet.js"),
          ]),
        }),
      peer: {
        name: "nats-server",
        prepare: async (bench) => async () => ({
          ms: await measureCommandStart("nats-server", bench.peers.natsServer!, []),
        }),
      },
    },
  );
}
