import type { applyAccounts } from "./accounts.ts";
import { loadOptions } from "./on-demand.ts";
import { DEFAULTS } from "./options/defaults.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";
import type { ServerOptions } from "./options/types.ts";

/** Options that have been checked, with what makes of accounts and users what they say. */
export interface Settings {
  readonly options: ResolvedServerOptions;
  /** Undefined when no option was given: then there is nothing to make. */
  readonly applyAccounts: typeof applyAccounts | undefined;
}

const DEFAULT_SETTINGS: Settings = { options: DEFAULTS, applyAccounts: undefined };

/**
 * Checks options and puts the defaults in. What does that is loaded for those who give any.
 * @throws ServerError `INVALID_OPTION`, which names the option and what it may be.
 */
export async function settingsOf(options: ServerOptions): Promise<Settings> {
  if (isEmpty(options)) return DEFAULT_SETTINGS;
  const { checkedSettings } = await loadOptions();
  return checkedSettings(options);
}

function isEmpty(options: unknown): boolean {
  if (typeof options !== "object" || options === null || Array.isArray(options)) return false;
  return Object.keys(options).length === 0;
}
