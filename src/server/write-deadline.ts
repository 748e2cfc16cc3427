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
  /** A write has not gone out whole in so long (ms). @param again - not for the first time. */
  slow(deadline: number, again: boolean): void;
  /** The client has taken nothing in that time, or may not take longer. */
  late(): void;
  /** What a client was slow to take has gone out, after so long (ms). @param chunks - in how many pieces; `bytes`: how much it was. */
  recovered(took: number, chunks: number, bytes: number): void;
}

/** What a link holds that a client is slow to take. */
interface SlowWrite {
  /** Since when, as `Clock.monotonic` has it, in ms. */
  readonly since: number;
  readonly chunks: number;
  readonly bytes: number;
}

/** Looks now and then, while a link holds bytes, whether any of them have gone out (behaviour.md A.8, `write_deadline`). */
export class WriteDeadline {
  readonly #context: WriteDeadlineContext;
  #timer: Timer | undefined;
  #drains = 0;
  #stopped = false;
  /** Set while a client that may take longer does. */
  #slow: SlowWrite | undefined;

  constructor(context: WriteDeadlineContext) {
    this.#context = context;
  }

  /** Begins to look, if there is something to look for. */
  watch(): void {
    const { clock, link, outbox, options } = this.#context;
    if (this.#timer !== undefined || !outbox.busy || this.#stopped) return;
    const { writeDeadline } = options();
    const drains = this.#drains;
    const { unsent } = link;
    const write = { since: clock.monotonic(), chunks: outbox.chunks, bytes: outbox.pending };
    this.#timer = clock.after(writeDeadline, () => {
      this.#timer = undefined;
      if (!outbox.busy) return;
      if (this.#drains === drains) this.#tooLate(writeDeadline, write, hasShrunk(unsent, link.unsent));
      else this.watch();
    });
  }

  /** What was written at one time has not gone out. @param moves - whether some of it has. */
  #tooLate(deadline: number, write: SlowWrite, moves: boolean): void {
    const { slow, late, options } = this.#context;
    slow(deadline, this.#slow !== undefined);
    // A write that takes long may go on, as long as the client takes something (nats-server's `write_timeout: retry`).
    if (options().writeTimeout !== "retry" || !moves) {
      late();
      return;
    }
    this.#slow ??= write;
    this.watch();
  }

  /** The link has sent what it held: what comes after that has a time of its own. */
  drained(): void {
    this.#drains += 1;
    const write = this.#slow;
    if (write === undefined) return;
    this.#slow = undefined;
    const { clock, recovered } = this.#context;
    recovered(clock.monotonic() - write.since, write.chunks, write.bytes);
  }

  /** Ends it. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function hasShrunk(before: number | undefined, now: number | undefined): boolean {
  return before !== undefined && now !== undefined && now < before;
}
