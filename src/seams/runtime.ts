import type { Clock } from "./clock.ts";
import type { Compression } from "./compression.ts";
import type { Host } from "./host.ts";

import type { ByteLink } from "./link.ts";
import type { Network } from "./listener.ts";
import type { Passwords } from "./passwords.ts";
import type { Port } from "./port.ts";
import type { Random } from "./random.ts";
import type { Tasks } from "./tasks.ts";

/** All that server and client need of the world. There is one a platform, in `runtime/`, and a simulated one in tests. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly tasks: Tasks;
  readonly network: Network;
  readonly passwords: Passwords;
  readonly host: Host;
  readonly compression: Compression;
  /** What this runs on, such as "node20.20.2". */
  readonly platform: string;
  /** The version of this library, for `CONNECT`. */
  readonly version: string;
  /** Opens a connection; rejects with an error that says what is wrong when it cannot. */
  dial(host: string, port: number): Promise<ByteLink>;
  /** A link over a MessagePort: the other end does the same with the port that is entangled with it. */
  portLink(port: Port): ByteLink;
  /** Two ports, each of which gets what the other is given. */
  portPair(): [Port, Port];
}
