/**
 * Has the engine compile functions that every program calls while it loads them, instead of one by one when they are called first: it does that with functions
 * in parentheses, which it takes for ones that are called at once. A server's start is mostly compiling (bench/README.md).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { Plugin } from "@rollup/wasm-node";
import MagicString from "magic-string";

/** From a start to the first message. */
const PROGRAM = (entry: string): string => `
const { connect, NatsServer } = await import(${JSON.stringify(pathToFileURL(entry).href)});
const inProcessServer = await NatsServer.start();
const connection = await connect({ inProcessServer });
const came = new Promise((resolve) => connection.subscribe("a", { callback: () => resolve() }));
await connection.flush();
connection.publish("a", "b");
await came;
await connection.close();
await inProcessServer.close();
`;

/** What V8 tells of a run (NODE_V8_COVERAGE). */
interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { count: number }[];
    }[];
  }[];
}

/** The names of the functions that a program calls by the time of its first message, by the names of the files that they are in. */
export function calledFunctions(entry: string): Map<string, Set<string>> {
  const directory = mkdtempSync(join(tmpdir(), "gnatlet-coverage-"));
  try {
    execFileSync(process.execPath, ["--input-type=module", "--eval", PROGRAM(entry)], {
      env: { ...process.env, NODE_V8_COVERAGE: directory },
    });
    const called = new Map<string, Set<string>>();
    for (const name of readdirSync(directory)) {
      const { result } = JSON.parse(readFileSync(join(directory, name), "utf8")) as Coverage;
      for (const { url, functions } of result) {
        const names = functions.filter(({ ranges }) => ranges[0].count > 0).map((each) => each.functionName);
        called.set(basename(url), new Set(names));
      }
    }
    return called;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * Puts those of a file's functions that are called in parentheses, at its beginning, where they are there for all that comes after as before.
 * @param namesIn - their names.
 */
export function eagerFunctions(namesIn: (file: { name: string }) => ReadonlySet<string> | undefined): Plugin {
  return {
    name: "eager functions",
    renderChunk(code, file) {
      const names = namesIn(file);
      if (names === undefined) return null;
      const text = new MagicString(code);
      for (const statement of this.parse(code).body) {
        if (statement.type !== "FunctionDeclaration" || !names.has(statement.id.name)) continue;
        const { start, end } = statement as unknown as { start: number; end: number };
        text.appendRight(start, `const ${statement.id.name}=(`).appendLeft(end, ");");
        text.move(start, end, 0);
      }
      return { code: text.toString(), map: text.generateMap({ hires: true }) };
    },
  };
}
