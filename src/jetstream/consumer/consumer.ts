import type { Message } from "../../protocol/message.ts";
import { consumerPause } from "../api/events.ts";
import { timestampMs, timestampOf } from "../json/timestamps.ts";
import type { ConsumerState } from "../snapshot/consumer-state.ts";
import { AckHandler } from "./ack-handler.ts";
import { AckReplies } from "./ack-replies.ts";
import { AckState, type SequencePair } from "./ack-state.ts";
import { AckSubjects } from "./acks.ts";
import { ALARMS, Alarm, type AlarmName } from "./alarm.ts";
import { Claims } from "./claims.ts";
import { type ConsumerConfig, filtersOf, isPush } from "./config.ts";
import type { StoredConsumer } from "./consumer-files.ts";
import { Cursor } from "./cursor.ts";
import { Delivery } from "./delivery.ts";
import { FlowControl } from "./flow-control.ts";
import type { ConsumerHost } from "./host.ts";
import { Inactivity } from "./inactivity.ts";
import { type ConsumerInfo, sequenceInfoOf } from "./info.ts";
import { Listening } from "./listening.ts";
import type { ConsumerOwner, Outlet } from "./owner.ts";
import { Pace } from "./pace.ts";
import { PullOutlet } from "./pull-outlet.ts";
import { PushOutlet } from "./push-outlet.ts";
import { Redeliveries } from "./redeliveries.ts";
import type { StartingPoint } from "./starting-point.ts";
import type { StateLog } from "./state-log.ts";
import { checkTimeouts } from "./timeouts.ts";

/** What has changed is written down at the latest so many ms later, when nobody waits for it. */
const FLUSH_MS = 1_000;

/** What a consumer is made of. */
export interface ConsumerParts extends StoredConsumer {
  /** Where its state is kept; undefined when it is not. */
  readonly log: StateLog | undefined;
  /** What it was at in a snapshot. */
  readonly restored?: ConsumerState;
}

/** What a consumer tells those that have it. */
export interface ConsumerEvents {
  /** Nobody has used it for so long that it is to be deleted. */
  abandoned(consumer: Consumer): void;
  /** `CONSUMER.RESET` for it. */
  reset(consumer: Consumer, message: Message): void;
}

/** A consumer that runs: it delivers messages of its stream, and keeps account of what is acknowledged. */
export class Consumer implements ConsumerOwner {
  readonly host: ConsumerHost;
  readonly stream: string;
  readonly consumer: string;
  readonly created: number;
  readonly state: AckState;
  readonly alarm: Alarm;
  /** Which messages concern it. */
  readonly claims: Claims;
  #config: ConsumerConfig;
  readonly #log: StateLog | undefined;
  readonly #cursor: Cursor;
  readonly #redeliveries: Redeliveries;
  readonly #subjects: AckSubjects;
  readonly #outlet: Outlet;
  readonly #pull: PullOutlet | undefined;
  readonly #push: PushOutlet | undefined;
  readonly #flow: FlowControl | undefined;
  readonly #pace: Pace;
  readonly #delivery: Delivery;
  readonly #acks: AckHandler;
  readonly #inactivity: Inactivity;
  readonly #listening: Listening;
  readonly #start: StartingPoint;
  #pausedUntil = 0;
  #woken = false;
  #ready = false;
  #closed = false;

  /** Nothing runs before {@link open}. */
  constructor(host: ConsumerHost, parts: ConsumerParts, events: ConsumerEvents) {
    const { name, config, created, start, log } = parts;
    const { clock, hash: accountHash, domain } = host.account;
    this.host = host;
    this.stream = host.config.name;
    this.consumer = name;
    this.created = created;
    this.#config = config;
    this.#log = log;
    this.#start = start;
    this.alarm = new Alarm(clock, (due) => this.#due(due));
    if (log !== undefined) {
      log.dirtied = () => this.alarm.setEarliest(ALARMS.flush, clock.monotonic() + FLUSH_MS);
    }
    this.state = new AckState(config.ackPolicy, start.seq, log);
    if (parts.restored !== undefined) this.state.takeOver(parts.restored, clock.now() - clock.monotonic());
    // A stream that was not synced may have lost its end: what comes there now is new.
    if (config.deliverPolicy !== "by_start_sequence" || this.state.delivered.consumer > 0) {
      this.state.rollBack(host.store.state.lastSeq);
    }
    this.#redeliveries = new Redeliveries(this.state.pending);
    this.#subjects = new AckSubjects(this.stream, name, { domain, accountHash });
    this.#cursor = new Cursor(host.store, config, this.state.delivered.stream + 1);
    this.#pace = new Pace(this);
    const position = (): number => this.#cursor.position;
    this.#flow = config.flowControl ? new FlowControl(this, this.#subjects) : undefined;
    if (isPush(config)) {
      this.#push = new PushOutlet(this, this.#flow, position, (bound) => this.#inactivity.bound(bound));
    } else {
      this.#pull = new PullOutlet(this, this.#cursor, this.#redeliveries, () => this.#inactivity.used());
    }
    this.#outlet = (this.#push ?? this.#pull)!;
    this.#delivery = new Delivery(this, {
      cursor: this.#cursor,
      redeliveries: this.#redeliveries,
      subjects: this.#subjects,
      outlet: this.#outlet,
      pace: this.#pace,
      paused: () => this.paused,
    });
    const replies = new AckReplies(host.account, log);
    this.#acks = new AckHandler(this, this.#redeliveries, replies, position, {
      next: (reply, body) => this.#listening.pull(reply, body),
      touched: (now) => {
        this.#delivery.lastActive = now;
      },
    });
    this.claims = new Claims(this, this.#cursor, this.#acks);
    this.#listening = new Listening(this, {
      subjects: this.#subjects,
      acks: this.#acks,
      flow: this.#flow,
      pull: this.#pull,
      acknowledged: () => this.#inactivity.acknowledged(),
      reset: (message) => events.reset(this, message),
    });
    this.#inactivity = new Inactivity(
      this,
      () => (this.#pull === undefined ? this.#push!.bound : this.#pull.waiting() > 0),
      () => events.abandoned(this),
    );
  }

  /** Begins to listen and, in another turn, to deliver: who has made the consumer is told of it before messages come. */
  async open(): Promise<void> {
    await this.#cursor.onlyLast(this.#config, this.#start.lastUpTo);
    this.host.account.tasks.later(() => {
      this.#ready = true;
      this.wake();
    });
    this.#push?.begin();
    this.#applyPause();
    this.#listening.open();
    this.claims.forgetGone();
    checkTimeouts(this, this.#redeliveries, this.#delivery);
  }

  get config(): ConsumerConfig {
    return this.#config;
  }

  /** What is kept of it beside its state. */
  get parts(): StoredConsumer {
    return { name: this.consumer, created: this.created, start: this.#start, config: this.#config };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The next message of the stream that it looks at. */
  get position(): number {
    return this.#cursor.position;
  }

  wake(): void {
    if (this.#woken || this.#closed || !this.#ready) return;
    this.#woken = true;
    this.host.account.tasks.soon(this.#run);
  }

  readonly #run = (): void => {
    this.#woken = false;
    if (!this.#closed) this.#delivery.run();
  };

  /** Messages up to `seq` can be delivered now. */
  stored(seq: number): void {
    if (seq >= this.#cursor.position && this.#outlet.open) this.wake();
  }

  /** Messages from `seq` on have come to nothing, and their numbers are given out again. */
  refused(seq: number): void {
    if (this.#cursor.position > seq) this.#cursor.restart(seq);
  }

  /** A message that was passed over, as it was not there, is back. */
  returned(seq: number): void {
    if (seq > this.state.delivered.stream) {
      // Nothing behind it was delivered.
      this.#cursor.restart(seq);
    } else {
      const place = this.state.takeBack(seq, this.host.account.clock.monotonic());
      if (place >= 0) this.#redeliveries.add(place);
    }
    this.wake();
  }

  /** Whether it waits with delivering. */
  get paused(): boolean {
    return this.#pausedUntil > 0 && this.host.account.clock.now() < this.#pausedUntil;
  }

  /** What the API shows of it; the number of messages left may need to be counted. */
  async info(): Promise<ConsumerInfo> {
    while (!this.#cursor.count())
      await new Promise<void>((resolve) => this.host.account.tasks.later(resolve));
    const { state, config, paused } = this;
    const { clock } = this.host.account;
    const now = clock.now();
    const group = this.#pull?.pin.state();
    const epoch = now - clock.monotonic();
    return {
      stream: this.stream,
      name: this.consumer,
      created: timestampOf(this.created),
      config,
      delivered: sequenceInfoOf(this.#shownDelivered(), this.#delivery.lastActive, epoch),
      ackFloor: sequenceInfoOf(state.floor, this.#acks.lastActive, epoch),
      numAckPending: state.pending.size,
      numRedelivered: config.maxDeliver === 1 ? 0 : state.redelivered,
      numWaiting: this.#pull?.waiting() ?? 0,
      numPending: this.#cursor.left,
      pushBound: this.#push?.bound ?? false,
      paused,
      pauseRemaining: paused ? this.#pausedUntil - now : 0,
      ts: timestampOf(now),
      priorityGroups: group === undefined ? [] : [group],
    };
  }

  /** What has been delivered; of a consumer that was made for an empty stream, how far it has looked. */
  #shownDelivered(): SequencePair {
    const { consumer, stream } = this.state.delivered;
    return { consumer, stream: consumer === 0 && stream === 0 ? this.#cursor.position - 1 : stream };
  }

  /** The configuration has changed. */
  configure(config: ConsumerConfig): void {
    const old = this.#config;
    this.#config = config;
    if (filtersOf(old).join(" ") !== filtersOf(config).join(" ")) {
      this.#delivery.interrupt();
      this.#cursor.refilter(config);
    }
    if (old.inactiveThreshold !== config.inactiveThreshold) this.#inactivity.configured();
    if (old.deliverSubject !== config.deliverSubject) this.#redeliverAll();
    this.#outlet.configured();
    if (old.pauseUntil !== config.pauseUntil) {
      this.#applyPause();
      this.tellPause();
    }
    checkTimeouts(this, this.#redeliveries, this.#delivery);
  }

  /** What was sent to one subject is sent to another one. */
  #redeliverAll(): void {
    const { pending } = this.state;
    for (let place = pending.first(); place >= 0; place = pending.next(place)) this.#redeliveries.add(place);
  }

  #applyPause(): void {
    const { pauseUntil } = this.#config;
    const { clock } = this.host.account;
    this.#pausedUntil = pauseUntil === undefined ? 0 : timestampMs(pauseUntil);
    const wait = this.#pausedUntil - clock.now();
    if (wait > 0) this.alarm.set(ALARMS.pause, clock.monotonic() + wait);
    else this.alarm.clear(ALARMS.pause);
    this.wake();
  }

  /** Tells that the consumer is paused, or is no more. */
  tellPause(): void {
    const { stream, consumer } = this;
    this.host.account.tell(`$JS.EVENT.ADVISORY.CONSUMER.PAUSE.${stream}.${consumer}`, (stamp) =>
      consumerPause(stamp, { stream, consumer }, this.paused, this.#config.pauseUntil),
    );
  }

  /** Tells those who wait for messages that the server ends. */
  shutDown(): void {
    this.#pull?.shutDown();
  }

  /** Takes the pin of a priority group away. */
  unpin(group: string): void {
    this.#pull?.pin.unpin(group);
  }

  /** Begins anew with a message. */
  reset(seq: number): void {
    this.#delivery.interrupt();
    this.#redeliveries.clear();
    this.state.reset(seq);
    this.#cursor.restart(seq);
    this.#delivery.lastActive = undefined;
    this.#acks.lastActive = undefined;
    this.wake();
  }

  /** Resolves when all that has been acknowledged is on disk. */
  async flush(): Promise<void> {
    await this.#log?.flush();
  }

  /** Ends it; what is on disk stays. */
  async close(): Promise<void> {
    this.#end(false);
    await this.#log?.close();
  }

  /** Ends it for ever; those who wait for messages are told. */
  async delete(): Promise<void> {
    this.#end(true);
    await this.#log?.abandon();
  }

  #end(deleted: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listening.close();
    this.#outlet.close(deleted);
    this.#delivery.interrupt();
    this.alarm.close();
    this.#cursor.close();
  }

  #due(name: AlarmName): void {
    switch (name) {
      case ALARMS.acks:
        checkTimeouts(this, this.#redeliveries, this.#delivery);
        break;
      case ALARMS.requests:
        this.#delivery.attend();
        break;
      case ALARMS.heartbeat:
        this.#push?.heartbeat();
        break;
      case ALARMS.inactive:
        this.#inactivity.check();
        break;
      case ALARMS.pause:
        this.tellPause();
        this.wake();
        break;
      case ALARMS.pin:
        this.#pull?.pin.expired();
        break;
      case ALARMS.pace:
        this.wake();
        break;
      case ALARMS.flush:
        this.#log?.flush().catch((error: unknown) => {
          const { name, logger, clock } = this.host.account;
          const title = `Consumer '${name} > ${this.stream} > ${this.consumer}'`;
          logger.error(`${title} state cannot be stored: ${String(error)}`);
          // A full disk may have room again.
          if (this.#log?.stopped === false) this.alarm.set(ALARMS.flush, clock.monotonic() + FLUSH_MS);
        });
        break;
    }
  }
}
