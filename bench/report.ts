import type { Machine } from "./machine.ts";
import type { Row, Side } from "./measure.ts";
import { formatSpread, formatValue, type Unit } from "./units.ts";

/** A whole run, as `bench/results/latest.json` has it. */
export interface Report {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** With few messages: shows that all works, not how fast. */
  readonly quick: boolean;
  /** Peers that were not there, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

const START = "<!-- results -->";
const END = "<!-- /results -->";
const NONE = "–";
const HEAD = ["case", "gnatlet", "min–max", "peer", "its median", "min–max", "ratio", "target", "met"];

/** The table for a terminal, and what to know about it. */
export function textReport(report: Report): string {
  const table = [HEAD, ...report.rows.map(cells)];
  const widths = HEAD.map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return [...lines, "", ...notes(report), ...problems(report)].join("\n");
}

/** The same in Markdown, for a page: without what went wrong, which is full of this machine's paths. */
export function markdownReport(report: Report): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const table = [line(HEAD), line(HEAD.map(() => "---")), ...report.rows.map((row) => line(cells(row)))];
  return [...notes(report).map((note) => `${note}\n`), ...table].join("\n");
}

/**
 * A page with the results between its markers replaced.
 * @throws Error when it has no markers.
 */
export function withResults(page: string, results: string): string {
  const start = page.indexOf(START);
  const end = page.indexOf(END, start);
  if (start < 0 || end < 0) throw new Error(`the page has no ${START} … ${END}`);
  return `${page.slice(0, start + START.length)}\n\n${results}\n\n${page.slice(end)}`;
}

function cells(row: Row): string[] {
  const { name, ours, peer, ratio, unit, met } = row;
  return [
    name,
    ...sideCells(ours, unit),
    peer?.name ?? NONE,
    ...sideCells(peer, unit),
    ratio === undefined ? NONE : `${ratio.toFixed(2)}×`,
    targetCell(row),
    met === undefined ? NONE : met ? "yes" : "no",
  ];
}

function sideCells(side: Side | undefined, unit: Unit): [median: string, spread: string] {
  if (side === undefined) return [NONE, NONE];
  if (side.summary === undefined) return ["failed", NONE];
  const { median, min, max } = side.summary;
  return [formatValue(median, unit), formatSpread(min, max, unit)];
}

function targetCell({ target, unit }: Row): string {
  if (target === undefined) return NONE;
  return target.kind === "limit" ? `< ${target.below} ${unit}` : `≥ ${target.atLeast}×`;
}

function notes(report: Report): string[] {
  const { machine, quick, rounds, rows } = report;
  const judged = rows.filter((row) => row.met !== undefined);
  const open = rows.filter((row) => row.target !== undefined).length - judged.length;
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const how = quick ? ", quick (few messages: the numbers say little)" : "";
  const lines = [
    `${report.date.slice(0, 10)}, rounds: ${rounds}${how}. ` +
      `Targets met: ${judged.filter((row) => row.met).length} of ${judged.length}` +
      `${open > 0 ? `, and ${open} that could not be judged` : ""}.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory} GB, ${machine.system}.`,
    `${versions.join(", ")}.`,
  ];
  const leftOut = Object.keys(report.leftOut);
  if (leftOut.length > 0) lines.push(`Left out: ${leftOut.join(", ")}.`);
  return lines;
}

function problems({ leftOut, rows }: Report): string[] {
  const lines = Object.entries(leftOut).map(([name, why]) => `${name} is left out: ${why}`);
  for (const { name, ours, peer } of rows) {
    for (const side of [ours, peer]) {
      if (side?.error !== undefined) lines.push(`FAILED ${name}, ${side.name}: ${side.error}`);
    }
  }
  return lines;
}
