import type { InternalClient } from "../../broker/internal-client.ts";
import type { Clock } from "../../seams/clock.ts";
import type { SwitchedLogger } from "../../seams/logger.ts";
import type { Random } from "../../seams/random.ts";
import type { Tasks } from "../../seams/tasks.ts";
import type { Storage } from "../../storage/storage.ts";
import type { EventStamp, JetStreamEvent } from "../api/events.ts";
import type { Timestamp } from "../json/timestamps.ts";
import type { TimeZones } from "../publish/time-zone.ts";
import type { StorageType, StreamConfig } from "../stream/config.ts";
import type { AccountLimits, ServerLimits } from "../stream/context.ts";
import type { ServerBatches } from "../stream/server-batches.ts";
import type { Usage } from "./usage.ts";

/** What the streams and consumers of an account work with. */
export interface AccountContext {
  /** The account's name. */
  readonly name: string;
  /** What stands for the name in subjects that acknowledge messages. */
  readonly hash: string;
  /** The server in this account: it hears what streams store, and speaks to the clients of consumers. */
  readonly client: InternalClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly tasks: Tasks;
  readonly logger: SwitchedLogger;
  /** Where things of streams in files are kept, and of consumers that do not ask for memory. */
  readonly disk: Storage;
  /** The same for memory: gone with the process. */
  readonly memory: Storage;
  /** The server's domain; "" for none. */
  readonly domain: string;
  readonly serverLimits: ServerLimits;
  /** As they are now. */
  readonly limits: AccountLimits;
  /** The bytes that the account's streams hold. */
  readonly usage: Usage;
  /** Time zones of schedules. */
  readonly zones: TimeZones;
  /** The batches of the server. */
  readonly batches: ServerBatches;
  /** When files are synced: "always" before a publisher hears that its message is stored, or so many ms later. */
  readonly sync: "always" | number;
  /** The most bytes of a message, as it is now. */
  maxPayload(): number;
  /** Whether the server holds more than it may, wherever the account stands. */
  isServerFull(storage: StorageType): boolean;
  /** The configuration of a stream of the account. */
  streamOf(name: string): StreamConfig | undefined;
  /** When a stream of the account was created; undefined when there is none of the name. */
  createdOf(stream: string): Timestamp | undefined;
  /** Tells an event, if anybody listens to its subject; it is made only then. `subject` is what the event's will be. */
  tell(subject: string, make: (stamp: EventStamp) => JetStreamEvent): void;
}
