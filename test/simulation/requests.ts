import { headers as newHeaders } from "@nats-io/nats-core";
import type { KnownStream, Model } from "./model.ts";
import type { SimulatedClient, World } from "./world.ts";

export const API = "$JS.API";
/** How long anything is waited for, in ms. */
export const TIMEOUT_MS = 400;

/** What the server answers. */
export interface Answer {
  readonly error?: { readonly err_code: number; readonly description: string };
  readonly [field: string]: unknown;
}

/** How clients ask the server, and what is told of it. */
export class Requests {
  protected readonly world: World;
  protected readonly model: Model;

  constructor(world: World, model: Model) {
    this.world = world;
    this.model = model;
  }

  /** Asks, if the client has a link; undefined when there is no answer. */
  protected async ask(
    client: SimulatedClient,
    subject: string,
    body: string,
    fields: Record<string, string> = {},
  ): Promise<Answer | undefined> {
    const head = newHeaders();
    for (const [name, value] of Object.entries(fields)) head.set(name, value);
    try {
      const options = { timeout: TIMEOUT_MS, ...(Object.keys(fields).length > 0 ? { headers: head } : {}) };
      const answer = await client.connection.request(subject, body, options);
      return JSON.parse(answer.string());
    } catch {
      return undefined;
    }
  }

  /** A client with a link; undefined when the one that was picked has none. */
  protected anyone(): SimulatedClient | undefined {
    const { clients, pick } = this.world;
    const client = clients[pick(clients.length)];
    return client.up ? client : undefined;
  }

  protected report(what: string, answer: Answer | undefined): void {
    const { error } = answer ?? {};
    this.world.say(`${what}: ${answer === undefined ? "no answer" : error ? error.description : "ok"}`);
  }

  /** Asks the API about a stream; what has no answer may be served until the server ends. */
  protected async manage(
    client: SimulatedClient,
    stream: KnownStream,
    subject: string,
    body: object,
  ): Promise<Answer | undefined> {
    const { epoch } = this.world;
    stream.requests += 1;
    const answer = await this.ask(client, `${API}.${subject}`, JSON.stringify(body));
    stream.requests -= 1;
    if (answer === undefined) stream.unknown = Math.max(stream.unknown, epoch);
    this.report(subject, answer);
    return answer;
  }

  /** Whether no request is under way that would be about another stream of the same name. */
  protected quiet(stream: KnownStream): boolean {
    return stream.requests === 0 && stream.unknown !== this.world.epoch;
  }
}
