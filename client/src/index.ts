/** The whole client: JSON, MessagePack or CBOR over WebSocket, or Server-Sent Events. */

import { Client, type Options as ClientOptions } from "./client.js";
import { address } from "./connection.js";
import { cbor } from "./codec/cbor.js";
import { json } from "./codec/json.js";
import { msgpack } from "./codec/msgpack.js";
import type { Transport } from "./transport.js";
import { sse } from "./transport/sse.js";
import { websocket } from "./transport/websocket.js";

export type { Awareness } from "./awareness.js";
export type { Client, Model } from "./client.js";
export type { State } from "./connection.js";
export { EditError, type EditFailure } from "./edit.js";
export type { Key, Listener } from "./handle.js";
export type { Path, Value } from "./value.js";

const codecs = { json, msgpack, cbor };

export interface Options extends ClientOptions {
  /** `json` by default. Server-Sent Events are always JSON. */
  codec?: keyof typeof codecs;
  /** With `sse` edits are sent by POST; they are dropped where the server does not offer that. */
  transport?: "websocket" | "sse";
  /** An address for Server-Sent Events, for networks that let no WebSocket through: tried in turn with the WebSocket
   * from the third attempt on, unless a WebSocket has come through before. Where the server takes no edits there, they wait
   * for a WebSocket. */
  fallback?: string | URL;
}

/** Connects to a server and stays connected. `url` may be relative to the page. */
export function connect(url: string | URL, options: Options = {}): Client {
  const { fallback, transport } = options;
  // A network that let one through lets others through: what is missing then is the server.
  let works = false;
  const tried: Transport = (url, handlers, options) =>
    websocket(url, { ...handlers, opened: (takesEdits) => ((works = true), handlers.opened(takesEdits)) }, options);
  const standIn: Transport = (url, handlers, options) =>
    sse(url, { ...handlers, opened: (takesEdits) => handlers.opened(takesEdits || undefined) }, options);
  return new Client((attempt) => {
    if (transport === "sse") return { transport: sse, codec: json, url: address(url) };
    if (fallback && !works && attempt >= 2 && attempt % 2 === 0) return { transport: standIn, codec: json, url: address(fallback) };
    return { transport: tried, codec: codecs[options.codec ?? "json"], url: address(url) };
  }, options);
}
