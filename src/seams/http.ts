/** A request over HTTP: as much of it as monitoring looks at. */
export interface HttpRequest {
  /** "GET", "HEAD", ... */
  readonly method: string;
  /** The path, decoded, such as "/varz". */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The header `Accept`; "" without one. */
  readonly accept: string;
}

/** The answer to a {@link HttpRequest}. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers requests, at once or later. What it throws is answered with status 500, and told nobody. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;
