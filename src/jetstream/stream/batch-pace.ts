import type { InternalClient } from "../../broker/internal-client.ts";
import type { Clock } from "../../seams/clock.ts";
import { Pacer } from "../../storage/pacer.ts";

/** How often it is looked whether a receiver has caught up, in ms. */
const BEHIND_MS = 2;

type Outlet = Pick<InternalClient, "behind" | "forgetBehind" | "hasInterest">;

/** Divides an answer of many messages, so that others have their turn, and it goes out no faster than it is taken. */
export class BatchPace {
  readonly #client: Outlet;
  readonly #clock: Clock;
  readonly #reply: string;
  readonly #pacer: Pacer;

  constructor(client: Outlet, clock: Clock, reply: string) {
    this.#client = client;
    this.#clock = clock;
    this.#reply = reply;
    this.#pacer = new Pacer(clock);
  }

  /** Publishes a message of the answer. Returns whether more may follow: if not at once, it resolves to whether anybody listens still. */
  send(publish: () => void): true | Promise<boolean> {
    const client = this.#client;
    // Others that the server speaks to may be behind: this is about who takes the answer.
    client.forgetBehind();
    publish();
    const { behind } = client;
    return behind === undefined && !this.#pacer.due ? true : this.#wait(behind);
  }

  async #wait(receiver: { readonly behind: boolean } | undefined): Promise<boolean> {
    if (this.#pacer.due) await this.#pacer.rest();
    while (receiver?.behind === true && this.#client.hasInterest(this.#reply)) {
      await new Promise<void>((resolve) => this.#clock.after(BEHIND_MS, resolve));
      this.#pacer.rested();
    }
    return this.#client.hasInterest(this.#reply);
  }
}
