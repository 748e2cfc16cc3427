import type { Ciphers } from "./ciphers.ts";
import type { Clock } from "./clock.ts";
import type { Compression } from "./compression.ts";
import type { ClientLink, Duplex, TlsClientOptions } from "./dial.ts";
import type { Disk, FileSizes } from "./disk.ts";
import type { Host } from "./host.ts";
import type { ByteLink } from "./link.ts";
import type { Network } from "./listener.ts";
import type { Passwords } from "./passwords.ts";
import type { Port } from "./port.ts";
import type { Random } from "./random.ts";
import type { Tasks } from "./tasks.ts";

/** What a client needs of the world. */
export interface ClientRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly tasks: Tasks;
  /** The version of this library, for `CONNECT`. */
  readonly version: string;
  /** Opens a TCP connection; rejects with an error that says what is wrong when it cannot. Missing where there is no TCP. */
  readonly dial?: (host: string, port: number) => Promise<ClientLink>;
  /**
   * Opens a WebSocket; likewise.
   * @param tls - for "wss" only; rejects where the platform's WebSocket takes none.
   */
  dialWebSocket(url: string, tls: TlsClientOptions | undefined): Promise<ClientLink>;
  /** All addresses of a host; missing where a program cannot ask. */
  readonly resolveHost?: (hostname: string) => Promise<readonly string[]>;
  /** A link over a MessagePort: the other end does the same with the port that is entangled with it. */
  portLink(port: Port): ByteLink | Promise<ByteLink>;
  /** A link over streams. */
  duplexLink(duplex: Duplex): ByteLink | Promise<ByteLink>;
  /** Shows a line to whoever runs the program: for the option `debug` alone. */
  print(line: string): void;
}

/** All that server and client need of the world. There is one a platform, in `runtime/`, and a simulated one in tests. */
export interface Runtime extends ClientRuntime {
  portLink(port: Port): ByteLink;
  readonly network: Network;
  readonly passwords: Passwords;
  readonly host: Host;
  readonly compression: Compression;
  /** What this runs on, such as "node20.20.2". */
  readonly platform: string;
  /** The files of the machine, for servers that keep streams. */
  loadDisk(): Promise<Disk>;
  /** Encryption, for files; missing where there is none. */
  readonly loadCiphers?: () => Promise<Ciphers>;
  /** How large those are made; as usual where it is missing. */
  readonly fileSizes?: FileSizes;
  /** Two ports, each of which gets what the other is given. */
  portPair(): [Port, Port];
}
