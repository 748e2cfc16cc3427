/**
 * Bundles `src/` to `dist/` (types are tsc's). What a program loads first is one file for the client and one for the server: each file costs
 * a third of a millisecond and 15 KB at import. What is loaded on demand has files of its own.
 */
import { chmodSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type OutputOptions, type Plugin, type PluginContext, rollup } from "@rollup/wasm-node";
import { transform } from "esbuild";
import { minify } from "terser";
import { calledFunctions, eagerFunctions } from "./eager-functions.ts";
import { inlineNumbers, varsAtTop } from "./module-scope.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");
const DIST = join(ROOT, "dist");

const NODE = "runtime/node/index";
const BROWSER = "runtime/browser/index";
const COMMAND = "cli/gnatlet";
const ENTRIES = [NODE, "runtime/node/nats-core", BROWSER, COMMAND];

const TARGET = "node20";

const sourceOf = (entry: string): string => join(SRC, `${entry}.ts`);

const javascript = (code: string, sourcefile: string): ReturnType<typeof transform> =>
  transform(code, { loader: "ts", target: TARGET, minifySyntax: true, sourcefile, sourcemap: true });

/** Our own modules in TypeScript; all else is left to whoever installs the package. */
const typescript: Plugin = {
  name: "typescript",
  resolveId(specifier, importer) {
    if (importer === undefined) return specifier;
    return specifier.startsWith(".")
      ? join(dirname(importer), specifier)
      : { id: specifier, external: true, moduleSideEffects: false };
  },
  transform: javascript,
};

/**
 * Takes out what is there for readers: spaces, comments, long names within functions. Whatever is shorter is compiled sooner. Functions, classes and
 * methods keep their names, for traces and profiles; `src/` and the maps come with the package.
 */
const compact: Plugin = {
  name: "compact",
  async renderChunk(code) {
    const { code: shorter = "", map } = await minify(code, {
      ecma: 2020,
      module: true,
      mangle: { toplevel: false, module: false },
      compress: false,
      sourceMap: true,
    });
    return { code: shorter, map: map as string };
  },
};

/** The modules that are loaded with an entry point, itself included; with `later` also those that it loads on demand. */
function loadedWith(
  entry: string,
  getModuleInfo: PluginContext["getModuleInfo"],
  later = false,
): Set<string> {
  const modules = new Set([sourceOf(entry)]);
  // A set gives what is added while it is walked, too.
  for (const id of modules) {
    const { importedIds = [], dynamicallyImportedIds = [] } = getModuleInfo(id) ?? {};
    for (const imported of later ? [...importedIds, ...dynamicallyImportedIds] : importedIds)
      if (imported.startsWith(SRC)) modules.add(imported);
  }
  return modules;
}

const bundle = await rollup({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, sourceOf(entry)])),
  plugins: [
    typescript,
    inlineNumbers(async (path) => (await javascript(await readFile(path, "utf8"), path)).code),
  ],
  treeshake: { moduleSideEffects: false },
  logLevel: "warn",
  onwarn({ code, message }) {
    // Modules may know each other, as long as none uses the other while it is loaded.
    if (code !== "CIRCULAR_DEPENDENCY") throw new Error(message);
  },
});
let first:
  | { readonly client: Set<string>; readonly pages: Set<string>; readonly server: Set<string> }
  | undefined;
const output: OutputOptions = {
  format: "es",
  // A file names what it needs itself, not what those need that it imports.
  hoistTransitiveImports: false,
  entryFileNames: "[name].js",
  manualChunks(id, { getModuleInfo }) {
    first ??= {
      client: loadedWith(BROWSER, getModuleInfo),
      pages: loadedWith(BROWSER, getModuleInfo, true),
      server: loadedWith(NODE, getModuleInfo),
    };
    if (first.client.has(id)) return "client";
    if (!first.server.has(id)) return undefined;
    // A page never loads the server.
    return first.pages.has(id) ? "shared" : "server";
  },
};

// Once to see what a start calls, and once for good.
const trial = join(DIST, "trial");
await bundle.write({ ...output, dir: trial, chunkFileNames: "[name].js" });
const called = calledFunctions(join(trial, `${NODE}.js`));
rmSync(trial, { recursive: true });
await bundle.write({
  ...output,
  dir: DIST,
  sourcemap: true,
  chunkFileNames: "[name]-[hash].js",
  plugins: [compact, eagerFunctions(({ name }) => called.get(`${name}.js`)), varsAtTop],
});
await bundle.close();
chmodSync(join(DIST, `${COMMAND}.js`), 0o755);
