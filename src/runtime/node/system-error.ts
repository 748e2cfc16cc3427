/** What the system's errors are called in Go, and so in nats-server's lines. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EEXIST: "file exists",
  EISDIR: "is a directory",
  EMFILE: "too many open files",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
};

/**
 * What is wrong, as Go words it: "open /x/y: no such file or directory" for a file, "bind: address already in use" for an address,
 * "lookup x: no such host" for a name.
 */
export function systemErrorText(error: unknown): string {
  const {
    syscall,
    path,
    code = "",
    message,
    hostname,
  } = error as NodeJS.ErrnoException & { hostname?: string };
  if (syscall === "getaddrinfo") return `lookup ${hostname ?? ""}: no such host`;
  const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  if (reason === undefined || syscall === undefined) return message;
  return `${syscall === "listen" ? "bind" : syscall}${path === undefined ? "" : ` ${path}`}: ${reason}`;
}
