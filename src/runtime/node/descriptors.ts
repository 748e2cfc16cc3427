import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { systemErrorText } from "./system-error.ts";

/** No process may have as few descriptors as this: a lower one tells nothing, and costs nothing. */
const FEWEST = 48;

/**
 * Sees when connections have taken the last descriptor of this process. The system gives out the lowest that is free, so a connection that
 * has got the highest has got the last. Nobody else says so: libuv closes, without a word, the connections that come then.
 */
export class Descriptors {
  #limit: number | undefined;

  /** What is wrong, in Go's words, if a connection that was just accepted has got the last descriptor. */
  exhaustedBy(socket: Socket): string | undefined {
    const fd = (socket as Socket & Described)._handle?.fd ?? -1;
    if (fd < FEWEST) return undefined;
    this.#limit ??= readLimit();
    if (fd < this.#limit - 1) return undefined;
    return systemErrorText({ syscall: "accept4", code: "EMFILE" });
  }
}

/** How many descriptors this process may have; without end where the system does not tell. */
function readLimit(): number {
  try {
    const row = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return row === null ? Number.POSITIVE_INFINITY : Number(row[1]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What Node's sockets have beyond their types, where sockets are descriptors. */
interface Described {
  readonly _handle?: { readonly fd?: number } | null;
}
