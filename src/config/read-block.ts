import { BLOCKS } from "../server/options/table/blocks.ts";
import type { BlockName, CustomForm, OptionRow } from "../server/options/table/row.ts";
import { notABlock, unknownField } from "./block-texts.ts";
import type { ConfigMap, ConfigValue } from "./language/tree.ts";
import { readKind } from "./read-kind.ts";
import type { Report } from "./report.ts";

/** What reading a value needs besides the value. */
export interface Reading {
  readonly report: Report;
  readonly block: BlockName;
  readonly row: OptionRow;
  /** The key, in lower case, as it is written. */
  readonly key: string;
}

/** Reads a value of a form of its own; undefined when it is wrong, which it has reported. */
export type CustomReader = (value: ConfigValue, reading: Reading) => unknown;

/** What was read of a block: by the option's name, or by the first key where there is no option. */
export type BlockRecord = Record<string, unknown>;

/** How values of forms of their own are read. */
export type CustomReaders = Readonly<Partial<Record<CustomForm, (reader: BlockReader) => CustomReader>>>;

/** What of a record is options: without what was only checked. Of a block that has none, all. */
export function optionsIn(name: BlockName, record: BlockRecord): BlockRecord {
  const options = BLOCKS[name].map(({ option }) => option);
  if (options.every((option) => option === undefined)) return record;
  return Object.fromEntries(Object.entries(record).filter(([key]) => options.includes(key)));
}

/** What checks that the keys of a block go together, after each was read. */
export type Finishers = Readonly<
  Partial<Record<BlockName, (record: BlockRecord, block: ConfigValue, report: Report) => void>>
>;

/** Where a key of a block stands, by any of its names; where the block stands when it is left out. */
export function placeIn(block: ConfigValue, ...names: readonly string[]): ConfigValue {
  if (block.content.kind !== "map") return block;
  for (const [key, value] of block.content.value) if (names.includes(key.toLowerCase())) return value;
  return block;
}

/** Reads blocks by the table of options. */
export class BlockReader {
  readonly report: Report;
  readonly #customs: CustomReaders;
  readonly #finishers: Finishers;
  /** How many blocks that are not served are around: what is in them is checked, and no more is said of it. */
  #unserved = 0;

  constructor(report: Report, customs: CustomReaders, finishers: Finishers) {
    this.report = report;
    this.#customs = customs;
    this.#finishers = finishers;
  }

  /** Reads a value that should be a block; undefined when it is none. */
  block(name: BlockName, value: ConfigValue): BlockRecord | undefined {
    if (value.content.kind === "map") {
      const record = this.map(name, value.content.value);
      this.#finishers[name]?.(record, value, this.report);
      return record;
    }
    this.report.error(value, notABlock(name, value.content));
    return undefined;
  }

  map(name: BlockName, map: ConfigMap): BlockRecord {
    const record: BlockRecord = {};
    for (const [key, value] of map) {
      const row = rowOf(name, key.toLowerCase());
      if (row === undefined) {
        // What a variable refers to may have any key; within tls it may not, as with nats-server.
        if (!value.isVariable || name === "tls") this.report.error(value, unknownField(name, key));
        continue;
      }
      const isServed = row.service === "served";
      if (!isServed) this.#unserved++;
      const read = readKind(this, value, { report: this.report, block: name, row, key: key.toLowerCase() });
      if (!isServed) this.#unserved--;
      this.#tellUnserved(row, key, value, read);
      if (read !== undefined) record[row.option ?? row.keys[0]] = read;
    }
    return record;
  }

  custom(form: CustomForm, value: ConfigValue, reading: Reading): unknown {
    const reader = this.#customs[form];
    return reader === undefined ? true : reader(this)(value, reading);
  }

  #tellUnserved({ service, note }: OptionRow, key: string, value: ConfigValue, read: unknown): void {
    if (note === undefined || this.#unserved > 0 || !isAsked(key.toLowerCase(), read)) return;
    if (service === "later" && !isRefusedStaple(key, read)) this.report.later(value, key, note);
    else if (service === "later" || service === "refused") this.report.refuse(value, `${key}: ${note}`);
  }
}

function rowOf(block: BlockName, key: string): OptionRow | undefined {
  return BLOCKS[block].find((row) => row.keys.includes(key));
}

/** Certificates that must be stapled would be refused by clients; nats-server does not start then without a staple either. */
function isRefusedStaple(key: string, read: unknown): boolean {
  return key.toLowerCase() === "ocsp" && (read === "must" || read === "always");
}

/** Whether something is asked for at all: not by `jetstream: false`, or a `cluster` that has a name alone. */
function isAsked(key: string, read: unknown): boolean {
  const record = (typeof read === "object" && read !== null ? read : {}) as BlockRecord;
  switch (key) {
    case "cluster":
    case "leaf":
    case "leafnodes":
    case "mqtt":
      return isListening(record) || hasAny(record.routes) || hasAny(record.remotes);
    case "gateway":
      return Object.keys(record).length > 0;
    default:
      return hasAny(read);
  }
}

function isListening({ listen, port }: BlockRecord): boolean {
  return hasAny(port) || hasAny((listen as { port?: number } | undefined)?.port);
}

function hasAny(read: unknown): boolean {
  if (Array.isArray(read)) return read.length > 0;
  return read !== undefined && read !== false && read !== 0 && read !== "" && read !== "never";
}
