import type { Ending } from "../../broker/internal-client.ts";
import { EMPTY } from "../../protocol/text.ts";
import { idleHeartbeat } from "../status-frames.ts";
import { ALARMS } from "./alarm.ts";
import type { FlowControl } from "./flow-control.ts";
import type { ConsumerOwner, Outlet } from "./owner.ts";

/** The subject of a push consumer, and whether anybody listens to it. */
export class PushOutlet implements Outlet {
  readonly mark = undefined;
  readonly #owner: ConsumerOwner;
  readonly #flow: FlowControl | undefined;
  readonly #position: () => number;
  readonly #interest: (bound: boolean) => void;
  #bound = false;
  #subject = "";
  #group = "";
  #watch: Ending = () => {};

  /**
   * @param position - where the delivery is in the stream.
   * @param interest - called when somebody has begun or ceased to listen.
   */
  constructor(
    owner: ConsumerOwner,
    flow: FlowControl | undefined,
    position: () => number,
    interest: (bound: boolean) => void,
  ) {
    this.#owner = owner;
    this.#flow = flow;
    this.#position = position;
    this.#interest = interest;
  }

  /** Begins to look who listens. */
  begin(): void {
    this.#follow();
    this.#beat();
  }

  /** Whether somebody listens. */
  get bound(): boolean {
    return this.#bound;
  }

  get open(): boolean {
    return this.#bound && this.#flow?.stalled !== true;
  }

  take(): string {
    return this.#subject;
  }

  sent(_to: string, size: number): void {
    this.#flow?.sent(size);
    this.#beat();
  }

  missed(): void {
    this.#look();
  }

  idle(): void {}

  /** Nothing was delivered for a while. */
  heartbeat(): void {
    const { config, state, host } = this.#owner;
    if (this.#bound) {
      const stalled = this.#flow?.awaited ?? "";
      const frame = idleHeartbeat(state.delivered.consumer, this.#position() - 1, stalled);
      host.account.client.publish(this.#subject, frame, EMPTY);
      if (config.ackPolicy === "flow_control" && state.pending.size > 0 && stalled === "") this.#flow?.ask();
    }
    this.#beat();
  }

  configured(): void {
    const { deliverSubject, deliverGroup } = this.#owner.config;
    if (deliverSubject !== this.#subject || deliverGroup !== this.#group) this.#follow();
  }

  close(): void {
    this.#watch();
  }

  /** Looks who listens to the subject from now on. */
  #follow(): void {
    const { config, host } = this.#owner;
    this.#watch();
    this.#subject = config.deliverSubject;
    this.#group = config.deliverGroup;
    this.#watch = host.account.client.watchInterest(this.#subject, () => this.#look());
    this.#look();
  }

  #look(): void {
    const bound = this.#owner.host.account.client.isHeard(this.#subject, this.#group);
    const changed = bound !== this.#bound;
    this.#bound = bound;
    if (changed) this.#interest(bound);
    if (bound) this.#owner.wake();
  }

  /** The next heartbeat is due when nothing has been delivered until then. */
  #beat(): void {
    const { config, alarm, host } = this.#owner;
    if (config.idleHeartbeat === 0) return;
    alarm.set(ALARMS.heartbeat, host.account.clock.monotonic() + config.idleHeartbeat);
  }
}
