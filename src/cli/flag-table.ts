/** What a flag takes. */
export type FlagKind = "text" | "whole" | "switch";

/** A flag of the command, in all its spellings. */
export interface FlagRule {
  /** What the value is called in `Flags`; flags of one key overwrite each other. */
  readonly key: string;
  /** Names without dashes. */
  readonly names: readonly string[];
  readonly kind: FlagKind;
  /** How `--help` shows the names, with the value. */
  readonly shown: string;
  readonly help: string;
  /** Set when Gnatlet does not do it: what to do instead. */
  readonly refused?: string;
}

const NO_CLUSTERS =
  "Gnatlet is a single server; use nats-server for clusters, or leave the flag out to run this server alone";
const NO_SYSLOG =
  "Gnatlet does not write to syslog; let the service manager collect stderr (journald does), or use -l <file>";

/** All flags of nats-server, in the order and sections of its help (behaviour.md E.1). */
export const FLAG_SECTIONS = [
  {
    title: "Server Options",
    flags: [
      {
        key: "host",
        names: ["a", "addr", "net"],
        kind: "text",
        shown: "-a, --addr, --net <host>",
        help: "Address to listen on (default: 0.0.0.0)",
      },
      {
        key: "port",
        names: ["p", "port"],
        kind: "whole",
        shown: "-p, --port <port>",
        help: "Port for clients; -1 takes a free one (default: 4222)",
      },
      {
        key: "serverName",
        names: ["n", "name", "server_name"],
        kind: "text",
        shown: "-n, --name\n    --server_name <server_name>",
        help: "Name of the server (default: its id)",
      },
      {
        key: "pidFile",
        names: ["P", "pid"],
        kind: "text",
        shown: "-P, --pid <file>",
        help: "File to write the process id to",
      },
      {
        key: "httpPort",
        names: ["m", "http_port"],
        kind: "whole",
        shown: "-m, --http_port <port>",
        help: "Port for monitoring over HTTP",
      },
      {
        key: "httpsPort",
        names: ["ms", "https_port"],
        kind: "whole",
        shown: "-ms,--https_port <port>",
        help: "Port for monitoring over HTTPS",
      },
      {
        key: "config",
        names: ["c", "config"],
        kind: "text",
        shown: "-c, --config <file>",
        help: "Configuration file",
      },
      {
        key: "testConfig",
        names: ["t"],
        kind: "switch",
        shown: "-t",
        help: "Check the configuration file and exit",
      },
      {
        key: "signal",
        names: ["sl", "signal"],
        kind: "text",
        shown: "-sl,--signal <signal>[=<pid>]",
        help:
          "Signal a running server: ldm, stop, quit, term, reopen or reload\n" +
          "<pid> is a process id, or the path of a file that holds one",
      },
      {
        key: "clientAdvertise",
        names: ["client_advertise"],
        kind: "text",
        shown: "    --client_advertise <string>",
        help: "Address that clients are told instead of the one listened on",
      },
      {
        key: "portsFileDir",
        names: ["ports_file_dir"],
        kind: "text",
        shown: "    --ports_file_dir <dir>",
        help: "Folder for a file that lists the ports in use (<program>_<pid>.ports)",
      },
    ],
  },
  {
    title: "Logging Options",
    flags: [
      {
        key: "logFile",
        names: ["l", "log"],
        kind: "text",
        shown: "-l, --log <file>",
        help: "File for log lines, instead of stderr",
      },
      {
        key: "logtime",
        names: ["T", "logtime"],
        kind: "switch",
        shown: "-T, --logtime",
        help: "Begin log lines with the time (default: true)",
      },
      {
        key: "logtimeUtc",
        names: ["logtime_utc"],
        kind: "switch",
        shown: "    --logtime_utc",
        help: "That time in UTC (default: false)",
      },
      {
        key: "syslog",
        names: ["s", "syslog"],
        kind: "switch",
        shown: "-s, --syslog",
        help: "Not supported: let the service manager collect stderr",
        refused: NO_SYSLOG,
      },
      {
        key: "remoteSyslog",
        names: ["r", "remote_syslog"],
        kind: "text",
        shown: "-r, --remote_syslog <addr>",
        help: "Not supported",
        refused: NO_SYSLOG,
      },
      {
        key: "debug",
        names: ["D", "debug"],
        kind: "switch",
        shown: "-D, --debug",
        help: "Log debug lines",
      },
      {
        key: "trace",
        names: ["V", "trace"],
        kind: "switch",
        shown: "-V, --trace",
        help: "Log what clients and server say to each other",
      },
      {
        key: "verboseTrace",
        names: ["VV"],
        kind: "switch",
        shown: "-VV",
        help: "The same, and what the server itself publishes",
      },
      {
        key: "debugAndTrace",
        names: ["DV"],
        kind: "switch",
        shown: "-DV",
        help: "-D and -V",
      },
      {
        key: "debugAndVerboseTrace",
        names: ["DVV"],
        kind: "switch",
        shown: "-DVV",
        help: "-D and -VV",
      },
      {
        key: "logSizeLimit",
        names: ["log_size_limit"],
        kind: "whole",
        shown: "    --log_size_limit <limit>",
        help: "Bytes after which a new log file is begun (default: never)",
      },
      {
        key: "maxTracedMsgLen",
        names: ["max_traced_msg_len"],
        kind: "whole",
        shown: "    --max_traced_msg_len <len>",
        help: "Bytes of a traced message that are shown (default: all)",
      },
    ],
  },
  {
    title: "JetStream Options",
    flags: [
      {
        key: "jetstream",
        names: ["js", "jetstream"],
        kind: "switch",
        shown: "-js, --jetstream",
        help: "Keep messages: JetStream",
      },
      {
        key: "storeDir",
        names: ["sd", "store_dir"],
        kind: "text",
        shown: "-sd, --store_dir <dir>",
        help: "Folder of JetStream (default: below the folder for temporary files)",
      },
    ],
  },
  {
    title: "Authorization Options",
    flags: [
      {
        key: "user",
        names: ["user"],
        kind: "text",
        shown: "    --user <user>",
        help: "User that clients must be",
      },
      {
        key: "pass",
        names: ["pass"],
        kind: "text",
        shown: "    --pass <password>",
        help: "Password of that user",
      },
      {
        key: "auth",
        names: ["auth"],
        kind: "text",
        shown: "    --auth <token>",
        help: "Token that clients must show",
      },
    ],
  },
  {
    title: "TLS Options",
    flags: [
      {
        key: "tls",
        names: ["tls"],
        kind: "switch",
        shown: "    --tls",
        help: "TLS for clients (default: false)",
      },
      {
        key: "tlsCert",
        names: ["tlscert"],
        kind: "text",
        shown: "    --tlscert <file>",
        help: "Certificate of the server",
      },
      {
        key: "tlsKey",
        names: ["tlskey"],
        kind: "text",
        shown: "    --tlskey <file>",
        help: "Private key of the certificate",
      },
      {
        key: "tlsVerify",
        names: ["tlsverify"],
        kind: "switch",
        shown: "    --tlsverify",
        help: "TLS for clients, which must show a certificate",
      },
      {
        key: "tlsCaCert",
        names: ["tlscacert"],
        kind: "text",
        shown: "    --tlscacert <file>",
        help: "Root that client certificates are checked with",
      },
    ],
  },
  {
    title: "Cluster Options (not supported: Gnatlet is a single server)",
    flags: [
      {
        key: "routes",
        names: ["routes"],
        kind: "text",
        shown: "    --routes <rurl-1, rurl-2>",
        help: "Other servers of the cluster",
        refused: NO_CLUSTERS,
      },
      {
        key: "cluster",
        names: ["cluster", "cluster_listen"],
        kind: "text",
        shown: "    --cluster, --cluster_listen <url>",
        help: "Where to listen for them",
        refused: NO_CLUSTERS,
      },
      {
        key: "clusterName",
        names: ["cluster_name"],
        kind: "text",
        shown: "    --cluster_name <string>",
        help: "Name of the cluster",
        refused: NO_CLUSTERS,
      },
      {
        key: "noAdvertise",
        names: ["no_advertise"],
        kind: "switch",
        shown: "    --no_advertise",
        help: "Tell clients nothing of the cluster",
        refused: NO_CLUSTERS,
      },
      {
        key: "clusterAdvertise",
        names: ["cluster_advertise"],
        kind: "text",
        shown: "    --cluster_advertise <string>",
        help: "Address that other servers are told",
        refused: NO_CLUSTERS,
      },
      {
        key: "connectRetries",
        names: ["connect_retries"],
        kind: "whole",
        shown: "    --connect_retries <number>",
        help: "Tries to reach other servers",
        refused: NO_CLUSTERS,
      },
    ],
  },
  {
    title: "Profiling Options (not supported)",
    flags: [
      {
        key: "profile",
        names: ["profile"],
        kind: "whole",
        shown: "    --profile <port>",
        help: "Port of Go's profiler",
        refused: "the profiler is Go's; to profile Gnatlet start it with node --cpu-prof or node --inspect",
      },
    ],
  },
  {
    title: "Common Options",
    flags: [
      {
        key: "help",
        names: ["h", "help"],
        kind: "switch",
        shown: "-h, --help",
        help: "Show this text",
      },
      {
        key: "version",
        names: ["v", "version"],
        kind: "switch",
        shown: "-v, --version",
        help: "Show the version",
      },
      {
        key: "helpTls",
        names: ["help_tls"],
        kind: "switch",
        shown: "    --help_tls",
        help: "Show help on TLS",
      },
    ],
  },
] as const satisfies readonly { title: string; flags: readonly FlagRule[] }[];

type Rule = (typeof FLAG_SECTIONS)[number]["flags"][number];
type ValueOf<Kind extends FlagKind> = Kind extends "text" ? string : Kind extends "whole" ? number : boolean;

/** The flags that were given: by key, the last one of each. */
export type Flags = { -readonly [R in Rule as R["key"]]?: ValueOf<R["kind"]> };

/** The rule of each name. */
export const FLAG_RULES: ReadonlyMap<string, FlagRule> = new Map(
  FLAG_SECTIONS.flatMap((section): [string, FlagRule][] =>
    section.flags.flatMap((rule): [string, FlagRule][] => rule.names.map((name) => [name, rule])),
  ),
);
