/** Labels of a metric, by name. */
export type Labels = Readonly<Record<string, string>>;

/** The types of metrics that are used. */
export type MetricType = "gauge" | "counter" | "untyped";

interface Family {
  readonly help: string;
  readonly type: MetricType;
  readonly lines: string[];
}

/** Collects metrics, and writes them in Prometheus' text format: all of a name together, sorted by name. */
export class MetricsText {
  readonly #families = new Map<string, Family>();
  /** The labels that were last given, and how they are written: a thing has many values. */
  #last: Labels | undefined;
  #shown = "";

  /** Adds a value. The help and the type of a name are those it is given first. */
  add(name: string, help: string, labels: Labels, value: number, type: MetricType = "gauge"): void {
    let family = this.#families.get(name);
    if (family === undefined) this.#families.set(name, (family = { help, type, lines: [] }));
    family.lines.push(`${name}{${this.#written(labels)}} ${value}`);
  }

  #written(labels: Labels): string {
    if (labels !== this.#last) {
      this.#last = labels;
      this.#shown = Object.entries(labels)
        .map(([label, text]) => `${label}="${escaped(text)}"`)
        .join(",");
    }
    return this.#shown;
  }

  toString(): string {
    const families = [...this.#families].sort(([a], [b]) => (a < b ? -1 : 1));
    return families
      .map(
        ([name, { help, type, lines }]) =>
          `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`,
      )
      .join("");
  }
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
