import { apiError } from "../errors.ts";
import type { ConsumerConfig, DeliverPolicy } from "./config.ts";

/** What each policy is called in errors, and which of the two starting points it needs. */
const POLICIES: Readonly<Record<DeliverPolicy, readonly [name: string, needs?: "sequence" | "time"]>> = {
  all: ["all"],
  last: ["last"],
  last_per_subject: ["last per subject"],
  new: ["new"],
  by_start_sequence: ["by start sequence", "sequence"],
  by_start_time: ["by start time", "time"],
};

/**
 * Checks that a consumer begins where its policy says, and that nothing else is said.
 * @throws ApiError
 */
export function checkStart(config: ConsumerConfig): void {
  const [name, needs] = POLICIES[config.deliverPolicy];
  const given = { sequence: config.optStartSeq > 0, time: config.optStartTime !== undefined };
  const refuse = (what: string, fault: string): never => {
    throw apiError(10094, {
      err: `consumer delivery policy is deliver ${name}, but optional ${what} is ${fault}`,
    });
  };
  if (needs !== undefined && !given[needs]) refuse(`start ${needs}`, "not set");
  if (given.sequence && needs !== "sequence") {
    refuse(needs === "time" ? "start start sequence" : "start sequence", "also set");
  }
  if (given.time && needs !== "time") refuse("start time", "also set");
  const unfiltered = config.filterSubject === "" && config.filterSubjects.length === 0;
  if (config.deliverPolicy === "last_per_subject" && unfiltered) refuse("filter subject", "not set");
}
