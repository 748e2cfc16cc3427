/** A map of the configuration, in the order of the file. */
export type ConfigMap = Map<string, ConfigValue>;

/** What a value can be. Whole numbers are 64 bits wide. A date is kept as it is written: `2026-01-02T15:04:05Z`. */
export type ConfigContent =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "date"; readonly value: string }
  | { readonly kind: "array"; readonly value: readonly ConfigValue[] }
  | { readonly kind: "map"; readonly value: ConfigMap };

/** Where something stands in a configuration file. */
export interface ConfigPlace {
  readonly file: string;
  readonly line: number;
  /** As nats-server counts: bytes before it in its line, and one more from the second line on. */
  readonly position: number;
}

/** A value of the configuration, and where it stands: a value of a map where its key does. */
export class ConfigValue implements ConfigPlace {
  readonly content: ConfigContent;
  readonly file: string;
  line: number;
  position: number;
  /** Whether something refers to it as `$key`: then it may have a key that the server does not know. */
  isVariable = false;

  constructor(content: ConfigContent, file: string, line: number, position: number) {
    this.content = content;
    this.file = file;
    this.line = line;
    this.position = position;
  }
}
