import { CONNECT_DEFAULTS, type ConnectOptions } from "../protocol/connect-options.ts";
import { FAULTS, quote } from "../protocol/faults.ts";
import type { Timer } from "../seams/clock.ts";
import type { Admission, Authenticator } from "./authenticator.ts";
import type { Broker } from "./broker.ts";
import { clientLabel, userLabel } from "./labels.ts";
import type { Session } from "./session.ts";
import type { SessionPeer } from "./session-peer.ts";

/**
 * How a client gets in, and as whom: what it says with `CONNECT`, what the authenticator makes of that, how long that may take, and
 * whether it may stay when the rules change. What is decided here holds in its session.
 */
export class Login {
  readonly #broker: Broker;
  readonly #session: Session;
  readonly #peer: SessionPeer;
  /** What stands for fields that `CONNECT` leaves out. */
  readonly #credentials: Partial<ConnectOptions> | undefined;
  /** What `CONNECT` said, with nats-server's defaults for the rest. */
  options: Readonly<ConnectOptions> = CONNECT_DEFAULTS;
  #admission: Admission | undefined;
  #timer: Timer | undefined;
  /** Made when a log line needs it. */
  #label: string | undefined;
  /** Whether the label tells what `CONNECT` has said the first time. */
  #labelled = false;
  /** Whether `CONNECT` has come, or the client has begun without. */
  connected = false;

  constructor(
    broker: Broker,
    session: Session,
    peer: SessionPeer,
    credentials: Partial<ConnectOptions> | undefined,
  ) {
    this.#broker = broker;
    this.#session = session;
    this.#peer = peer;
    this.#credentials = credentials;
  }

  /** The user that the client is; undefined where clients have none. */
  get user(): string | undefined {
    return this.#admission?.user;
  }

  /** How log lines name the connection: as nats-server does. */
  get label(): string {
    this.#label ??= clientLabel(this.#session, this.#labelled ? this.#details() : "");
    return this.#label;
  }

  #details(): string {
    return userLabel(this.options, this.#session.account.name, this.#admission);
  }

  /** Whether the client must say who it is. */
  get asked(): boolean {
    return this.#broker.authenticator?.asks(this.#session.type) === true;
  }

  /** From now on the client has so much time to say who it is. */
  begin(): void {
    const { authenticator, context } = this.#broker;
    if (authenticator === undefined) return;
    this.#timer = context.clock.after(authenticator.timeout, () => {
      this.#session.fault(FAULTS.authenticationTimeout, "Authentication Timeout");
      this.#broker.flush();
    });
  }

  /** Ends it: the session has ended. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** `CONNECT` has come: the client is let in or refused, now or when that is decided. */
  connect(given: Partial<ConnectOptions>): void {
    this.#timer?.cancel();
    const again = this.connected;
    // A second CONNECT begins anew, outside of its account, with the fields of the first as defaults (nats-server client.go processConnect).
    if (again) {
      this.#session.dropSubscriptions();
      this.#session.join(this.#broker.globalAccount);
    }
    this.connected = true;
    const said = { ...this.options, ...given };
    const options = this.#credentials === undefined ? said : withCredentials(said, this.#credentials);
    this.options = options;
    this.#peer.headers = options.headers && this.#broker.context.info().headers;
    if (this.asked) this.#decide(this.#broker.authenticator!, again);
    else this.#enterUnasked(again);
  }

  /** Lets the client in, or refuses it, by the rules as they are now; returns whether that is done, or takes its time. */
  #decide(authenticator: Authenticator, again: boolean): boolean {
    const { type } = this.#session;
    this.#session.mute();
    const verdict = authenticator.admit({
      options: this.options,
      type,
      gone: () => this.#session.closed,
    });
    if (!(verdict instanceof Promise)) {
      if (this.#admit(verdict)) this.#enter(again);
      return true;
    }
    this.#peer.suspend(true);
    void verdict.then((admission) => this.#decided(admission, authenticator, again));
    return false;
  }

  /** The verdict has come that took time. */
  #decided(admission: Admission | undefined, authenticator: Authenticator, again: boolean): void {
    if (this.#session.closed) return;
    const now = this.#broker.authenticator;
    if (now === undefined || !this.asked) {
      this.#enterUnasked(again);
    } else if (now !== authenticator) {
      // The rules that it goes by hold no more.
      if (!this.#decide(now, again)) return;
    } else if (this.#admit(admission)) {
      this.#enter(again);
    }
    this.#peer.suspend(false);
    this.#broker.flush();
  }

  /** Nobody is asked, or not any more. */
  #enterUnasked(again: boolean): void {
    const { globalAccount } = this.#broker;
    this.#admission = undefined;
    this.#session.join(globalAccount);
    globalAccount.sessions.add(this.#session);
    this.#session.admit(undefined);
    this.#enter(again);
  }

  /**
   * The client says something although it has not been let in. Where there is a user for clients without a name, it is that one;
   * else it goes. Returns whether it is in.
   */
  enterUnnamed(): boolean {
    const admission = this.connected
      ? undefined
      : this.#broker.authenticator?.admitUnnamed(this.#session.type);
    this.#timer?.cancel();
    this.connected = true;
    if (admission !== undefined) return this.#admit(admission);
    this.#refuse(false);
    return false;
  }

  /** Puts the client where it belongs, or refuses it. */
  #admit(admission: Admission | undefined): boolean {
    if (admission === undefined) {
      this.#refuse();
      return false;
    }
    const { account, permissions } = admission;
    this.#session.join(account);
    const { maxConnections } = account.limits;
    if (
      maxConnections >= 0 &&
      !account.sessions.has(this.#session) &&
      account.sessions.size >= maxConnections
    ) {
      this.#tooMany();
      return false;
    }
    account.sessions.add(this.#session);
    this.#admission = admission;
    this.#session.admit(permissions);
    return true;
  }

  /** The client is in: the rest of `CONNECT` holds. */
  #enter(again: boolean): void {
    const session = this.#session;
    const options = this.options;
    this.#broker.observer?.entered(session);
    if (!again) {
      this.#label = undefined;
      this.#labelled = true;
    }
    if (options.account !== "" || options.new_account) {
      this.#refuse(false);
    } else if (options.protocol < 0 || options.protocol > 1) {
      session.fault(FAULTS.clientProtocol, "invalid client protocol");
    } else if (options.no_responders && !this.#peer.headers) {
      session.fault(FAULTS.noRespondersNeedsHeaders, "no responders requires headers support");
    } else {
      session.begin(options);
    }
  }

  /** @param checked - whether that is for what it said of itself. */
  #refuse(checked = true): void {
    this.#broker.observer?.refused(this.#session, checked);
    const { user, nkey, auth_token: token } = this.options;
    const who = nkey !== "" ? ` - Nkey ${quote(nkey)}` : user !== "" ? ` - User ${quote(user)}` : "";
    this.#session.fault(
      FAULTS.authorization,
      `authentication error${who === "" && token !== "" ? ' - Token "[REDACTED]"' : who}`,
    );
  }

  /** The rules have changed: the client, which is in, stays as what it is now, or goes. */
  reconsider(): void {
    const { authenticator, globalAccount } = this.#broker;
    const { type, account } = this.#session;
    if (authenticator === undefined || !authenticator.asks(type)) {
      if (account !== globalAccount) {
        this.#dismiss(undefined);
        return;
      }
      this.#admission = undefined;
      this.#session.permit(undefined);
      return;
    }
    const admission = authenticator.admitAgain({ options: this.options, type }, this.#admission);
    // A client cannot move to another account with its subscriptions.
    if (admission === undefined || admission.account !== account) {
      this.#dismiss(authenticator);
      return;
    }
    this.#admission = admission;
    const { maxConnections } = account.limits;
    if (maxConnections >= 0 && account.sessions.size > maxConnections) this.#tooMany();
    else this.#session.permit(admission.permissions);
  }

  /**
   * The client may not stay. Where its user is no more, or in another account, nothing is wrong with what it said: it is closed without a
   * word, so that it comes again and finds out (nats-server `clientHasMovedToDifferentAccount`).
   */
  #dismiss(authenticator: Authenticator | undefined): void {
    const name = this.#admission?.user ?? this.options.user;
    if (name !== "" && authenticator?.accountOf(name) !== this.#session.account)
      this.#session.close("Client Closed");
    else this.#refuse();
  }

  #tooMany(): void {
    this.#session.fault(FAULTS.maxAccountConnections, "maximum account active connections exceeded");
  }
}

/** Fills in what `CONNECT` leaves out (nats-server `processConnect`). */
function withCredentials(options: ConnectOptions, credentials: Partial<ConnectOptions>): ConnectOptions {
  return {
    ...options,
    user: options.user || (credentials.user ?? ""),
    pass: options.pass || (credentials.pass ?? ""),
    auth_token: options.auth_token || (credentials.auth_token ?? ""),
  };
}
