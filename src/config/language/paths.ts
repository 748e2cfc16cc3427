/** The path of a file that `file` includes as `name`: always below the folder of `file`, even if it begins with a slash, as in nats-server. */
export function includedPath(file: string, name: string): string {
  const folder = file.replace(/[^/\\]*$/, "");
  return clean(`${folder === "" ? "." : folder}/${name}`);
}

/** Resolves "." and ".." and repeated slashes, as Go's filepath.Clean. */
function clean(path: string): string {
  const isAbsolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts[parts.length - 1] !== "..") parts.pop();
    else if (!isAbsolute) parts.push(part);
  }
  const joined = (isAbsolute ? "/" : "") + parts.join("/");
  return joined === "" ? "." : joined;
}
