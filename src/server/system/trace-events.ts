import type { Broker } from "../../broker/broker.ts";
import type { Session } from "../../broker/session.ts";
import type { MessageTrace, TraceEvent, Tracer } from "../../broker/trace/message-trace.ts";
import { ascii } from "../../protocol/bytes.ts";
import { encodePayload } from "../../protocol/text.ts";
import type { Compression } from "../../seams/compression.ts";
import { goJson, goTime, orOmit } from "../monitor/go-format.ts";

/** What traces need of the server's identity: the object for the next event. */
export interface EventIdentity {
  next(): object;
}

/** The number that events give to a connection of a client. */
const CLIENT_KIND = 0;

/**
 * Publishes the traces of messages where their publishers asked for them (behaviour.md B.7, ADR-41): as JSON, compressed by gzip if the publisher
 * accepts that. Of snappy, which nats-server also knows, there is no library for us: it is answered as an encoding that is not known.
 */
export class TraceEvents implements Tracer {
  readonly #broker: Broker;
  readonly #identity: EventIdentity;
  readonly #compression: Compression;
  /** The end of what is being compressed. */
  #compressing: Promise<void> | undefined;

  constructor(broker: Broker, identity: EventIdentity, compression: Compression) {
    this.#broker = broker;
    this.#identity = identity;
    this.#compression = compression;
  }

  traced(trace: MessageTrace): void {
    const { account, destination, headers } = trace;
    const publisher = this.#broker.publisher(account);
    if (!publisher.hasInterest(destination)) return;
    const text = this.#json(trace);
    const accepted = headers.get("Accept-Encoding")?.[0].toLowerCase();
    if (accepted?.includes("gzip")) {
      this.#later(async () => {
        const zipped = await this.#compression.gzip(encodePayload(text));
        publisher.publish(destination, encodedAs("gzip"), zipped);
      });
      return;
    }
    const encoding = accepted === undefined ? undefined : encodedAs("identity");
    const publish = (): void => publisher.publish(destination, encoding, text);
    if (this.#compressing === undefined) publish();
    else this.#later(publish);
  }

  /** Traces come in the order of their messages: what is made while one is compressed waits for that. */
  #later(publish: () => void | Promise<void>): void {
    const done = (this.#compressing ?? Promise.resolve()).then(publish).then(() => {
      if (this.#compressing === done) this.#compressing = undefined;
    });
    this.#compressing = done;
  }

  #json(trace: MessageTrace): string {
    const server = goJson(this.#identity.next());
    // Go sorts the keys of a map; as keys of an object, names that are numbers would come first.
    const headers = [...trace.headers]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, values]) => `${goText(name)}:[${values.map(goText).join(",")}]`);
    const events = trace.events.map((event) => goJson(eventOf(event)));
    const request = `{"header":{${headers.join(",")}},"msgsize":${trace.size}}`;
    return `{"server":${server},"request":${request},"events":[${events.join(",")}]}`;
  }
}

/** The fields of an event, in nats-server's order. */
function eventOf(event: TraceEvent): object {
  const { type } = event;
  const ts = goTime(event.at);
  if (type === "sm") return { type, ts, to: clean(event.to) };
  if (type === "in") {
    return {
      type,
      ts,
      ...connection(event.session),
      acc: event.account,
      subj: clean(event.subject),
      error: event.error === undefined ? undefined : clean(event.error),
    };
  }
  const { session, subject, queue } = event.subscription;
  return {
    type,
    ts,
    ...connection(session),
    acc: event.account,
    sub: clean(subject),
    queue: queue === undefined ? undefined : clean(queue),
    error: event.error,
  };
}

function connection({ id, login }: Session) {
  return { kind: CLIENT_KIND, cid: id, name: orOmit(clean(login.options.name)) };
}

/** The text, with what is no Unicode replaced, as Go does. */
function clean(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function goText(text: string): string {
  return goJson(clean(text));
}

function encodedAs(encoding: string): Uint8Array {
  return ascii(`NATS/1.0\r\nContent-Encoding: ${encoding}\r\n\r\n`);
}
