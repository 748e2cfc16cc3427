/**
 * What stands at the top of modules costs more each time it is used than what stands in a function: the engine looks whether it is there yet, and what comes from another
 * file it finds by way of that. Neither matters but in a loop over the bytes of messages (a tenth of the time that one takes, bench/README.md).
 */
import { dirname, join } from "node:path";
import type { Plugin } from "@rollup/wasm-node";
import { parseAst } from "@rollup/wasm-node/parseAst";
import MagicString from "magic-string";

/** How constants are written; nothing else may be. */
const CONSTANT = /^[A-Z][A-Z0-9_]*$/;

/** A part of a program, as ESTree has it, with its place in the text. */
interface Part {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && typeof (value as Part).type === "string";
}

/** Visits a part and all within it. @param visit - gets each with the one it is in, and as what. */
function walk(part: Part, visit: (part: Part, within: Part, as: string) => void): void {
  for (const [as, value] of Object.entries(part)) {
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (!isPart(each)) continue;
      visit(each, part, as);
      walk(each, visit);
    }
  }
}

/** Whether a name stands for its value there: not for a property, and not where it is imported, exported or declared. */
function isUse(within: Part, as: string): boolean {
  if (within.type === "MemberExpression" && as === "property") return within.computed === true;
  if (/^(Property|PropertyDefinition|MethodDefinition)$/.test(within.type) && as === "key")
    return within.computed === true;
  return !/^(Import|Export)/.test(within.type);
}

/** The constants with a number that a module exports, as their values are written. */
function numbersOf(code: string): Map<string, string> {
  const numbers = new Map<string, string>();
  for (const statement of (parseAst(code) as unknown as { body: Part[] }).body) {
    const declaration = statement.declaration as Part | null | undefined;
    if (statement.type !== "ExportNamedDeclaration" || declaration?.kind !== "const") continue;
    for (const { id, init } of declaration.declarations as { id: Part; init: Part }[]) {
      const digits = (init.type === "UnaryExpression" ? init.argument : init) as Part;
      if (!CONSTANT.test(String(id.name)) || typeof digits.value !== "number") continue;
      numbers.set(id.name as string, `(${code.slice(init.start, init.end)})`);
    }
  }
  return numbers;
}

/**
 * Puts the numbers that constants of other modules stand for in the place of their names.
 * @param codeOf - a module as JavaScript, by its path.
 */
export function inlineNumbers(codeOf: (path: string) => Promise<string>): Plugin {
  const known = new Map<string, Promise<Map<string, string>>>();
  const numbersIn = (path: string): Promise<Map<string, string>> => {
    const numbers = known.get(path) ?? codeOf(path).then(numbersOf);
    known.set(path, numbers);
    return numbers;
  };
  return {
    name: "inline numbers",
    async transform(code, id) {
      const program = parseAst(code) as unknown as { body: Part[] } & Part;
      const values = new Map<string, string>();
      for (const { type, source, specifiers } of program.body) {
        if (type !== "ImportDeclaration") continue;
        const from = String((source as Part).value);
        if (!from.startsWith(".")) continue;
        const numbers = await numbersIn(join(dirname(id), from));
        for (const { imported, local } of specifiers as { imported?: Part; local: Part }[]) {
          const value = numbers.get(String(imported?.name));
          if (value !== undefined && CONSTANT.test(String(local.name))) values.set(String(local.name), value);
        }
      }
      if (values.size === 0) return null;
      const text = new MagicString(code);
      walk(program, (part, within, as) => {
        const value = part.type === "Identifier" ? values.get(String(part.name)) : undefined;
        if (value === undefined || !isUse(within, as)) return;
        // `{ NAME }` is both: what stands there as the key has been passed over.
        const isShort = within.type === "Property" && within.shorthand === true;
        text.overwrite(part.start, part.end, isShort ? `${String(part.name)}: ${value}` : value);
      });
      return { code: text.toString(), map: text.generateMap({ hires: true }) };
    },
  };
}

/** Declares with `var` what stands at the top of a file: it is there before anything asks for it, and need not be looked at each time. */
export const varsAtTop: Plugin = {
  name: "vars at top",
  renderChunk(code) {
    const text = new MagicString(code);
    for (const { type, kind, start } of (parseAst(code) as unknown as { body: Part[] }).body) {
      if (type === "VariableDeclaration" && kind !== "var")
        text.overwrite(start, start + String(kind).length, "var");
    }
    return { code: text.toString(), map: text.generateMap({ hires: true }) };
  },
};
