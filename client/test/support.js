// A server for the tests, which does what it is told, and the inner modules. Nothing here sleeps.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { afterEach, beforeEach, mock } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { WebSocket, WebSocketServer } from "ws";

export { WebSocket };

export const EPOCH = "00000000000000e1";

export const int = (number) => ({ Int: number });
export const float = (number) => ({ Float: number });
export const str = (text) => ({ Str: text });
export const list = (...items) => ({ List: items });
export const map = (entries) => ({ Map: entries });
export const snapshot = (value, rev = 0, more = {}) => ({ t: "snapshot", id: 1, type: "T", rev, value, epoch: EPOCH, ...more });
export const patch = (rev, ops = [], more = {}) => ({ t: "patch", id: 1, patch: { rev, ops }, ...more });
export const segments = (path) => path.map((key) => (typeof key === "number" ? { Index: key } : { Key: key }));
export const set = (path, value) => ({ Set: { path: segments(path), value } });

/** The text of a file of vectors. */
export function readVectors(name) {
  return readFileSync(new URL(`../../tests/conformance/${name}.json`, import.meta.url), "utf8");
}

/** The modules of `src` as they are, for what no application sees. */
export async function inner() {
  const contents = ["value", "encode", "patch", "diff", "edit", "editor", "codec/json", "codec/msgpack", "codec/cbor"]
    .map((name) => `export * from "./src/${name}.js";`)
    .join("\n");
  const resolveDir = fileURLToPath(new URL("..", import.meta.url));
  const bundle = await build({ stdin: { contents, resolveDir }, bundle: true, format: "esm", write: false });
  return import(`data:text/javascript,${encodeURIComponent(bundle.outputFiles[0].text)}`);
}

/** Things in the order in which they come; waits for those that have not come yet. */
export class Queue {
  #items = [];
  #waiting = [];

  push(item) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  next() {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get length() {
    return this.#items.length;
  }
}

/** One connection, seen from the server. */
class Peer {
  received = new Queue();

  constructor(socket, url) {
    this.socket = socket;
    this.query = new URL(url, "ws://host").searchParams;
    socket.on("message", (data, isBinary) => this.received.push(isBinary ? data : JSON.parse(String(data))));
  }

  send(...messages) {
    for (const message of messages) this.socket.send(typeof message === "object" ? JSON.stringify(message) : message);
  }

  sendBytes(bytes) {
    this.socket.send(bytes);
  }

  next() {
    return this.received.next();
  }

  /** The next message, which is an empty proposal; it is answered. */
  async caughtUp(rev) {
    const question = await this.next();
    if (question.patch.ops.length > 0) throw new Error(`not a question: ${JSON.stringify(question)}`);
    this.send({ t: "ack", id: question.id, rev, proposal: question.proposal });
  }

  /** Gone without a word. */
  cut() {
    this.socket.terminate();
  }
}

/** Listens for clients. */
export async function server(port = 0) {
  const peers = new Queue();
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket, request) => peers.push(new Peer(socket, request.url)));
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  return {
    http,
    url: `ws://127.0.0.1:${http.address().port}/ws`,
    port: http.address().port,
    /** The next connection. */
    peer: () => peers.next(),
    get waiting() {
      return peers.length;
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

/** Each test of a file has a server of its own, and clients connect again without a pause. `stop` ends what a test began. */
export function serverForEach(take, stop) {
  let fake;
  beforeEach(async () => {
    fake = await server();
    mock.method(Math, "random", () => 0);
    take(fake);
  });
  afterEach(async () => {
    stop();
    await fake.close();
    mock.restoreAll();
  });
}

/** Settles with the next event of this name for which `is` holds. */
export function event(source, name, is = () => true) {
  return new Promise((resolve) => {
    const off = source.on(name, (value) => {
      if (!is(value)) return;
      off();
      resolve(value);
    });
  });
}

/** Waits until the model's value is as `is` wants it. */
export async function until(model, is) {
  for await (const value of model) if (is(value)) return value;
  throw new Error("stopped");
}

/** Without the objects' missing prototypes. */
export const copy = (value) => structuredClone(value);
