/** As much of a `MessagePort` as is used: the platform's own, in Node, Bun, Deno and browsers, all fit. */
export interface Port {
  postMessage(value: unknown, transfer?: readonly ArrayBuffer[]): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}
