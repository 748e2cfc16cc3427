import type { Random } from "../../seams/random.ts";
import type { StreamSource } from "../stream/source.ts";
import { SubjectRule } from "../stream/subject-rule.ts";

/** What becomes of the subjects of a source's messages: the first of its transforms that matches applies. */
export class SourceTransforms {
  readonly #rules: readonly SubjectRule[];

  constructor({ subjectTransforms }: StreamSource, random: Pick<Random, "fraction">) {
    this.#rules = subjectTransforms
      .filter(({ dest }) => dest !== "")
      .map(({ src, dest }) => new SubjectRule(src, dest, random));
  }

  apply(subject: string): string {
    for (const rule of this.#rules) {
      const changed = rule.apply(subject);
      if (changed !== undefined) return changed;
    }
    return subject;
  }
}
