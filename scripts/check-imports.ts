/**
 * Holds the rooms of `src/` to their order (ARCHITECTURE.md): an import goes to the same room or to one it may use, and nothing outside
 * `runtime/` and `cli/` touches Node's modules or the ambient clock, timers, chance or process, or loads parts on demand but in places of their own.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import process from "node:process";

/** Each room, and the rooms it may import from. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  seams: ["protocol"],
  interest: ["protocol"],
  broker: ["interest", "seams", "protocol"],
  s2: [],
  storage: ["s2", "seams", "protocol"],
  jetstream: ["broker", "storage", "s2", "interest", "seams", "protocol"],
  server: ["jetstream", "storage", "broker", "interest", "seams", "protocol"],
  client: ["seams", "protocol"],
  config: ["server", "seams", "protocol"],
  runtime: ["config", "server", "client", "broker", "interest", "seams", "protocol"],
  cli: ["runtime", "config", "server", "seams", "protocol"],
};

/** Packages, and the rooms that may import them. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@nats-io/nats-core": ["client", "runtime"],
  bcryptjs: ["server"],
  ws: ["runtime"],
  "@nats-io/nats-core/internal": ["client", "runtime"],
};

/** What only the outermost rooms may touch, and what stands for it elsewhere. */
const AMBIENT: readonly [pattern: RegExp, instead: string][] = [
  [/\bDate\.now\b|\bnew Date\b|\bperformance\.now\b/, "the Clock seam"],
  [
    /\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bqueueMicrotask\b|\bclearTimeout\b/,
    "the Clock or Tasks seam",
  ],
  [/\bMath\.random\b|\bcrypto\./, "the Random seam"],
  [/\bprocess\.|\bBuffer\b|\bglobalThis\b|\brequire\(/, "a seam"],
  [/\bconsole\./, "the Logger seam"],
];

/** Where it is said what is loaded when it is first used. */
const ON_DEMAND = new Set(["server/on-demand.ts", "client/on-demand.ts"]);

const OUTERMOST = new Set(["runtime", "cli"]);

/** What is wrong with the files below `root`, a line each. */
export function checkImports(root: string): string[] {
  const problems: string[] = [];
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const file = join(root, name);
    const room = name.split(sep)[0];
    const allowed = ROOMS[room];
    if (allowed === undefined) {
      problems.push(`${name}: is in no room; there are ${Object.keys(ROOMS).join(", ")}`);
      continue;
    }
    const source = readFileSync(file, "utf8");
    for (const [, specifier] of source.matchAll(/(?<![\w|"])(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      const problem = checkImport(root, file, room, allowed, specifier);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
    }
    if (OUTERMOST.has(room)) continue;
    if (
      /\bimport\(/.test(source.replace(/\{@link import\(/g, "")) &&
      !ON_DEMAND.has(name.split(sep).join("/"))
    ) {
      problems.push(`${name}: loads something on demand; that is done in ${[...ON_DEMAND].join(" and ")}`);
    }
    const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/gm, "");
    for (const [pattern, instead] of AMBIENT) {
      const found = pattern.exec(code);
      if (found !== null) problems.push(`${name}: uses ${found[0]}; here that comes in through ${instead}`);
    }
  }
  return problems;
}

function checkImport(
  root: string,
  file: string,
  room: string,
  allowed: readonly string[],
  specifier: string,
): string | undefined {
  if (specifier.startsWith(".")) {
    const target = relative(root, resolve(dirname(file), specifier)).split(sep)[0];
    if (target === room || allowed.includes(target)) return undefined;
    return `${room}/ may not import from ${target}/ ("${specifier}")`;
  }
  if (specifier.startsWith("node:")) {
    return OUTERMOST.has(room) ? undefined : `${room}/ may not import "${specifier}"`;
  }
  const rooms = PACKAGES[specifier];
  if (rooms === undefined) return `imports "${specifier}", which no room may`;
  return rooms.includes(room) ? undefined : `${room}/ may not import "${specifier}"`;
}

if (process.argv[1]?.endsWith("check-imports.ts")) {
  const problems = checkImports(resolve("src"));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
}
