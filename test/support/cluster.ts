import { freePort, RealServer } from "./real-server.ts";

/** Three real nats-servers that know each other. */
export class RealCluster {
  readonly #routes: number[];
  readonly #ports: (number | undefined)[] = [];
  readonly #servers: (RealServer | undefined)[] = [];

  private constructor(routes: number[]) {
    this.#routes = routes;
  }

  static async start(size: number): Promise<RealCluster> {
    const cluster = new RealCluster(await Promise.all(Array.from({ length: size }, freePort)));
    for (let node = 0; node < size; node++) await cluster.revive(node);
    return cluster;
  }

  get urls(): string[] {
    return this.#ports.map((port) => `nats://127.0.0.1:${port}`);
  }

  /** The node that listens on a port. */
  nodeOf(listen: string): number {
    return this.#ports.findIndex((port) => listen.endsWith(`:${port}`));
  }

  /** Starts a node, on the port it had. */
  async revive(node: number): Promise<void> {
    const routes = this.#routes.filter((_, i) => i !== node).map((port) => `nats://127.0.0.1:${port}`);
    const port = this.#ports[node];
    const address = `nats://127.0.0.1:${this.#routes[node]}`;
    const flags = ["--cluster_name", "C", "--cluster", address, "--routes", routes.join(",")];
    const server = await RealServer.start(flags, port);
    this.#ports[node] = server.port;
    this.#servers[node] = server;
  }

  /** Kills a node at once. */
  async kill(node: number): Promise<void> {
    await this.#servers[node]?.close();
    this.#servers[node] = undefined;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await server?.close();
  }
}
