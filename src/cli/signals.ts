import type { CommandServer } from "./command-server.ts";

/** The signals that the server answers to, with the names that Go, and so nats-server's log, has for them. */
const NAMES = {
  SIGINT: "interrupt",
  SIGTERM: "terminated",
  SIGHUP: "hangup",
  SIGUSR1: "user defined signal 1",
  SIGUSR2: "user defined signal 2",
} as const;

/** npm passes on the SIGINT that a terminal sends to everybody: what comes within this time (ms) of the first is the same one. */
const SAME_KEY_MS = 250;

/** What {@link handleSignals} needs of the process. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): void;
  /** Milliseconds from some start. */
  now(): number;
}

/**
 * Has the server do what nats-server does on each signal (behaviour.md E.5): once it has started, if a signal comes before. A second SIGINT
 * ends the process at once.
 */
export function handleSignals(starting: Promise<CommandServer>, source: SignalSource): void {
  /** When the end began. */
  let endingSince: number | undefined;
  let leaving = false;
  const end = async (server: CommandServer): Promise<void> => {
    endingSince ??= source.now();
    await server.close();
    source.exit(0);
  };
  const actions: Readonly<Record<keyof typeof NAMES, (server: CommandServer) => unknown>> = {
    SIGINT: end,
    // Lame duck mode ends the process in its own time.
    SIGTERM: (server) => (leaving ? undefined : end(server)),
    SIGHUP: (server) =>
      server.reload().catch((error: Error) => {
        server.say("error", `Failed to reload server configuration: ${error.message}`);
      }),
    SIGUSR1: (server) => server.reopenLog(),
    SIGUSR2: async (server) => {
      if (leaving || endingSince !== undefined) return;
      leaving = true;
      await server.lameDuck();
      await end(server);
    },
  };
  for (const signal of Object.keys(NAMES) as (keyof typeof NAMES)[]) {
    source.on(signal, () => {
      if (signal === "SIGINT" && endingSince !== undefined) {
        if (source.now() - endingSince >= SAME_KEY_MS) source.exit(1);
        return;
      }
      const act = (server: CommandServer): unknown => {
        server.say("notice", `Trapped "${NAMES[signal]}" signal`);
        return actions[signal](server);
      };
      // When it does not start, whoever started it says why.
      starting.then(act, () => {});
    });
  }
}
