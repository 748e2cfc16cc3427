import { join, relative, resolve } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** `gnatlet/client` as a page would load it, without the packages that it uses. */
export interface ClientBundle {
  /** Files of `src/` that are in it. */
  readonly files: string[];
  /** What it imports from elsewhere. */
  readonly imports: string[];
  /** Loaded when it is imported. */
  readonly entry: Size;
  /** Loaded by the time that it is connected over a WebSocket: the entry, what finds servers, and the link. */
  readonly connected: Size;
  /** With what only some connections load: streams, ports, `debug`. */
  readonly all: Size;
}

/** Bytes, minified; and those compressed. */
interface Size {
  readonly minified: number;
  readonly compressed: number;
}

/** Bundles the client alone, as bundlers do for pages: what is loaded later is in files of its own. */
export async function bundleClient(root: string): Promise<ClientBundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, "src/runtime/browser/index.ts")],
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    minify: true,
    packages: "external",
    format: "esm",
    platform: "browser",
    write: false,
    metafile: true,
    outdir: join(root, "dist"),
  });
  const outputs = Object.entries(metafile.outputs);
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [
      relative(root, path),
      { minified: contents.length, compressed: gzipSync(contents).length },
    ]),
  );
  const withImports = (...starts: string[]): Size => {
    const names = new Set(starts);
    // A set gives what is added while it is walked, too.
    for (const name of names)
      for (const { path, kind } of metafile.outputs[name].imports)
        if (kind === "import-statement" && path in metafile.outputs) names.add(path);
    const parts = [...names].map((name) => sizes.get(name)!);
    const sum = (of: keyof Size): number => parts.reduce((total, part) => total + part[of], 0);
    return { minified: sum("minified"), compressed: sum("compressed") };
  };
  const made = (from: string): string => outputs.find(([, { entryPoint }]) => entryPoint === from)![0];
  const entry = made("src/runtime/browser/index.ts");
  const later = ["src/client/connector.ts", "src/runtime/client-websocket-link.ts"].map(made);
  return {
    files: Object.keys(metafile.inputs),
    imports: outputs
      .flatMap(([, { imports }]) => imports)
      .filter(({ external }) => external)
      .map(({ path }) => path),
    entry: withImports(entry),
    connected: withImports(entry, ...later),
    all: withImports(...outputs.map(([name]) => name)),
  };
}

if (process.argv[1]?.endsWith("client-bundle.ts")) {
  const { entry, connected, all } = await bundleClient(resolve("."));
  for (const [name, { minified, compressed }] of Object.entries({ entry, connected, all }))
    console.log(`gnatlet/client, ${name}: ${minified} bytes minified, ${compressed} compressed`);
}
