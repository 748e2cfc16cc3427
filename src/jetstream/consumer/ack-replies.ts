import { EMPTY } from "../../protocol/text.ts";
import type { AccountContext } from "../account/context.ts";
import type { StateLog } from "./state-log.ts";

/** Answers acknowledgements that ask for it: once what they changed is on disk, those of one moment together. */
export class AckReplies {
  readonly #account: AccountContext;
  readonly #log: StateLog | undefined;
  #waiting: string[] = [];
  #flushing = false;

  constructor(account: AccountContext, log: StateLog | undefined) {
    this.#account = account;
    this.#log = log;
  }

  /** Answers when all that has been acknowledged so far is on disk. */
  add(reply: string): void {
    if (this.#log === undefined) {
      this.#account.client.publish(reply, undefined, EMPTY);
      return;
    }
    this.#waiting.push(reply);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#account.tasks.soon(() => void this.#answer(this.#log!));
  }

  async #answer(log: StateLog): Promise<void> {
    while (this.#waiting.length > 0) {
      const replies = this.#waiting;
      this.#waiting = [];
      try {
        await log.flush();
        for (const reply of replies) this.#account.client.publish(reply, undefined, EMPTY);
      } catch (error) {
        // Whoever waits for an answer has to acknowledge again: that is true.
        this.#account.logger.error(`JetStream consumer state cannot be stored: ${String(error)}`);
      }
    }
    this.#flushing = false;
  }
}
