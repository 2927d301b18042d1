// A server's models in a browser tab: live, as plain JavaScript values, with edits that the server decides on.
//
//     const server = connect("/ws", { changed: (model) => { heading.textContent = model.value.label; } });
//     await server.model(1).edit(["label"], "new");
//
// No dependencies and no build step. Whole numbers beyond 2^53 are rounded, as everywhere in JavaScript.

/** Connects to a server and stays connected: `url` may be relative to the page.
 *
 * Handlers, both optional: `changed(model)` after each change of a model, `state(text)` when the connection becomes
 * "connecting", "open" or "waiting". */
export function connect(url, handlers = {}) {
  return new Connection(url, handlers);
}

const FIRST_DELAY = 250; // ms; doubles with each failure in a row
const LONGEST_DELAY = 10_000; // ms

class Connection {
  #url;
  #handlers;
  #mirrors;
  #socket = null;
  #timer = null;
  #failures = 0;

  constructor(url, handlers) {
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#handlers = handlers;
    this.#mirrors = new Mirrors((text) => this.#send(text));
    // Handlers may use what `connect` returns, so it has to have returned.
    queueMicrotask(() => this.#open());
  }

  /** The mirror of a model, or undefined as long as nothing is known of it. */
  model(id) {
    return this.#mirrors.model(id);
  }

  /** Ends the connection for good. */
  close() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#mirrors.disconnected();
  }

  #open() {
    this.#handlers.state?.("connecting");
    this.#url.search = this.#mirrors.query();
    const socket = new WebSocket(this.#url.href);
    this.#socket = socket;
    // A socket that was given up may still have events under way.
    const current = (handler) => (event) => {
      if (this.#socket === socket) handler(event);
    };
    socket.onopen = current(() => this.#handlers.state?.("open"));
    socket.onmessage = current(({ data }) => this.#receive(data));
    socket.onclose = current(() => this.#lost());
  }

  #receive(text) {
    let changed;
    try {
      changed = this.#mirrors.receive(text);
    } catch (error) {
      if (!(error instanceof Gap)) this.#mirrors.distrust();
      console.warn(`connecting again: ${error.message}`);
      this.#socket.close();
      this.#lost();
      return;
    }
    this.#failures = 0;
    // Outside of the above: an error of the page is not one of the server's.
    if (changed) this.#handlers.changed?.(changed);
  }

  #lost() {
    this.#socket = null;
    this.#mirrors.disconnected();
    this.#handlers.state?.("waiting");
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures);
    this.#failures += 1;
    // Half of it is random, so that a server that comes back does not meet all its clients at once.
    this.#timer = setTimeout(() => this.#open(), delay * (0.5 + Math.random() / 2));
  }

  #send(text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) throw new Error("not connected");
    this.#socket.send(text);
  }
}

/** Revisions were missed; what is there is good, and the server has the rest. */
export class Gap extends Error {}

/** All models of a server as one client holds them. No sockets: texts go in, and `send` is given what has to go out. */
export class Mirrors {
  #models = new Map();
  #pending = new Map();
  #named = 0;
  #epoch = "";
  #send;

  constructor(send) {
    this.#send = send;
  }

  model(id) {
    return this.#models.get(id);
  }

  /** What to ask for when connecting: to go on where the mirrors are. */
  query() {
    const revs = [...this.#models.values()].filter((model) => model.rev !== null).map(({ id, rev }) => [id, rev]);
    const query = new URLSearchParams({ codec: "json", epoch: this.#epoch });
    if (revs.length > 0) query.set("since", JSON.stringify(Object.fromEntries(revs)));
    return query.toString();
  }

  /** Takes in a message and returns the model that changed, if one did. Throws if the message does not fit; the
   * mirrors are as they were then. */
  receive(text) {
    const message = JSON.parse(text);
    switch (message.t) {
      case "snapshot":
        return this.#snapshot(message);
      case "patch":
        return this.#patch(message);
      case "ack":
        this.#settle(message.proposal);
        return undefined;
      case "reject":
        this.#reject(message);
        return undefined;
      default: // kinds of a newer server
        return undefined;
    }
  }

  /** The next connection gets everything anew. Until then the last values remain on show. */
  distrust() {
    for (const model of this.#models.values()) model.rev = null;
  }

  /** The connection is gone, and with it the answers that were awaited. */
  disconnected() {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(new Error("the connection was lost before the server answered"));
  }

  #snapshot({ id, type, rev, value, epoch }) {
    const node = decode(value);
    if (epoch !== undefined && epoch !== this.#epoch) {
      // Another life of the server: its models are others, also where their ids are the same.
      this.#epoch = epoch;
      this.#models.clear();
    }
    let model = this.#models.get(id);
    if (model === undefined) {
      model = new Model(id, (ops) => this.#propose(id, ops));
      this.#models.set(id, model);
    }
    model.take(type, rev, node);
    return model;
  }

  #patch({ id, patch, proposal, base }) {
    const model = this.#models.get(id);
    if (model === undefined || model.rev === null) throw new Error(`a patch for model ${id} before its snapshot`);
    const isNew = patch.rev > model.rev;
    if (isNew) {
      // A server that tells no epoch may leave out revisions that changed nothing.
      if (this.#epoch !== "" && (base ?? patch.rev - 1) !== model.rev) {
        throw new Gap(`model ${id} is at revision ${model.rev}, the patch leads to ${patch.rev}`);
      }
      model.take(model.type, patch.rev, apply(model.node, patch.ops));
    }
    this.#settle(proposal);
    return isNew ? model : undefined;
  }

  #propose(id, ops) {
    this.#named += 1;
    const proposal = `auto-${this.#named}`;
    const answer = new Promise((resolve, reject) => this.#pending.set(proposal, { resolve, reject }));
    try {
      this.#send(JSON.stringify({ t: "patch", id, patch: { rev: 0, ops }, proposal }));
    } catch (error) {
      this.#pending.get(proposal).reject(error);
      this.#pending.delete(proposal);
    }
    return answer;
  }

  #settle(proposal) {
    this.#pending.get(proposal)?.resolve();
    this.#pending.delete(proposal);
  }

  #reject({ error, proposal }) {
    this.#pending.get(proposal)?.reject(new Error(error));
    this.#pending.delete(proposal);
  }
}

/** One model. It changes only when the server says so. */
class Model {
  #propose;

  constructor(id, propose) {
    this.id = id;
    this.#propose = propose;
  }

  /** The model as plain JavaScript: do not change it, `edit` it. Parts that did not change are the same objects as
   * before. Objects have no prototype, so that any key is data. */
  get value() {
    return plain(this.node);
  }

  /** Proposes a value for the place at `path`, a list of keys and indices. Resolves when the server took it, rejects
   * with its reason when it did not. */
  async edit(path, value) {
    const tagged = encode(value, at(this.node, path));
    await this.#propose([{ Set: { path: path.map(segment), value: tagged } }]);
  }

  /** For the mirrors. */
  take(type, rev, node) {
    Object.assign(this, { type, rev, node });
  }
}

// Values. A node is `{ kind, content }`: content is a Map for a Map, an array of nodes for a List, else the scalar.
// Nodes are never changed, so a failed patch leaves nothing behind and unchanged parts are shared.

const SCALARS = new Map([
  ["Bool", (content) => typeof content === "boolean"],
  ["Int", Number.isInteger],
  ["Float", Number.isFinite],
  ["Str", (content) => typeof content === "string"],
  ["Submodel", isIndex],
]);

/** The node of a value as the wire has it. */
export function decode(value) {
  if (value === "Null") return { kind: "Null", content: null };
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (entries.length !== 1) throw new Error("not a value");
  const [[kind, content]] = entries;
  if (kind === "List" && Array.isArray(content)) return list(content.map(decode));
  if (kind === "Map" && isObject(content)) {
    return map(new Map(Object.entries(content).map(([key, item]) => [key, decode(item)])));
  }
  if (!SCALARS.get(kind)?.(content)) throw new Error(`not a value: ${kind}`);
  return { kind, content };
}

/** The wire's form of a plain value. Numbers stay of the kind that `old`, the node in this place, has: JavaScript
 * does not tell 1 from 1.0, the server does. */
export function encode(value, old) {
  switch (typeof value) {
    case "boolean":
      return { Bool: value };
    case "string":
      return { Str: value };
    case "number":
      return encodeNumber(value, old?.kind);
    case "object":
      return encodeObject(value, old);
    default:
      throw new TypeError(`a ${typeof value} cannot travel`);
  }
}

function encodeNumber(value, kind) {
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot travel`);
  if (kind === "Submodel" && isIndex(value)) return { Submodel: value };
  if (kind === "Float" || !Number.isInteger(value)) return { Float: value };
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} may be rounded`);
  return { Int: value };
}

function encodeObject(value, old) {
  if (value === null) return "Null";
  if (Array.isArray(value)) return { List: value.map((item, index) => encode(item, child(old, index))) };
  // Object.fromEntries defines, it does not assign: "__proto__" is a key as any other.
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return { Map: Object.fromEntries(entries.map(([key, item]) => [key, encode(item, child(old, key))])) };
}

/** The plain value of a node. */
export function plain(node) {
  node.plain ??= makePlain(node);
  return node.plain;
}

function makePlain({ kind, content }) {
  if (kind === "List") return content.map(plain);
  if (kind !== "Map") return content;
  const object = Object.create(null);
  for (const [key, item] of content) object[key] = plain(item);
  return object;
}

function list(content) {
  return { kind: "List", content };
}

function map(content) {
  return { kind: "Map", content };
}

function child(node, key) {
  if (node?.kind === "Map" && typeof key === "string") return node.content.get(key);
  if (node?.kind === "List" && typeof key === "number") return node.content[key];
  return undefined;
}

function at(node, path) {
  return path.reduce(child, node);
}

// Patches.

/** The node that `ops` make of `node`. Throws if one of them cannot be applied. */
export function apply(node, ops) {
  return ops.reduce(applyOp, node);
}

function applyOp(root, op) {
  const [[name, args]] = Object.entries(op);
  const path = args.path.map(key);
  switch (name) {
    case "Set":
      return update(root, path, () => decode(args.value));
    case "Remove":
      return remove(root, path);
    case "Insert":
      return update(root, path, (node) => insert(node, args));
    case "RemoveAt":
      return update(root, path, (node) => removeAt(node, args));
    case "Move":
      return update(root, path, (node) => move(node, args));
    case "Reorder":
      return update(root, path, (node) => reorder(node, args));
    default:
      throw new Error(`unknown op ${name}`);
  }
}

/** Replaces the node at `path` by what `change` makes of it. Only the last key may be a new one, and then `change` is
 * given undefined. */
function update(node, path, change) {
  if (path.length === 0) return change(node);
  const [key, ...rest] = path;
  if (typeof key === "number") {
    const items = [...itemsOf(node)];
    items[checked(key, items.length)] = update(items[key], rest, change);
    return list(items);
  }
  const entries = new Map(entriesOf(node));
  if (rest.length > 0 && !entries.has(key)) throw new Error(`no entry ${key}`);
  return map(entries.set(key, update(entries.get(key), rest, change)));
}

function remove(root, path) {
  const last = path.at(-1);
  if (typeof last !== "string") throw new Error("only entries of maps can be removed by name");
  return update(root, path.slice(0, -1), (node) => {
    const entries = new Map(entriesOf(node));
    entries.delete(last);
    return map(entries);
  });
}

function insert(node, { index, value }) {
  const items = itemsOf(node);
  return list(items.toSpliced(checked(index, items.length + 1), 0, decode(value)));
}

function removeAt(node, { index }) {
  const items = itemsOf(node);
  return list(items.toSpliced(checked(index, items.length), 1));
}

function move(node, { from, to }) {
  const items = [...itemsOf(node)];
  const [item] = items.splice(checked(from, items.length), 1);
  items.splice(checked(to, items.length + 1), 0, item);
  return list(items);
}

function reorder(node, { order }) {
  const items = itemsOf(node);
  if (order.length !== items.length || new Set(order).size !== order.length) throw new Error("not a permutation");
  return list(order.map((index) => items[checked(index, items.length)]));
}

function itemsOf(node) {
  if (node?.kind !== "List") throw new Error(`not a list: ${node?.kind}`);
  return node.content;
}

function entriesOf(node) {
  if (node?.kind !== "Map") throw new Error(`not a map: ${node?.kind}`);
  return node.content;
}

function checked(index, length) {
  if (!isIndex(index) || index >= length) throw new Error(`index ${index} is out of bounds`);
  return index;
}

// A path's elements: texts and numbers here, `{ Key }` and `{ Index }` on the wire.

function key(segment) {
  if (typeof segment.Key === "string") return segment.Key;
  if (isIndex(segment.Index)) return segment.Index;
  throw new Error("not a path");
}

function segment(key) {
  return typeof key === "number" ? { Index: key } : { Key: key };
}

function isIndex(number) {
  return Number.isSafeInteger(number) && number >= 0;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
