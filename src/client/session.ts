import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ProtocolFault } from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { VerbLinkClient } from "../seams/link.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { Attempt } from "./attempt.ts";
import { Backlog } from "./backlog.ts";
import { connectFields } from "./connect-fields.ts";
import { Conversation } from "./conversation.ts";
import { errors, type PermissionViolationError } from "./core.ts";
import type { Responder } from "./msg.ts";
import type { Settings } from "./options.ts";
import { isRefusal, serverError } from "./server-errors.ts";
import type { ServerLink } from "./server-link.ts";
import { StatusListeners } from "./status-listeners.ts";
import type { WireClient } from "./wire-server.ts";

/** What a session tells the connection that it is the inside of. */
export interface SessionOwner extends Responder {
  /** How status events name the server. */
  readonly serverName: string;
  /** The server has said which others there are. */
  discovered(urls: readonly string[]): void;
  /** The server does not allow a subscription, or publishing to a subject. */
  denied(error: PermissionViolationError): void;
  /** The link is lost. Whether another is looked for is the owner's to decide; `final` says that none will be found. */
  disconnected(why: Error | undefined, final: boolean): void;
  /** The link has been left by the user's wish; resolves when the server has taken what was said on it. */
  left(taken: Promise<void>): void;
  /** The session has ended, with the error that ended it, if any. */
  ended(error: Error | undefined): void;
}

/**
 * A conversation over one link after another: greets servers, and knows what becomes of the conversation when a link is lost. Without a
 * link, what the client says goes to the {@link Backlog}.
 */
export class ClientSession extends Conversation implements VerbLinkClient, WireClient {
  /** Whether a server has ever accepted the client. */
  everAccepted = false;
  readonly #settings: Settings;
  readonly #owner: SessionOwner;
  /** Made when a link is lost for the first time. */
  #backlog: Backlog | undefined;
  #link: ServerLink | undefined;
  #attempt: Attempt | undefined;
  #refusal: Error | undefined;
  #leaving = false;

  constructor(settings: Settings, runtime: ClientRuntime, owner: SessionOwner) {
    super(runtime, new StatusListeners(settings.onStatus), owner);
    this.#settings = settings;
    this.#owner = owner;
  }

  get isConnected(): boolean {
    return this.#link !== undefined && this.server === this.#link;
  }

  /** Bytes of what was published that wait: for the network, or for another server. */
  get buffered(): number {
    return (this.isConnected ? this.#link!.buffered : this.#backlog?.bytes) ?? 0;
  }

  // Making a connection.

  /** Has `greet` greet a server. Resolves once that has accepted the client; rejects with why it has not. */
  async attempt(greet: (attempt: Attempt) => Promise<void> | void): Promise<void> {
    this.listeners.tell({ type: "reconnecting" });
    const attempt = new Attempt();
    this.#attempt = attempt;
    this.#refusal = undefined;
    try {
      await greet(attempt);
      await attempt.accepted.promise;
    } catch (error) {
      attempt.fail(error as Error);
      if (this.#attempt === attempt) {
        this.#attempt = undefined;
        this.#letGo(abort);
      }
      throw this.#refusal ?? attempt.failure;
    }
  }

  /** Gives up the attempt under way. */
  giveUp(why: () => Error): void {
    this.#attempt?.fail(why());
  }

  /** Greets the server in this program: it introduces itself in the first call, and answers when the code at hand is done. */
  greetHere(attempt: Attempt): void {
    const settings = this.#settings;
    const link: ServerLink = settings.inProcessServer!.inProcessConn().open(this);
    this.#link = link;
    if (attempt.failure !== undefined) throw attempt.failure;
    link.connect(connectFields(this.serverInfo!, settings, this.runtime.version));
    attempt.asked = true;
    link.ping();
  }

  /** For the greeting: what the server says from now on is said over this link. */
  take(link: ServerLink): void {
    this.#link = link;
  }

  /** The server has accepted the client: it is told all subscriptions, and what has waited for it. */
  #accepted(attempt: Attempt): void {
    const link = this.#link!;
    this.#attempt = undefined;
    this.server = link;
    this.#refusal = undefined;
    // The first server finds a client that has said nothing yet.
    if (this.everAccepted) this.tellAll(link, this.#backlog);
    link.accepted?.();
    if (this.everAccepted) {
      this.stats.reconnects += 1;
      this.listeners.tell({ type: "reconnect", server: this.#owner.serverName });
    }
    this.everAccepted = true;
    attempt.accepted.resolve();
  }

  pinging(pendingPings: number): void {
    this.listeners.tell({ type: "ping", pendingPings });
    this.roundTrip().catch(() => {});
  }

  stale(): void {
    this.listeners.tell({ type: "staleConnection" });
    this.#lose(new errors.ConnectionError("stale connection"), false);
  }

  // What the server says.

  info(info: ServerInfo): void {
    if (this.#leaving) return;
    this.serverInfo = info;
    this.#attempt?.introduced?.(info);
    this.#owner.discovered(info.connect_urls ?? []);
    if (info.ldm) this.listeners.tell({ type: "ldm", server: this.#owner.serverName });
  }

  ok(): void {}

  err(text: string): void {
    if (this.#leaving) return;
    const error = serverError(text);
    if (error instanceof errors.PermissionViolationError) this.#denied(error);
    // The server closes the connection after most of the others; this is then why.
    else this.#refusal = error;
    this.listeners.tell({ type: "error", error });
    if (isRefusal(error)) this.#attempt?.fail(error);
  }

  #denied(error: PermissionViolationError): void {
    const { operation, subject, queue } = error;
    const concerned = this.subscriptions.find((each) =>
      operation === "subscription"
        ? each.subject === subject && each.queue === queue
        : each.requestSubject === subject,
    );
    try {
      concerned?.fail(error);
    } catch (thrown) {
      this.threw(thrown);
    }
    this.#owner.denied(error);
  }

  ping(): void {
    this.#link?.pong();
  }

  pong(): void {
    const attempt = this.#attempt;
    if (attempt === undefined) {
      this.#link?.answered?.();
      this.inbound.pong();
    } else if (attempt.asked && attempt.failure === undefined) {
      // One that was given up meanwhile is about to be let go.
      this.#accepted(attempt);
    }
  }

  // The end of a link.

  fault(_fault: ProtocolFault, detail: string): void {
    this.#lose(new errors.ProtocolError(`the server broke the protocol: ${detail}`), false);
  }

  lost(error: Error | undefined): void {
    this.#lose(error ?? new errors.ConnectionError("the server closed the connection"), false);
  }

  closed(reason: ClosedReason): void {
    if (this.#leaving) return;
    // Messages that were on their way when the server closed have arrived: in process there is no wire to lose them on.
    this.flush();
    // A server in this program that has shut down does not come back: a new one would be another object.
    const final = reason === "Server Shutdown";
    this.#lose(new errors.ConnectionError(`the server closed the connection: ${reason}`), final);
  }

  /** The user wants another link: what was published is sent on this one first, so that nothing overtakes it. */
  leave(): void {
    if (!this.isConnected) return;
    let taken: Promise<void> | undefined;
    this.#letGo((link) => {
      if (link.leave !== undefined) taken = link.leave();
      else link.close();
    });
    this.#disconnected(undefined);
    this.#owner.left(taken ?? Promise.resolve());
  }

  /**
   * The link is of no use any more.
   * @param final - no other will be.
   */
  #lose(error: Error, final: boolean): void {
    const why = this.#refusal ?? error;
    if (this.#attempt !== undefined) {
      this.#attempt.fail(why);
      return;
    }
    if (this.isClosed || this.#link === undefined) return;
    this.#letGo(abort);
    this.#disconnected(why);
    this.#owner.disconnected(why, final);
  }

  #disconnected(why: Error | undefined): void {
    // Never inside a call of the program's.
    if (this.inbound.length > 0) this.runtime.tasks.soon(() => this.flush());
    this.inbound.failPongs(() => disconnection(why));
    this.listeners.tell({ type: "disconnect", server: this.#owner.serverName });
  }

  /** Ends the link, from which nothing more is heard. */
  #letGo(end: (link: ServerLink) => void): void {
    const link = this.#link;
    this.#link = undefined;
    this.server = this.#backlog ??= new Backlog(this.#settings.reconnectBufferSize);
    if (link === undefined) return;
    this.#leaving = true;
    try {
      end(link);
    } finally {
      this.#leaving = false;
    }
  }

  /** Ends the session, once: nothing is delivered after it, and whatever waits is told. */
  finish(error: Error | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.inbound.clear();
    if (this.isConnected && error !== undefined)
      this.listeners.tell({ type: "disconnect", server: this.#owner.serverName });
    for (const subscription of this.subscriptions) subscription.abort(error);
    const why = (): Error => error ?? new errors.ClosedConnectionError();
    this.inbound.failPongs(why);
    this.#letGo((link) => link.close());
    this.#backlog?.clear();
    this.giveUp(why);
    this.#owner.ended(error);
    this.listeners.close();
  }
}

/** What those are told who wait for a server that is lost. */
export function disconnection(cause: Error | undefined): Error {
  return new errors.RequestError("connection disconnected", { cause });
}

/** Ends a link at once: what waits to be sent on it is of no use either. */
function abort(link: ServerLink): void {
  if (link.abort !== undefined) link.abort();
  else link.close();
}
