import { groupPinned, groupUnpinned } from "../api/events.ts";
import { timestampOf } from "../json/timestamps.ts";
import { ALARMS } from "./alarm.ts";
import type { PriorityGroupState } from "./info.ts";
import { randomName } from "./names.ts";
import type { ConsumerOwner } from "./owner.ts";

const ID_LENGTH = 22;

/** The client that alone gets the messages of a consumer with the policy "pinned_client" (ADR-42). */
export class Pin {
  readonly #owner: ConsumerOwner;
  #id = "";
  #group = "";
  #since = 0;

  constructor(owner: ConsumerOwner) {
    this.#owner = owner;
  }

  /** The id that the client was given; "" while there is none. */
  get id(): string {
    return this.#id;
  }

  /** Pins a client of the group, and returns its id. */
  assign(group: string): string {
    const { host, stream, consumer } = this.#owner;
    const { account } = host;
    const id = randomName(account.random, ID_LENGTH);
    this.#id = id;
    this.#group = group;
    this.#since = account.clock.now();
    this.heard();
    account.tell(`$JS.EVENT.ADVISORY.CONSUMER.PINNED.${stream}.${consumer}`, (stamp) =>
      groupPinned(stamp, account.name, { stream, consumer }, group, id),
    );
    return id;
  }

  /** The client has been heard of. */
  heard(): void {
    const { alarm, config, host } = this.#owner;
    alarm.set(ALARMS.pin, host.account.clock.monotonic() + config.priorityTimeout);
  }

  /** Nothing was heard of the client for too long. */
  expired(): void {
    if (this.#id === "") return;
    const group = this.#group;
    this.clear();
    this.#tellUnpinned(group, "timeout");
    this.#owner.wake();
  }

  /** Takes the pin away, as somebody has asked for. */
  unpin(group: string): void {
    this.clear();
    this.#tellUnpinned(group, "admin");
    this.#owner.wake();
  }

  /** There is no pinned client any more. */
  clear(): void {
    this.#id = "";
    this.#since = 0;
    this.#owner.alarm.clear(ALARMS.pin);
  }

  #tellUnpinned(group: string, reason: "admin" | "timeout"): void {
    const { host, stream, consumer } = this.#owner;
    const { account } = host;
    account.tell(`$JS.EVENT.ADVISORY.CONSUMER.UNPINNED.${stream}.${consumer}`, (stamp) =>
      groupUnpinned(stamp, account.name, { stream, consumer }, group, reason),
    );
  }

  /** What INFO says of the group; undefined when the consumer has none. */
  state(): PriorityGroupState | undefined {
    const [group] = this.#owner.config.priorityGroups;
    if (group === undefined) return undefined;
    const since = this.#id === "" ? undefined : timestampOf(this.#since);
    return { group, pinnedClientId: this.#id, pinnedTs: since };
  }
}
