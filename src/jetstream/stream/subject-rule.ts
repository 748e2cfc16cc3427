import { isSubsetOf, SubjectTransform } from "../../interest/subject-transform.ts";
import type { Random } from "../../seams/random.ts";

/** What becomes of subjects that match, by a transform of a stream. */
export class SubjectRule {
  readonly #source: readonly string[] | undefined;
  readonly #transform: SubjectTransform | undefined;

  /** @param destination - "" leaves subjects as they are. */
  constructor(source: string, destination: string, random: Pick<Random, "fraction">) {
    this.#source = source === "" || source === ">" ? undefined : source.split(".");
    this.#transform =
      destination === ""
        ? undefined
        : new SubjectTransform(source, destination, { fraction: () => random.fraction() });
  }

  /** What a subject becomes; undefined when it does not match. */
  apply(subject: string): string | undefined {
    if (this.#source !== undefined && !isSubsetOf(subject.split("."), this.#source)) return undefined;
    return this.#transform === undefined ? subject : this.#transform.transform(subject);
  }
}
