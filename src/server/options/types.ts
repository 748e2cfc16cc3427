import type { Logger } from "../../seams/logger.ts";

/** An address to listen on. */
export interface ListenOptions {
  /** Address or name to listen on. Default "127.0.0.1"; "0.0.0.0" for every address of the machine. */
  host?: string;
  /** Port, 0 to 65535. Default 4222 for clients; 0 takes a free one, which the server then tells. */
  port?: number;
}

/**
 * Options of `NatsServer.start`: the keys of nats-server's configuration file in camelCase. Durations are in milliseconds, sizes in bytes.
 * docs/configuration.md lists them beside the keys.
 */
export interface ServerOptions {
  /** Where to listen for clients. Without it the server opens no socket for them. */
  listen?: ListenOptions;
  /** The name in INFO and monitoring, without spaces. Default: the server's id. */
  serverName?: string;
  /** "host" or "host:port" that INFO tells clients instead of the address the server listens on. */
  clientAdvertise?: string;

  /** Where to serve monitoring over HTTP; its host by default that of `listen`, its port 8222. Default: nowhere. */
  http?: ListenOptions;
  /** Where to serve monitoring over HTTPS; needs `tls`. Default: nowhere. */
  https?: ListenOptions;
  /** Put before every path of monitoring, such as "/nats". Default "". */
  httpBasePath?: string;

  /** Connections at a time, in process and over sockets; 0 for none at all. Default 65,536. */
  maxConnections?: number;
  /** Bytes of headers and payload of a message. Default 1,048,576. */
  maxPayload?: number;
  /** Bytes of a protocol line's arguments. Default 4,096. */
  maxControlLine?: number;
  /** Bytes that may wait for a client that reads too slowly, before it is cut off. Default 67,108,864. */
  maxPending?: number;
  /** Subscriptions of a connection; 0 for no limit, which is the default. */
  maxSubscriptions?: number;
  /** Tokens of a subscription's subject, up to 255; 0 for no limit, which is the default. */
  maxSubTokens?: number;
  /** Bytes of a message that trace logging shows; 0 for all, which is the default. */
  maxTracedMsgLen?: number;
  /** Connections that have ended and that monitoring remembers. Default 10,000. */
  maxClosedClients?: number;
  /** How often a connection that says nothing is pinged, in ms. Default 120,000. */
  pingInterval?: number;
  /** How many pings may go unanswered before a connection counts as stale. Default 2. */
  pingMax?: number;
  /** How long a write to a client may take, in ms, before `writeTimeout` applies. Default 10,000. */
  writeDeadline?: number;
  /** What becomes of a client whose write took too long: "close" (the default, as "default" is) or "retry": kept if it took something. */
  writeTimeout?: "default" | "close" | "retry";
  /** Drops messages for a receiver that is behind instead of holding its producers back. Default false. */
  noFastProducerStall?: boolean;
  /** Switches message headers off, as on a server before 2.2. Default false. */
  noHeaderSupport?: boolean;
  /** Works out the route of every message anew. Default false. */
  noSublistCache?: boolean;
  /** Waits a whole `pingInterval` before the first ping, instead of 2 seconds. Default false. */
  disableShortFirstPing?: boolean;
  /** The time over which lame duck mode closes connections, in ms, at least 30,000. Default 120,000. */
  lameDuckDuration?: number;
  /** The time that lame duck mode waits before it closes the first connection, in ms; less than `lameDuckDuration`. Default 10,000. */
  lameDuckGracePeriod?: number;

  /** TLS for clients. Without it they connect in the clear. */
  tls?: TlsOptions;
  /** Takes clients with and without TLS on one port. Default false. */
  allowNonTls?: boolean;
  /** Who may connect, and what they may do. Default: everybody, everything. */
  authorization?: AuthorizationOptions;
  /** The user that a client is which names none; must be one of the users. */
  noAuthUser?: string;
  /** Subject spaces by name, each with users of its own. */
  accounts?: Record<string, AccountOptions>;
  /** The account of the server's events and services. Default "$SYS". */
  systemAccount?: string;
  /** Has no system account: no events, no services. Default false. */
  noSystemAccount?: boolean;
  /** Where messages go that are published on a subject, in the account of those who name no other: `{ "orders.*": "shop.orders.$1" }`. */
  mappings?: Mappings;

  /** Where to listen for clients over WebSocket. Default: nowhere. */
  websocket?: WebsocketOptions;

  /**
   * JetStream: messages that are kept. `true` keeps them in memory only, streams of storage "file" too: they are gone when the server ends.
   * With `storeDir` they are on disk before their publishers hear so. Default: none.
   */
  jetstream?: boolean | JetStreamOptions;

  /** Words about this server, for monitoring and for choosing servers in requests. */
  serverTags?: string[];
  /** Facts about this server, for monitoring. */
  serverMetadata?: Record<string, string>;

  /** Where log lines go. Default: nowhere, or `logFile`. */
  logger?: Logger;
  /** Whether debug lines are logged. Default false. */
  debug?: boolean;
  /** Whether every protocol line is logged. Default false. */
  trace?: boolean;
  /** Also those of the system account. Default false. */
  traceVerbose?: boolean;
  /** Also the headers of messages. Default false. */
  traceHeaders?: boolean;
  /** Whether lines of `logFile` begin with the time. Default true. */
  logtime?: boolean;
  /** Whether that time is UTC. Default false. */
  logtimeUtc?: boolean;
  /** A file that log lines are added to. */
  logFile?: string;
  /** Bytes after which the log file is set aside and a new one begun; 0 for never, which is the default. */
  logfileSizeLimit?: number;
  /** Log files to keep; 0 for all, which is the default. */
  logfileMaxNum?: number;
  /** A file that holds the process id while the server runs. */
  pidFile?: string;
  /** A folder for a file that lists the ports in use while the server runs. */
  portsFileDir?: string;
}

/** JetStream. */
export interface JetStreamOptions {
  /** The folder that streams are kept in, below "jetstream"; one server has it at a time. Default: none, everything is in memory. */
  storeDir?: string;
  /**
   * With what the files in it are encrypted: a long text of chance. Streams that are there already are encrypted too. Without it those that are encrypted
   * cannot be opened, and stay as they are. Default: none, files are not encrypted.
   */
  encryptionKey?: string;
  /** What `encryptionKey` was before: what is encrypted with that gets the new one. */
  prevEncryptionKey?: string;
  /** How files are encrypted: with ChaCha20-Poly1305 ("chacha", "chachapoly") or AES-256-GCM ("aes"). What is otherwise is converted. Default "chacha". */
  cipher?: "chacha" | "chachapoly" | "aes";
  /**
   * When files are synced: "always", before a publisher hears that its message is stored, or at the latest so many ms after it has. Default
   * "always", unlike in nats-server.
   */
  syncInterval?: "always" | number;
  /** Bytes that streams in memory may hold together. Default: three quarters of the memory. */
  maxMemoryStore?: number;
  /** Bytes that streams in files may hold together. Default: three quarters of the free space. */
  maxFileStore?: number;
  /** A name by which clients of other servers reach this one's streams, without ".", "*" and ">". */
  domain?: string;
  /** Whether requests with fields that there are not are refused. Default true. */
  strict?: boolean;
  /** Requests that may wait to be served; more are dropped. Default 10,000. */
  requestQueueLimit?: number;
  limits?: JetStreamLimits;
}

/** What streams and consumers may ask for. */
export interface JetStreamLimits {
  /** Messages that a consumer may have delivered without an acknowledgement; 0 for no limit, which is the default. */
  maxAckPending?: number;
  /** Messages that a client may ask a consumer for at once; 0 for no limit, which is the default. */
  maxRequestBatch?: number;
  /** For how long streams may remember the ids of messages, in ms; 0 for no limit, which is the default. */
  duplicateWindow?: number;
  batch?: JetStreamBatchLimits;
}

/** How much may be under way of batches of messages. */
export interface JetStreamBatchLimits {
  /** Batches of a kind (atomic, fast ingest) that may be open in a stream. Default 50 and 1,000. */
  maxInflightPerStream?: number;
  /** The same in the whole server. Default 1,000 and 50,000. */
  maxInflightTotal?: number;
  /** Messages of an atomic batch. Default 1,000. */
  maxMsgs?: number;
  /** For how long nothing may be heard of a batch before it is given up, in ms. Default 10 s. */
  timeout?: number;
}

/** What an account may have in JetStream; -1 for no limit. Sizes are in bytes. */
export interface AccountJetStreamOptions {
  maxMemory?: number;
  maxStore?: number;
  maxStreams?: number;
  /** Consumers of each stream. */
  maxConsumers?: number;
  /** Whether each stream must have a limit of bytes. Default false. */
  maxBytesRequired?: boolean;
  /** Bytes of one stream in memory; 0 for no limit. */
  memMaxStreamBytes?: number;
  /** Bytes of one stream in files; 0 for no limit. */
  diskMaxStreamBytes?: number;
  maxAckPending?: number;
}

/** TLS of a listener. Files hold PEM. */
export interface TlsOptions {
  certFile?: string;
  keyFile?: string;
  /** Several certificates, of which the client's name of the server chooses one. */
  certs?: { certFile: string; keyFile: string }[];
  /** Roots that client certificates are checked with. */
  caFile?: string;
  /** Whether clients must show a certificate. Default false. */
  verify?: boolean;
  /** How long the handshake may take, in ms. Default 2,000. */
  timeout?: number;
  /** Whether the handshake comes before INFO; a number is the time in ms that the server waits for it before it sends INFO ("auto": 50). */
  handshakeFirst?: boolean | "auto" | number;
  /** Names of cipher suites, as nats-server has them. */
  cipherSuites?: string[];
  /** Whether `cipherSuites` may name those that are not safe any more. Default false. */
  allowInsecureCipherSuites?: boolean;
  /** Names of curves, as nats-server has them. */
  curvePreferences?: string[];
  /** "1.2" (the default) or "1.3". */
  minVersion?: "1.2" | "1.3";
  /** SHA-256 of the public keys of client certificates that are let in, in hex. */
  pinnedCerts?: string[];
  /** New connections a second; 0 for no limit, which is the default. */
  connectionRateLimit?: number;
}

/** Who may connect. Either `token`, or `user` and `password`, or `users`. Passwords may be bcrypt hashes. */
export interface AuthorizationOptions {
  user?: string;
  password?: string;
  token?: string;
  users?: UserOptions[];
  /** What users may do that have no permissions of their own. */
  defaultPermissions?: PermissionsOptions;
  /** How long a client may take to say who it is, in ms. Default 2,000. */
  timeout?: number;
}

/** A user with a name and a password. */
export interface UserOptions {
  user: string;
  password?: string;
  permissions?: PermissionsOptions;
  /** The ways in that the user may take: "STANDARD", "WEBSOCKET", "IN_PROCESS" ... Default: all. */
  allowedConnectionTypes?: string[];
}

/** Subjects that may be used: all of `allow` (everything when it is left out) but those of `deny`. */
export interface SubjectPermission {
  allow?: string[];
  deny?: string[];
}

/** What a user may do. An entry of `subscribe` may be "subject queue". */
export interface PermissionsOptions {
  /** Subjects to publish on; an array is what is allowed. */
  publish?: string | string[] | SubjectPermission;
  /** Subjects to subscribe to; an array is what is allowed. */
  subscribe?: string | string[] | SubjectPermission;
  /** Lets the user answer requests it got on subjects that it could not publish on: `max` times (default 1; -1: any), for `expires` ms (default 120,000; -1: for ever). */
  allowResponses?: boolean | { max?: number; expires?: number };
}

/** An account: a subject space of its own. */
export interface AccountOptions {
  users?: UserOptions[];
  defaultPermissions?: PermissionsOptions;
  mappings?: Mappings;
  limits?: AccountLimits;
  /** JetStream for this account, perhaps within limits. Default false; where no accounts are given, all have it. */
  jetstream?: boolean | AccountJetStreamOptions;
  /** Where messages are traced to that carry a sampled W3C `traceparent`. */
  msgTrace?: { dest: string; sampling?: number };
}

/** What an account may have; -1 for no limit. */
export interface AccountLimits {
  maxConnections?: number;
  maxSubscriptions?: number;
  maxPayload?: number;
  maxLeafnodes?: number;
}

/** Subject mappings: where messages go, by the subject (with wildcards) they are published on. */
export type Mappings = Record<string, string | MappingDestination | MappingDestination[]>;

/** One of the places that a mapping may send to. */
export interface MappingDestination {
  destination: string;
  /** Percent of the messages, 0 to 100; what is left of 100 stays on the subject, or is lost if that is a destination itself. */
  weight: number;
  /** The cluster that this holds in; a server in none never takes it. */
  cluster?: string;
}

/** The listener for clients over WebSocket. */
export interface WebsocketOptions {
  host?: string;
  port?: number;
  /** "host" or "host:port" that INFO tells these clients. */
  advertise?: string;
  /** Takes clients without TLS; one of this and `tls` must be given. */
  noTls?: boolean;
  tls?: TlsOptions;
  /** Lets in only pages whose origin is this server. Default false. */
  sameOrigin?: boolean;
  /** Origins of pages that are let in. Default: all. */
  allowedOrigins?: string[];
  /** How long the HTTP upgrade may take, in ms. Default 2,000. */
  handshakeTimeout?: number;
  /** Whether messages may be compressed. Default false. */
  compression?: boolean;
  /** Overrides the server's for these clients. */
  authorization?: { user?: string; password?: string; token?: string; timeout?: number };
  noAuthUser?: string;
  /** Names of cookies that stand for what `CONNECT` leaves out. */
  jwtCookie?: string;
  userCookie?: string;
  passCookie?: string;
  tokenCookie?: string;
  /** Headers of the answer to the upgrade. */
  headers?: Record<string, string>;
  /** Overrides the server's `pingInterval`, in ms. */
  pingInterval?: number;
}
