import type { Logger } from "../seams/logger.ts";
import { applyAccounts } from "./accounts.ts";
import { changedOptions, reloadedOptions } from "./options/reload.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";
import type { ServerOptions } from "./options/types.ts";
import { logReload } from "./reload-lines.ts";
import type { Settings } from "./settings.ts";

/** What other options mean for a running server. */
export interface ReloadPlan {
  /** The settings that will hold. */
  readonly next: Settings;
  /** Those of them that are others than before. */
  readonly changed: readonly (keyof ServerOptions)[];
  /** Logs what has changed, once it has. */
  logTo(log: Logger): void;
}

/**
 * Works out what other options change. @param before - the options in use.
 * @throws ServerError `RELOAD_FAILED`, which names what is wrong or cannot be changed.
 */
export function planReload(before: ResolvedServerOptions, given: ServerOptions): ReloadPlan {
  const next = { options: reloadedOptions(given), applyAccounts };
  const changed = changedOptions(before, next.options);
  return { next, changed, logTo: (log) => logReload(log, before, next.options) };
}
