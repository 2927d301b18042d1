/** The receiving half: JSON over WebSocket, no edits. */

import { address, MirrorClient, type Options } from "./connection.js";
import { json } from "./codec/json.js";
import { websocket } from "./transport/websocket.js";

export type { MirrorClient, Options, State } from "./connection.js";
export type { Key, Listener, Mirror } from "./handle.js";
export type { Path, Value } from "./value.js";

/** Connects to a server and stays connected. `url` may be relative to the page. */
export function connect(url: string | URL, options: Options = {}): MirrorClient {
  return new MirrorClient(() => ({ transport: websocket, codec: json, url: address(url) }), options);
}
