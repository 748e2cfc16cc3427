import type { Random } from "../../seams/random.ts";

/** Bytes of the system's generator; fractions of the language's. */
export const nodeRandom: Random = {
  fill(bytes) {
    // The platform's own, which every runtime has: `node:crypto` would load much that nobody else needs.
    crypto.getRandomValues(bytes);
  },
  fraction: () => Math.random(),
};
