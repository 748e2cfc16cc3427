import type { Account } from "../../broker/account.ts";
import type { Broker } from "../../broker/broker.ts";
import { newEventId } from "../../broker/event-id.ts";
import type { ConnectionObserver } from "../../broker/internal-services.ts";
import type { Session } from "../../broker/session.ts";
import type { ClosedReason } from "../../protocol/closed-reason.ts";
import type { Timer } from "../../seams/clock.ts";
import type { Random } from "../../seams/random.ts";
import { accountStat } from "../monitor/accstatz.ts";
import { goJson, goTime } from "../monitor/go-format.ts";
import type { MonitorState } from "../monitor/state.ts";
import { clientInfo } from "./client-info.ts";
import type { ServerIdentity } from "./identity.ts";
import { statsz } from "./statsz.ts";
import { REFUSED_SUBJECT } from "./system.ts";

/** How often the server tells its numbers, in ms (nats-server `statsHBInterval`). */
const STATSZ_INTERVAL_MS = 10_000;
/** How often an account that has connections tells how many, in ms (nats-server `eventsHBInterval`). */
const CONNS_INTERVAL_MS = 30_000;

const CONNECT_TYPE = "io.nats.server.advisory.v1.client_connect";
const DISCONNECT_TYPE = "io.nats.server.advisory.v1.client_disconnect";
const CONNS_TYPE = "io.nats.server.advisory.v1.account_connections";

/**
 * What the server tells in the system account of itself: who comes and goes, how many there are, its numbers, its end (behaviour.md E.8).
 * Nothing is made of an event that nobody listens for.
 */
export class SystemEvents implements ConnectionObserver {
  readonly #broker: Broker;
  readonly #account: Account;
  readonly #state: MonitorState;
  readonly #identity: ServerIdentity;
  readonly #random: Random;
  #heartbeat: Timer | undefined;
  #connsHeartbeat: Timer | undefined;

  /** @param account - the system account. */
  constructor(account: Account, state: MonitorState, identity: ServerIdentity, random: Random) {
    this.#broker = state.broker;
    this.#account = account;
    this.#state = state;
    this.#identity = identity;
    this.#random = random;
  }

  /** Somebody has come who may listen. */
  begin(): void {
    this.#beat();
  }

  entered(session: Session): void {
    const { account } = session;
    if (account === this.#account) this.#beat();
    if (this.#unheard) return;
    this.#accountConnections(account);
    this.#tell(`$SYS.ACCOUNT.${account.name}.CONNECT`, () => ({
      ...this.#typed(CONNECT_TYPE),
      server: this.#identity.next(),
      client: clientInfo(session, undefined),
    }));
  }

  left(session: Session, reason: ClosedReason): void {
    if (this.#unheard) return;
    this.#accountConnections(session.account);
    this.#tell(`$SYS.ACCOUNT.${session.account.name}.DISCONNECT`, () => this.#disconnect(session, reason));
  }

  refused(session: Session, checked: boolean): void {
    const event = (): object => this.#disconnect(session, "Authentication Failure");
    if (!this.#unheard) {
      this.#tell(`$SYS.SERVER.${this.#state.info.server_id}.CLIENT.AUTH.ERR`, event);
    }
    if (!checked) return;
    const { account } = session;
    const publisher = this.#broker.publisher(account);
    if (publisher.hasInterest(REFUSED_SUBJECT)) {
      publisher.publish(REFUSED_SUBJECT, undefined, goJson(event()));
    }
  }

  /** The server takes no more connections: lame duck mode. */
  lameDuck(): void {
    if (this.#unheard) return;
    this.#tell(`$SYS.SERVER.${this.#state.info.server_id}.LAMEDUCK`, () => this.#identity.next());
  }

  /** The server ends: tells so, and falls silent. */
  stop(): void {
    this.#heartbeat?.cancel();
    this.#connsHeartbeat?.cancel();
    if (this.#unheard) return;
    this.#tell(`$SYS.SERVER.${this.#state.info.server_id}.SHUTDOWN`, () => this.#identity.next());
  }

  /** The answer to a request for the server's numbers, and what is told unasked. */
  statsz(): object {
    return { server: this.#identity.next(), statsz: statsz(this.#state) };
  }

  /** Tells the server's numbers now. */
  tellStatsz(): void {
    this.#tell(`$SYS.SERVER.${this.#state.info.server_id}.STATSZ`, () => this.statsz());
  }

  /** The event that says how many connections an account has. */
  connections(account: Account): object {
    return { ...this.#typed(CONNS_TYPE), server: this.#identity.next(), ...accountStat(account) };
  }

  get #unheard(): boolean {
    return this.#account.router.count === 0;
  }

  /** Somebody may listen: the numbers are told now and then, as long as the system account has connections. */
  #beat(): void {
    if (this.#heartbeat !== undefined) return;
    const { clock } = this.#state;
    this.#heartbeat = clock.after(STATSZ_INTERVAL_MS, () => {
      this.#heartbeat = undefined;
      if (this.#account.sessions.size === 0) return;
      this.tellStatsz();
      this.#beat();
    });
    this.#connsHeartbeat ??= clock.after(CONNS_INTERVAL_MS, () => this.#tellAllConnections());
  }

  #tellAllConnections(): void {
    this.#connsHeartbeat = undefined;
    if (this.#account.sessions.size === 0) return;
    for (const account of this.#broker.accounts.values()) {
      if (account.sessions.size > 0) this.#accountConnections(account);
    }
    const { clock } = this.#state;
    this.#connsHeartbeat = clock.after(CONNS_INTERVAL_MS, () => this.#tellAllConnections());
  }

  /** How many connections an account has: not told of the global one, as nats-server does not. */
  #accountConnections(account: Account): void {
    if (account === this.#broker.globalAccount) return;
    for (const subject of [
      `$SYS.SERVER.ACCOUNT.${account.name}.CONNS`,
      `$SYS.ACCOUNT.${account.name}.SERVER.CONNS`,
    ]) {
      this.#tell(subject, () => this.connections(account));
    }
  }

  #disconnect(session: Session, reason: ClosedReason): object {
    const { traffic } = session;
    return {
      ...this.#typed(DISCONNECT_TYPE),
      server: this.#identity.next(),
      client: clientInfo(session, this.#state.clock.now()),
      sent: { msgs: traffic.inMsgs, bytes: traffic.inBytes },
      received: { msgs: traffic.outMsgs, bytes: traffic.outBytes },
      reason,
    };
  }

  #typed(type: string) {
    return { type, id: newEventId(this.#random), timestamp: goTime(this.#state.clock.now()) };
  }

  #tell(subject: string, event: () => object): void {
    const publisher = this.#broker.publisher(this.#account);
    if (publisher.hasInterest(subject)) publisher.publish(subject, undefined, goJson(event()));
  }
}
