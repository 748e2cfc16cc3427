import { join, resolve } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** `gnatlet/client` as a page would load it, without the packages that it uses. */
export interface ClientBundle {
  /** Files of `src/` that are in it. */
  readonly files: string[];
  /** What it imports. */
  readonly imports: string[];
  /** Bytes, minified; and those compressed. */
  readonly minified: number;
  readonly compressed: number;
}

/** Bundles the client alone. */
export async function bundleClient(root: string): Promise<ClientBundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, "src/runtime/browser/index.ts")],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    packages: "external",
    format: "esm",
    platform: "browser",
    write: false,
    metafile: true,
    outdir: join(root, "dist"),
  });
  const [output] = Object.values(metafile.outputs);
  return {
    files: Object.keys(metafile.inputs),
    imports: output.imports.map(({ path }) => path),
    minified: outputFiles[0].contents.length,
    compressed: gzipSync(outputFiles[0].contents).length,
  };
}

if (process.argv[1]?.endsWith("client-bundle.ts")) {
  const { minified, compressed } = await bundleClient(resolve("."));
  console.log(`gnatlet/client: ${minified} bytes minified, ${compressed} compressed`);
}
