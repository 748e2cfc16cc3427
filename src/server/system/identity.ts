import { goTime, orOmit } from "../monitor/go-format.ts";
import type { MonitorState } from "../monitor/state.ts";

/** What a server with JetStream can do, for others that it may be in a cluster with (nats-server `ServerCapability`). */
const JETSTREAM_FLAGS = 0b111;

/** What events and answers say of the server they come from, each with a number and a time of its own (nats-server events.go `ServerInfo`). */
export class ServerIdentity {
  readonly #state: MonitorState;
  #seq = 0;

  constructor(state: MonitorState) {
    this.#state = state;
  }

  /** The object for the next event or answer. */
  next() {
    const { info, options, clock, jetstream } = this.#state;
    this.#seq += 1;
    return {
      name: info.server_name,
      host: info.host,
      id: info.server_id,
      domain: orOmit(jetstream?.settings.domain),
      ver: info.version,
      tags: orOmit(options.serverTags),
      metadata: orOmit(options.serverMetadata),
      jetstream: jetstream !== undefined,
      flags: jetstream === undefined ? 0 : JETSTREAM_FLAGS,
      seq: this.#seq,
      time: goTime(clock.now()),
    };
  }

  /** The short form: what does not change. */
  id() {
    const { info } = this.#state;
    return { name: info.server_name, host: info.host, id: info.server_id };
  }
}
