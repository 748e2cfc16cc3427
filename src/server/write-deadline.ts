import type { Outbox } from "../protocol/outbox.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { ByteLink } from "../seams/link.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";

/** What a {@link WriteDeadline} is made with. */
export interface WriteDeadlineContext {
  readonly clock: Clock;
  readonly link: ByteLink;
  readonly outbox: Outbox;
  /** The server's options, as they are now. */
  options(): Pick<ResolvedServerOptions, "writeDeadline" | "writeTimeout">;
  /** The client has taken nothing for so long (ms). */
  late(deadline: number): void;
}

/** Looks now and then, while a link holds bytes, whether any of them have gone out (behaviour.md A.8, `write_deadline`). */
export class WriteDeadline {
  readonly #context: WriteDeadlineContext;
  #timer: Timer | undefined;
  #drains = 0;
  #stopped = false;

  constructor(context: WriteDeadlineContext) {
    this.#context = context;
  }

  /** Begins to look, if there is something to look for. */
  watch(): void {
    const { clock, link, outbox, options, late } = this.#context;
    if (this.#timer !== undefined || !outbox.busy || this.#stopped) return;
    const { writeDeadline } = options();
    const drains = this.#drains;
    const { unsent } = link;
    this.#timer = clock.after(writeDeadline, () => {
      this.#timer = undefined;
      if (!outbox.busy) return;
      if (this.#drains !== drains || (this.#retries && hasShrunk(unsent, link.unsent))) this.watch();
      else late(writeDeadline);
    });
  }

  /** The link has sent what it held: what comes after that has a time of its own. */
  drained(): void {
    this.#drains += 1;
  }

  /** Ends it. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Whether a write that took too long may go on, as long as the client takes something (nats-server's `write_timeout: retry`). */
  get #retries(): boolean {
    return this.#context.options().writeTimeout === "retry";
  }
}

function hasShrunk(before: number | undefined, now: number | undefined): boolean {
  return before !== undefined && now !== undefined && now < before;
}
