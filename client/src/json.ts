/** The smallest client: JSON over WebSocket. */
export * from "./public.js";

import { address, Client, type Options } from "./client.js";
import { json } from "./codec/json.js";
import { websocket } from "./transport/websocket.js";

/** Connects to a server and stays connected. `url` may be relative to the page. */
export function connect(url: string | URL, options: Options = {}): Client {
  return new Client(() => ({ transport: websocket, codec: json, url: address(url) }), options);
}
export type { Options };
