import { compareScripts, type ScriptOptions, type Step } from "./consumer-script.ts";
import type { RealServer } from "./real-server.ts";

/** How much slower a script with time in it is played, one after the other, until both say the same. */
const PACES = [1, 2, 5];

/**
 * Plays a script as {@link compareScripts}, in which time passes. A busy machine can hold up the real server, and the steps that
 * are sent to it, for longer than a span of the script; ours goes by a virtual clock, and does the same each time. So where they differ,
 * the script is played again with all its spans longer: what is different for another reason stays different.
 */
export async function compareTimedScripts(
  server: RealServer,
  script: readonly Step[],
  options: ScriptOptions = {},
): Promise<string[]> {
  let differs: string[] = [];
  for (const pace of PACES) {
    differs = await compareScripts(
      server,
      script.map((step) => slower(step, pace)),
      options,
    );
    if (differs.length === 0) break;
  }
  return differs;
}

/** The delay in the body of a refusal, of either form. */
const NAK_DELAY = /(?<=^-NAK (?:\{"delay": )?)\d+/;

/** A step with all its spans of time longer: those it waits, and those in bodies and configurations, which are nanoseconds. */
function slower(step: Step, pace: number): Step {
  return JSON.parse(JSON.stringify(step), (key, value) => {
    if (typeof value === "string") return value.replace(NAK_DELAY, (delay) => String(Number(delay) * pace));
    const isSpan = typeof value === "number" && (value >= 1_000_000 || (step[0] === "wait" && key === "1"));
    return isSpan ? value * pace : value;
  });
}
