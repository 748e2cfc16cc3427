import assert from "node:assert/strict";
import { connect, createInbox, type NatsConnection } from "@nats-io/transport-node";
import { API_LEVEL, NATS_VERSION } from "../../src/seams/version.ts";
import { type Answered, answeredBy, JetStreamModel } from "./jetstream-model.ts";
import type { RealServer } from "./real-server.ts";

/** A request to the JetStream API: the end of its subject, and its body. */
export type Request = readonly [subject: string, body: string];

const API = "$JS.API.";

/** Asks a real server what the model is asked, and compares. */
export class ScriptRunner {
  readonly #nc: NatsConnection;
  /** How many answers were compared, and how many of them were no errors. */
  compared = 0;
  accepted = 0;

  private constructor(nc: NatsConnection) {
    this.#nc = nc;
  }

  static async start(server: RealServer, user?: { user: string; pass: string }): Promise<ScriptRunner> {
    return new ScriptRunner(await connect({ servers: server.url, ...user }));
  }

  async close(): Promise<void> {
    await this.#nc.close();
  }

  /** Asks the real server. One that is still deleting a stream's files may fail to make it anew, which says nothing about the request. */
  async #ask(subject: string, body: Uint8Array): Promise<Answered & { readonly name: string }> {
    for (;;) {
      const answered = answeredBy(await this.#firstAnswer(subject, body));
      if (answered.error?.description !== "error creating store for stream") return answered;
    }
  }

  /** The API's answer. A stream that takes messages from the API's own subjects acknowledges the request, too. */
  async #firstAnswer(subject: string, body: Uint8Array): Promise<Uint8Array> {
    const inbox = createInbox();
    const answers = this.#nc.subscribe(inbox);
    this.#nc.publish(API + subject, body, { reply: inbox });
    for await (const { data } of answers) {
      if (new TextDecoder().decode(data).startsWith('{"type":')) return data;
    }
    throw new Error(`no answer to ${subject}`);
  }

  /** Runs a script on an account without streams, and clears up. @returns what differs, a line each. */
  async run(script: readonly Request[], model = new JetStreamModel()): Promise<string[]> {
    const problems: string[] = [];
    for (const [subject, body] of script) {
      const bytes = new TextEncoder().encode(body);
      const { name, ...theirs } = await this.#ask(subject, bytes);
      const expected = asOurs(theirs);
      const ours = model.answer(API + subject, bytes, name);
      this.compared += 1;
      if (ours.error === undefined) this.accepted += 1;
      try {
        assert.deepEqual(ours, expected);
      } catch {
        problems.push(`${subject} ${body.slice(0, 400)}\n  theirs ${show(expected)}\n  ours   ${show(ours)}`);
      }
    }
    const names = new Set(script.flatMap(([subject]) => /^STREAM\.CREATE\.(.+)/.exec(subject)?.[1] ?? []));
    for (const name of names) await this.#nc.request(`${API}STREAM.DELETE.${name}`);
    return problems;
  }
}

/** An answer as a server of our version gives it. */
function asOurs(theirs: Answered): Answered {
  if (theirs.config === undefined) return theirs;
  const config = theirs.config
    .replace(/"_nats\.level":"\d+"/, `"_nats.level":"${API_LEVEL}"`)
    .replace(/"_nats\.ver":"[^"]+"/, `"_nats.ver":"${NATS_VERSION}"`);
  return { config };
}

function show(answered: Answered): string {
  return answered.config?.slice(0, 1_500) ?? JSON.stringify(answered.error);
}

/** Numbers in [0, count) that are the same in every run. */
export function picker(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
}
