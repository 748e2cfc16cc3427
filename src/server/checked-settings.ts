import { applyAccounts } from "./accounts.ts";
import { resolveOptions } from "./options/resolve.ts";
import type { ServerOptions } from "./options/types.ts";
import type { Settings } from "./settings.ts";

/**
 * The settings that options make, the defaults in place.
 * @throws ServerError `INVALID_OPTION`, which names the option and what it may be.
 */
export function checkedSettings(options: ServerOptions): Settings {
  return { options: resolveOptions(options), applyAccounts };
}
