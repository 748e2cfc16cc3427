/** A place where the server takes connections. */
export interface Endpoint {
  readonly kind: "nats" | "monitoring" | "websocket";
  /** Of its URLs, such as "nats" or "https". */
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}
