import { EMPTY } from "../../protocol/text.ts";
import { idleHeartbeat, STATUS } from "../status-frames.ts";
import { ALARMS } from "./alarm.ts";
import type { Cursor } from "./cursor.ts";
import type { ConsumerOwner, Outlet } from "./owner.ts";
import { Pin } from "./pin.ts";
import { type PullRequest, readPullRequest, refusedPull } from "./pull-request.ts";
import type { Redeliveries } from "./redeliveries.ts";
import { type WaitingPull, WaitingPulls } from "./waiting-pulls.ts";

const PIN_HEADER = "Nats-Pin-Id";
/** While no more requests may wait, those that have lost their client are looked for this often, in ms. */
const FULL_CHECK_MS = 1_000;

/** The requests of a pull consumer (behaviour.md D.8): who gets the next message, and what is said to those who get none. */
export class PullOutlet implements Outlet {
  readonly pin: Pin;
  readonly #owner: ConsumerOwner;
  readonly #cursor: Cursor;
  readonly #redeliveries: Redeliveries;
  readonly #used: () => void;
  readonly #waiting: WaitingPulls;
  #last: WaitingPull | undefined;
  #checked = -Infinity;

  /** @param used - called when a client has shown that it uses the consumer. */
  constructor(owner: ConsumerOwner, cursor: Cursor, redeliveries: Redeliveries, used: () => void) {
    this.#owner = owner;
    this.#cursor = cursor;
    this.#redeliveries = redeliveries;
    this.#used = used;
    this.#waiting = new WaitingPulls(owner.config.maxWaiting);
    this.pin = new Pin(owner);
  }

  get open(): boolean {
    return this.#waiting.size > 0;
  }

  get mark(): readonly [string, string] | undefined {
    return this.#owner.config.priorityPolicy === "pinned_client" ? [PIN_HEADER, this.pin.id] : undefined;
  }

  /** How many requests wait, without those whose time is over or whose client has gone. */
  waiting(): number {
    this.#look(false);
    return this.#waiting.size;
  }

  /** A request has come. @param body - what it asks for. */
  request(reply: string, body: Uint8Array): void {
    const { config, host } = this.#owner;
    const { request, refused } = readPullRequest(body);
    const refusal = refused ?? refusedPull(request!, config, this.pin.id);
    if (refusal !== undefined) {
      this.#say(reply, refusal);
      return;
    }
    const pull = request!;
    if (this.pin.id !== "" && pull.id === this.pin.id) this.pin.heard();
    const now = host.account.clock.monotonic();
    if (this.#waiting.full && now - this.#checked > FULL_CHECK_MS) this.#look(false);
    const refusedNow = pull.noWait ? this.#refusedNow(pull) : undefined;
    if (refusedNow !== undefined) {
      this.#used();
      this.#say(reply, refusedNow);
      return;
    }
    if (this.#waiting.full) {
      // A client that gets heartbeats would ask again at once; it notices anyway.
      if (pull.idleHeartbeat <= 0) this.#say(reply, STATUS.maxWaiting());
      return;
    }
    const { expires, idleHeartbeat: beat } = pull;
    const waiting: WaitingPull = {
      reply,
      request: pull,
      messages: pull.batch,
      delivered: 0,
      bytes: pull.maxBytes,
      expires: expires === 0 ? Infinity : now + expires,
      heartbeat: beat > 0 ? now + beat : Infinity,
      pinId: pull.id,
    };
    this.#waiting.add(waiting, config.priorityPolicy);
    this.#used();
    this.#owner.wake();
  }

  /** What is said at once to a request that does not want to wait. */
  #refusedNow({ expires }: PullRequest): Uint8Array | undefined {
    // While messages are being counted, it is told when it is its turn.
    if (!this.#cursor.count()) return undefined;
    const messages = this.#cursor.left + this.#redeliveries.size;
    if (messages === 0) return expires === 0 ? STATUS.noMessages() : undefined;
    const wanted = this.#look(false);
    // A request may ask for less than nothing: nats-server then counts more than there can be.
    return wanted < 0 || messages < wanted ? STATUS.requestsPending() : undefined;
  }

  take(size: number, now: number, again: boolean): string | undefined {
    const { config, host } = this.#owner;
    const needsPin = config.priorityPolicy === "pinned_client" && this.pin.id === "";
    let cycled = 0;
    for (let pull = this.#waiting.first; pull !== undefined; pull = this.#waiting.first) {
      if (pull.expires <= now) {
        this.#end(pull, STATUS.requestTimeout(rest(pull)));
        continue;
      }
      const standing = this.#standing(pull, needsPin, again);
      if (standing === "wrong") {
        this.#end(pull, STATUS.wrongPinId(rest(pull)));
        continue;
      }
      if (standing === "later") {
        this.#waiting.cycle();
        cycled += 1;
        if (cycled >= this.#waiting.size) return undefined;
        continue;
      }
      if (pull.bytes > 0 && size > pull.bytes) {
        this.#end(pull, STATUS.maxBytes(rest(pull)));
        continue;
      }
      if (!host.account.client.hasInterest(pull.reply)) {
        this.#waiting.shift();
        continue;
      }
      if (needsPin && pull.request.group !== "") pull.pinId = this.pin.assign(pull.request.group);
      this.#charge(pull, size, now);
      return pull.reply;
    }
    return undefined;
  }

  /** Whether it is a request's turn, as far as its priority group says. */
  #standing(pull: WaitingPull, needsPin: boolean, again: boolean): "now" | "later" | "wrong" {
    const { config, state } = this.#owner;
    const { minPending, minAckPending } = pull.request;
    if (needsPin) {
      if (pull.pinId !== "") return "wrong";
    } else if (this.pin.id !== "" && pull.pinId !== this.pin.id) {
      return pull.pinId === "" ? "later" : "wrong";
    }
    if (config.priorityPolicy !== "overflow" || (minPending <= 0 && minAckPending <= 0)) return "now";
    // A message that is delivered again is one of those that are left, too.
    const left = this.#cursor.left + (again ? 1 : 0);
    const overflows =
      (minPending > 0 && minPending <= left) || (minAckPending > 0 && minAckPending <= state.pending.size);
    return overflows ? "now" : "later";
  }

  /** The first request gets a message of this size. */
  #charge(pull: WaitingPull, size: number, now: number): void {
    if (pull.bytes > 0) {
      pull.bytes -= size;
      // This one fits just so, and is the last.
      if (pull.bytes === 0) pull.messages = 1;
    }
    this.#waiting.serve(this.#owner.config.priorityPolicy);
    if (pull.heartbeat !== Infinity) pull.heartbeat = now + pull.request.idleHeartbeat;
    this.#last = pull;
  }

  sent(to: string): void {
    this.#used();
    const pull = this.#last!;
    if (pull.messages <= 0 && pull.bytes > 0) this.#say(to, STATUS.batchCompleted(rest(pull)));
  }

  missed(to: string): void {
    this.#waiting.filter(({ reply }) => reply !== to);
  }

  idle(end: boolean): void {
    this.#look(end);
    let next = Infinity;
    this.#waiting.filter((pull) => {
      next = Math.min(next, pull.expires, pull.heartbeat);
      return true;
    });
    this.#owner.alarm.set(ALARMS.requests, next);
  }

  /**
   * Ends requests whose time is over or whose client has gone, and says that the consumer is alive where that is due.
   * @param end - whether there are no more messages, which ends those that do not want to wait.
   * @returns how many messages the others want.
   */
  #look(end: boolean): number {
    if (this.#waiting.size === 0) return 0;
    const { host } = this.#owner;
    const { clock, client } = host.account;
    const now = clock.monotonic();
    this.#checked = now;
    let wanted = 0;
    this.#waiting.filter((pull) => {
      const { request, reply } = pull;
      if (pull.expires <= now) {
        this.#say(reply, STATUS.requestTimeout(rest(pull)));
        return false;
      }
      if (end && request.noWait && (request.expires === 0 || pull.delivered > 0)) {
        this.#say(reply, STATUS.noMessages());
        return false;
      }
      if (!client.hasInterest(reply)) return false;
      wanted += pull.messages;
      if (pull.heartbeat <= now) {
        this.#say(reply, this.#heartbeat());
        pull.heartbeat = now + request.idleHeartbeat;
      }
      return true;
    });
    return wanted;
  }

  #heartbeat(): Uint8Array {
    return idleHeartbeat(this.#owner.state.delivered.consumer, this.#cursor.position - 1, "");
  }

  #end(pull: WaitingPull, status: Uint8Array): void {
    this.#waiting.shift();
    this.#say(pull.reply, status);
  }

  #say(to: string, status: Uint8Array): void {
    this.#owner.host.account.client.publish(to, status, EMPTY);
  }

  configured(): void {}

  /** Ends all requests: the server itself ends, so that clients ask again once they have found another. */
  shutDown(): void {
    for (const pull of this.#waiting.clear()) this.#say(pull.reply, STATUS.serverShutdown(rest(pull)));
  }

  close(deleted: boolean): void {
    for (const { reply } of this.#waiting.clear()) if (deleted) this.#say(reply, STATUS.consumerDeleted());
  }
}

function rest({ messages, bytes }: WaitingPull): { messages: number; bytes: number } {
  return { messages, bytes };
}
