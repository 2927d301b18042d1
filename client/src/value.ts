// Values as they are held here. Ints, texts, booleans and null are themselves; what JavaScript cannot tell apart or what
// has parts is a class. A node never changes once it is out, so unchanged parts of a model are shared.

/** A model's value as the application sees it. Ints beyond 2^53 are `bigint`. Objects have no prototype and are frozen. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Value[]
  | { readonly [key: string]: Value };

/** A place in a model: keys of maps and indices of lists. */
export type Path = readonly (string | number)[];

export class Float {
  constructor(readonly number: number) {}
}

export class Submodel {
  constructor(readonly id: number) {}
}

export class List {
  plain?: readonly Value[];
  constructor(readonly items: Node[]) {}
}

export class Dict {
  plain?: { readonly [key: string]: Value };
  constructor(readonly entries: Map<string, Node>) {}
}

/** A number is an Int. */
export type Node = null | boolean | number | bigint | string | Float | Submodel | List | Dict;

/** Lists and maps in each other, in a model. Servers stop at 60 by default. */
export const DEPTH = 128;

/** What the server sent cannot be made sense of. */
export function malformed(what: string): never {
  throw new TypeError("malformed: " + what);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && (value as { isWellFormed?(): boolean }).isWellFormed?.() !== false;
}

function isInt(value: unknown): value is number | bigint {
  return Number.isSafeInteger(value) || (typeof value === "bigint" && BigInt.asIntN(64, value) === value);
}

/** The node of a value as the wire has it; `depth` is how deep in its model it lies. */
export function decode(value: unknown, depth: number): Node {
  if (value === "Null") return null;
  if (depth > DEPTH) malformed("too deep");
  const keys = isObject(value) ? Object.keys(value) : [];
  const [kind] = keys;
  const content = keys.length === 1 ? (value as Record<string, unknown>)[kind!] : undefined;
  switch (kind) {
    case "Null":
      if (content === null) return null;
      break;
    case "Bool":
      if (typeof content === "boolean") return content;
      break;
    case "Int":
      // `+ 0` makes 0 of -0.
      if (isInt(content)) return Number.isSafeInteger(Number(content)) ? Number(content) + 0 : content;
      break;
    case "Float":
      if (typeof content === "bigint" || Number.isFinite(content)) return new Float(Number(content));
      break;
    case "Str":
      if (isText(content)) return content;
      break;
    case "Submodel":
      if (isCount(content)) return new Submodel(content);
      break;
    case "List":
      if (Array.isArray(content)) return new List(content.map((item) => decode(item, depth + 1)));
      break;
    case "Map":
      if (isObject(content)) {
        return new Dict(new Map(Object.keys(content).map((key) => [key, decode(content[key], depth + 1)])));
      }
  }
  return malformed("not a value");
}

/** The wire's form of a node. */
export function tagged(node: Node): unknown {
  if (node === null) return "Null";
  if (node instanceof Float) return { Float: node.number };
  if (node instanceof Submodel) return { Submodel: node.id };
  if (node instanceof List) return { List: node.items.map(tagged) };
  // Object.fromEntries defines, it does not assign: "__proto__" is a key as any other.
  if (node instanceof Dict) return { Map: Object.fromEntries([...node.entries].map(([key, item]) => [key, tagged(item)])) };
  return { [typeof node === "boolean" ? "Bool" : typeof node === "string" ? "Str" : "Int"]: node };
}

/** Which node a value given out belongs to, so that one that comes back unchanged costs nothing. */
const given = new WeakMap<object, Node>();

/** The plain value of a node: the same one each time. */
export function plain(node: Node): Value {
  if (node instanceof Float) return node.number;
  if (node instanceof Submodel) return node.id;
  if (node instanceof List) {
    if (!node.plain) given.set((node.plain = Object.freeze(node.items.map(plain))), node);
    return node.plain;
  }
  if (node instanceof Dict) {
    if (!node.plain) {
      const object: Record<string, Value> = Object.create(null);
      for (const [key, item] of node.entries) object[key] = plain(item);
      given.set((node.plain = Object.freeze(object)), node);
    }
    return node.plain;
  }
  return node;
}

/** The node of a plain value. Numbers are of the kind that `old`, the node in this place, has: JavaScript does not tell 1
 * from 1.0, the server does. */
export function encode(value: unknown, old: Node | undefined, depth: number): Node {
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      if (isText(value)) return value;
      throw new RangeError("a text with half a surrogate pair cannot travel");
    case "bigint":
      if (old instanceof Float) return new Float(Number(value));
      if (!isInt(value)) throw new RangeError(value + " is beyond 64 bits");
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    case "number":
      if (!Number.isFinite(value)) throw new RangeError(value + " cannot travel");
      if (old instanceof Submodel && isCount(value)) return new Submodel(value);
      if (old instanceof Float || !Number.isInteger(value)) return new Float(value);
      if (!Number.isSafeInteger(value)) throw new RangeError(value + " may be rounded: use a bigint");
      return value + 0;
    case "object":
      if (value === null) return null;
      return encodeParts(value, old, depth);
  }
  throw new TypeError("a " + typeof value + " cannot travel");
}

function encodeParts(value: object, old: Node | undefined, depth: number): Node {
  const known = given.get(value);
  if (known !== undefined) return known;
  // Also what contains itself ends here.
  if (depth > DEPTH) throw new RangeError("too deep");
  if (Array.isArray(value)) {
    // Array.from: holes are no values, but `map` would pass over them.
    return new List(Array.from(value, (item, index) => encode(item, child(old, index) ?? sibling(old), depth + 1)));
  }
  const isMap = value instanceof Map;
  const prototype = Object.getPrototypeOf(value);
  if (!isMap && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError("a " + prototype.constructor?.name + " cannot travel");
  }
  const entries = new Map<string, Node>();
  for (const [key, item] of isMap ? value : Object.entries(value)) {
    // A property that is undefined is one that is not there, as in JSON.
    if (item === undefined && !isMap) continue;
    if (!isText(key)) throw new TypeError("keys are texts");
    entries.set(key, encode(item, child(old, key), depth + 1));
  }
  return new Dict(entries);
}

/** What is in a place of a node. */
export function child(node: Node | undefined, key: string | number): Node | undefined {
  if (node instanceof Dict && typeof key === "string") return node.entries.get(key);
  if (node instanceof List && typeof key === "number") return node.items[key];
  return undefined;
}

/** An item of the list, as a hint to the kinds of a new one. */
export function sibling(node: Node | undefined): Node | undefined {
  return node instanceof List ? node.items[0] : undefined;
}

/** `now` with all parts of `old` that are equal, so that they keep their identity. */
export function reuse(old: Node | undefined, now: Node): Node {
  if (old === now) return now;
  if (old instanceof Float && now instanceof Float) return old.number === now.number ? old : now;
  if (old instanceof Submodel && now instanceof Submodel) return old.id === now.id ? old : now;
  if (old instanceof List && now instanceof List) {
    const items = now.items.map((item, index) => reuse(old.items[index], item));
    if (items.length === old.items.length && items.every((item, index) => item === old.items[index])) return old;
    return items.every((item, index) => item === now.items[index]) ? now : new List(items);
  }
  if (old instanceof Dict && now instanceof Dict) {
    let same = old.entries.size === now.entries.size;
    let kept = true;
    const entries = new Map<string, Node>();
    for (const [key, item] of now.entries) {
      const was = old.entries.get(key);
      const node = reuse(was, item);
      same &&= node === was;
      kept &&= node === item;
      entries.set(key, node);
    }
    return same ? old : kept ? now : new Dict(entries);
  }
  return now;
}
