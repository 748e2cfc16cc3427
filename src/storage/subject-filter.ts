const UNKNOWN = 0;
const NO = 1;
const YES = 2;

/** What a filter asks of a {@link SubjectTable}. */
interface Texts {
  readonly limit: number;
  text(id: number): string;
}

/**
 * Which subjects a reader wants. It remembers its answers by the subject's id, in a byte each, so that a walk over millions of messages looks at
 * each subject once.
 */
export class SubjectFilter {
  readonly patterns: readonly string[];
  /** Whether it takes everything. */
  readonly all: boolean;
  /** The one subject that it takes, if it is one without wildcards. */
  readonly literal: string | undefined;
  /** Where its reader was, if its literal subject had a message there; see `StreamIndex.next`. */
  hint = 0;
  /** Grows with each subject that is compared with the patterns: so many steps that is, about, of a walk over what is known. */
  work = 0;
  #answers = new Uint8Array(0);
  readonly #texts: Texts;
  readonly #closed: (filter: SubjectFilter) => void;

  /** Made by a store's `filter`. */
  constructor(patterns: readonly string[], texts: Texts, closed: (filter: SubjectFilter) => void) {
    this.patterns = patterns;
    this.all = patterns.length === 0 || patterns.includes(">");
    this.literal = patterns.length === 1 && isLiteral(patterns[0]) ? patterns[0] : undefined;
    this.#texts = texts;
    this.#closed = closed;
  }

  /** Whether the filter takes a subject. */
  matches(subject: string): boolean {
    if (this.all) return true;
    for (const pattern of this.patterns) if (matchesPattern(pattern, subject)) return true;
    return false;
  }

  /** Whether it takes the subject with this id. */
  takes(id: number): boolean {
    if (this.all) return true;
    if (id >= this.#answers.length) this.#makeRoom();
    const answer = this.#answers[id];
    if (answer !== UNKNOWN) return answer === YES;
    this.work += 16 + this.patterns.length * 4;
    const yes = this.matches(this.#texts.text(id));
    this.#answers[id] = yes ? YES : NO;
    return yes;
  }

  /** The id has been given to another subject. */
  forget(id: number): void {
    if (id < this.#answers.length) this.#answers[id] = UNKNOWN;
  }

  /** All ids have been given back. */
  forgetAll(): void {
    this.#answers.fill(UNKNOWN);
    this.hint = 0;
  }

  /** The filter is not used any more. */
  close(): void {
    this.#closed(this);
  }

  #makeRoom(): void {
    const answers = new Uint8Array(Math.max(64, this.#texts.limit + (this.#texts.limit >> 1)));
    answers.set(this.#answers);
    this.#answers = answers;
  }
}

function isLiteral(pattern: string): boolean {
  return pattern !== ">" && !pattern.endsWith(".>") && !`.${pattern}.`.includes(".*.");
}

/** Whether a literal subject matches a pattern: `*` stands for a token, `>` at the end for one or more. */
export function matchesPattern(pattern: string, subject: string): boolean {
  let p = 0;
  let s = 0;
  for (;;) {
    const patternDot = pattern.indexOf(".", p);
    const patternEnd = patternDot < 0 ? pattern.length : patternDot;
    const single = patternEnd - p === 1;
    if (single && patternDot < 0 && pattern.charCodeAt(p) === 62) return s < subject.length;
    const subjectDot = subject.indexOf(".", s);
    const subjectEnd = subjectDot < 0 ? subject.length : subjectDot;
    if (!(single && pattern.charCodeAt(p) === 42)) {
      if (subjectEnd - s !== patternEnd - p) return false;
      while (p < patternEnd) if (pattern.charCodeAt(p++) !== subject.charCodeAt(s++)) return false;
    }
    if (patternDot < 0 || subjectDot < 0) return patternDot < 0 && subjectDot < 0;
    p = patternEnd + 1;
    s = subjectEnd + 1;
  }
}
