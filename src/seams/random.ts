/** Chance, as the outside gives it. */
export interface Random {
  /** Fills the array with bytes that nobody can foretell. */
  fill(bytes: Uint8Array): void;
  /** A number from 0 up to but not including 1; quick, and fit for choices only, not for secrets. */
  fraction(): number;
}
