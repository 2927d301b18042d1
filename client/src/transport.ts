/** What a connection tells. After `lost` nothing more. */
export interface Handlers {
  /** `takesEdits`: whether something can be sent. Undefined if that is not known yet; then it is told again. */
  opened(takesEdits?: boolean): void;
  frame(frame: string | ArrayBuffer): void;
  lost(reason: string, forGood?: boolean): void;
}

/** A connection, open or on its way. */
export interface Link {
  /** Hands a frame over; false if it certainly does not go out. */
  send?(frame: string | Uint8Array<ArrayBuffer>): boolean;
  /** Ends it; nothing more is told. */
  close(): void;
}

/** A way to connect. */
export type Transport = (url: URL, handlers: Handlers, options: TransportOptions) => Link;

export interface TransportOptions {
  /** For programs without a global `WebSocket`, as Node 20: the class of the package `ws`. */
  WebSocket?: typeof WebSocket;
  /** Request headers, such as a token. Server-Sent Events only: a browser's WebSocket has none. */
  headers?: Record<string, string>;
  /** Bytes (UTF-16 units of text) of one frame from the server; 64 MiB by default. A larger one ends the connection. */
  frameLimit?: number;
}

export const FRAME_LIMIT = 64 << 20;
