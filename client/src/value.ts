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

/** A number that is no Int. */
export class Special {
  constructor(
    readonly kind: "Float" | "Submodel",
    readonly content: number | bigint,
  ) {}
}

export class List {
  plain?: Value;
  constructor(readonly items: Node[]) {}

  get size(): number {
    return this.items.length;
  }

  get(key: string | number): Node | undefined {
    return typeof key === "number" ? this.items[key] : undefined;
  }

  copy(): List {
    return new List(this.items.slice());
  }
}

export class Dict {
  plain?: Value;
  constructor(readonly entries: Map<string, Node>) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string | number): Node | undefined {
    return this.entries.get(key as string);
  }

  copy(): Dict {
    return new Dict(new Map(this.entries));
  }
}


/** A number is an Int. */
export type Node = null | boolean | number | bigint | string | Special | List | Dict;

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

export function isText(value: unknown): value is string {
  return typeof value === "string" && (value as { isWellFormed?(): boolean }).isWellFormed?.() !== false;
}

/** `wrap` is what a bigint is without the bits that do not travel. */
export function isInt(value: unknown, wrap = BigInt.asIntN): value is number | bigint {
  return Number.isSafeInteger(value) || (typeof value === "bigint" && wrap(64, value) === value);
}

/** The node of a value as the wire has it; `depth` is how deep in its model it lies. */
export function decode(value: unknown, depth: number): Node {
  if (depth > DEPTH) malformed("too deep");
  if (value === "Null") return null;
  const [entry, ...more] = isObject(value) ? Object.entries(value) : [];
  if (entry && more.length === 0) {
    const [kind, content] = entry;
    const type = typeof content;
    if (kind === "Null" && content === null) return null;
    if (kind === "Bool" && type === "boolean") return content as boolean;
    if (kind === "Int" && isInt(content)) return small(content);
    if (kind === "Float" && (type === "bigint" || Number.isFinite(content))) return new Special(kind, Number(content));
    if (kind === "Str" && isText(content)) return content;
    if (kind === "Submodel" && isInt(content, BigInt.asUintN) && content >= 0) return new Special(kind, content);
    if (kind === "List" && Array.isArray(content)) return new List(content.map((item) => decode(item, depth + 1)));
    if (kind === "Map" && isObject(content)) return new Dict(new Map(Object.entries(content).map(([key, item]) => [key, decode(item, depth + 1)])));
  }
  return malformed("not a value");
}

/** A number if it is one without loss. */
export function small(int: number | bigint): number | bigint {
  // `+ 0` makes 0 of -0.
  return Number.isSafeInteger(Number(int)) ? Number(int) + 0 : int;
}

/** The wire's form of a node. */
export function tagged(node: Node): unknown {
  if (node === null) return "Null";
  if (node instanceof Special) return { [node.kind]: node.content };
  if (node instanceof List) return { List: node.items.map(tagged) };
  // Object.fromEntries defines, it does not assign: "__proto__" is a key as any other.
  if (node instanceof Dict) return { Map: Object.fromEntries(Array.from(node.entries, ([key, item]) => [key, tagged(item)])) };
  return { [typeof node === "boolean" ? "Bool" : typeof node === "string" ? "Str" : "Int"]: node };
}

/** Which node a value given out belongs to, so that one that comes back unchanged costs nothing. */
export const given = new WeakMap<object, Node>();

/** The plain value of a node: the same one each time. */
export function plain(node: Node): Value {
  if (node instanceof Special) return node.content;
  if (!(node instanceof List || node instanceof Dict)) return node;
  if (!node.plain) {
    const value = node instanceof List ? node.items.map(plain) : (Object.create(null) as Record<string, Value>);
    if (node instanceof Dict) for (const [key, item] of node.entries) (value as Record<string, Value>)[key] = plain(item);
    given.set(value, node);
    node.plain = Object.freeze(value);
  }
  return node.plain;
}

/** What is in a place of a node. */
export function child(node: Node | undefined, key: string | number): Node | undefined {
  return node instanceof List || node instanceof Dict ? node.get(key) : undefined;
}

/** `now` with all parts of `old` that are equal, so that they keep their identity. */
export function reuse(old: Node | undefined, now: Node): Node {
  if (old instanceof Special && now instanceof Special) return old.kind === now.kind && old.content === now.content ? old : now;
  if (old === now) return now;
  if (old instanceof Dict && now instanceof Dict) {
    let next: Dict | undefined;
    let same = old.size === now.size;
    for (const [key, item] of now.entries) {
      const was = old.entries.get(key);
      const node = reuse(was, item);
      same &&= node === was;
      if (node !== item) (next ??= now.copy()).entries.set(key, node);
    }
    return same ? old : (next ?? now);
  }
  if (!(old instanceof List && now instanceof List)) return now;
  // Most items are where they were, and the same.
  const [before, items] = [old.items, now.items];
  const others: number[] = [];
  for (let index = 0; index < items.length; index += 1) if (items[index] !== before[index]) others.push(index);
  // Those that moved are known by themselves and not by their place.
  const moved = new Set<Node>(others.length > 1 ? before : []);
  let next: List | undefined;
  let same = old.size === now.size;
  for (const index of others) {
    const item = items[index]!;
    const node = moved.has(item) ? item : reuse(before[index], item);
    same &&= node === before[index];
    if (node !== item) (next ??= now.copy()).items[index] = node;
  }
  return same ? old : (next ?? now);
}
