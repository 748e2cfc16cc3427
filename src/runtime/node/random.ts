import { randomFillSync } from "node:crypto";
import type { Random } from "../../seams/random.ts";

/** Bytes of the system's generator; fractions of the language's. */
export const nodeRandom: Random = {
  fill(bytes) {
    randomFillSync(bytes);
  },
  fraction: () => Math.random(),
};
