import type { Random } from "../../seams/random.ts";

/** Bytes of the system's generator, by the interface that needs no module of Node's to be loaded; fractions of the language's. */
export const nodeRandom: Random = {
  fill(bytes) {
    crypto.getRandomValues(bytes);
  },
  fraction: () => Math.random(),
};
