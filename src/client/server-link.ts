import type { VerbLinkServer } from "../seams/link.ts";

/** The server as a session sees it. Over bytes, a link has more to do than one in process, where the rest is missing. */
export interface ServerLink extends VerbLinkServer {
  /** Bytes that the network has not taken. */
  readonly buffered?: number;
  /** The server has taken the client, and been told all that waited: from now on it is pinged, and what waits is bounded. */
  accepted?(): void;
  /** It has answered a ping. */
  answered?(): void;
  /** Ends the link at once; what has not been sent is lost. The client hears no more of it. */
  abort?(): void;
  /** As `close`; resolves when the server has taken all, or it is plain that it does not. */
  leave?(): Promise<void>;
}
