// Values as they are held here, which is as applications get them: frozen, so that unchanged parts of a model are shared.
// A number with a fraction is a Float, another one an Int. Where that is not so, the list or map that holds it has it noted.

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

/** What a number does not tell: that it is a Float though it is whole, or the id of another model. */
export type Kind = "Float" | "Submodel";

/** A number with its kind, where no list or map holds it. */
export class Special {
  constructor(
    readonly kind: Kind,
    readonly content: number | bigint,
  ) {}
}

/** A value with its kind. */
export type Node = Value | Special;

/** A list or a map, which is written until it is frozen. */
export interface Holder {
  [key: string | number]: any;
}

/** Kinds of items or entries: a list as long as the other, a map of some of the keys. */
type Kinds = Holder;

/** All lists and maps that were made here, each with the kinds of what does not tell them. */
const kinds = new WeakMap<Holder, Kinds | undefined>();

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

/** The node of a value as the wire has it, which becomes part of it; `depth` is how deep in its model it lies. */
export function decode(value: unknown, depth: number): Node {
  if (depth > DEPTH) malformed("too deep");
  if (value === "Null") return null;
  const [kind, ...more] = isObject(value) ? Object.keys(value) : [];
  if (kind !== undefined && more.length === 0) {
    const content: any = (value as Record<string, unknown>)[kind];
    const type = typeof content;
    if (kind === "Int" && isInt(content)) return small(content);
    if (kind === "Str" && isText(content)) return content;
    if (kind === "Float" && (type === "bigint" || Number.isFinite(content))) return float(Number(content));
    if (kind === "Bool" && type === "boolean") return content;
    if (kind === "Map" && isObject(content)) {
      return fill(Object.setPrototypeOf(content, null), Object.keys(content), (key) => decode(content[key], depth + 1));
    }
    if (kind === "List" && Array.isArray(content)) return fill(content, content.keys(), (index) => decode(content[index], depth + 1));
    if (kind === "Null" && content === null) return null;
    if (kind === "Submodel" && isInt(content, BigInt.asUintN) && content >= 0) return new Special(kind, content);
  }
  return malformed("not a value");
}

export function float(number: number): Node {
  return Number.isSafeInteger(number) ? new Special("Float", number) : number;
}

/** A number if it is one without loss. */
export function small(int: number | bigint): number | bigint {
  // `+ 0` makes 0 of -0.
  return Number.isSafeInteger(Number(int)) ? Number(int) + 0 : int;
}

/** A map without entries. */
export function bare(): Holder {
  return Object.setPrototypeOf({}, null);
}

/** Makes a list or map of `holder`, in which each of `keys` has something already. */
export function fill<K extends string | number>(holder: Holder, keys: Iterable<K>, item: (key: K) => Node): Value {
  let known: Kinds | undefined;
  for (const key of keys) {
    const node = item(key);
    if (node instanceof Special) (known ??= blank(holder))[key] = node.kind;
    holder[key] = plain(node);
  }
  kinds.set(holder, known);
  return Object.freeze(holder) as Value;
}

function blank(holder: Holder): Kinds {
  return Array.isArray(holder) ? new Array(holder.length) : bare();
}

/** Of a map with more entries `{...}` is slow. */
const SMALL = 100;

/** A list or map with the same content, to be changed by `put` and `splice` and then frozen. */
export function copy(holder: Holder): Holder {
  const known = kinds.get(holder);
  const other = shallow(holder);
  kinds.set(other, known && shallow(known));
  return other;
}

function shallow(holder: Holder): Holder {
  // In V8 `slice` takes a hundred times as long where the list is frozen.
  if (Array.isArray(holder)) return [...holder];
  const keys = Object.keys(holder);
  // `Object.create(null)` makes a hash table, which takes four times the memory of an object with few entries.
  if (keys.length <= SMALL) return Object.setPrototypeOf({ ...holder }, null);
  const other = Object.create(null);
  for (const key of keys) other[key] = holder[key];
  return other;
}

/** Puts a node into a copy; undefined takes out an entry of a map. */
export function put(holder: Holder, key: string | number, node: Node | undefined): void {
  let known = kinds.get(holder);
  if (node instanceof Special) {
    if (!known) kinds.set(holder, (known = blank(holder)));
    known[key] = node.kind;
  } else if (known?.[key]) known[key] = undefined;
  if (node !== undefined) return void (holder[key] = plain(node));
  delete holder[key];
  delete known?.[key];
}

/** Changes the places of items in a copy of a list. */
export function shift(list: any[], change: (items: any[]) => void): void {
  change(list);
  const known = kinds.get(list);
  if (known) change(known as any[]);
}

/** Whether it is a list or map that was made here, and so needs no check. */
export function isOurs(value: object): boolean {
  return kinds.has(value);
}

/** Whether all that it holds tells its kind. */
export function tells(holder: Holder): boolean {
  return !kinds.get(holder);
}

export function isHolder(node: unknown): node is Holder {
  return typeof node === "object" && node !== null && !(node instanceof Special);
}

/** The wire's form of a node. */
export function tagged(node: Node): unknown {
  if (node === null) return "Null";
  if (node instanceof Special) return { [node.kind]: node.content };
  if (Array.isArray(node)) return { List: node.map((_, index) => tagged(child(node, index)!)) };
  // Object.fromEntries defines, it does not assign: "__proto__" is a key as any other.
  if (typeof node === "object") return { Map: Object.fromEntries(Object.keys(node).map((key) => [key, tagged(child(node, key)!)])) };
  if (typeof node === "number" && !Number.isSafeInteger(node)) return { Float: node };
  return { [typeof node === "boolean" ? "Bool" : typeof node === "string" ? "Str" : "Int"]: node };
}

/** The value of a node. */
export function plain(node: Node): Value {
  return node instanceof Special ? node.content : node;
}

/** What is in a place of a node. */
export function child(node: Node | undefined, key: string | number): Node | undefined {
  if (!isHolder(node) || Array.isArray(node) !== (typeof key === "number")) return undefined;
  const value = (node as Holder)[key];
  const kind = kinds.get(node)?.[key];
  return kind ? new Special(kind, value) : value;
}

/** `now` with all parts of `old` that are equal, so that they keep their identity. */
export function reuse(old: Node | undefined, now: Node): Node {
  if (old === now) return now;
  if (old instanceof Special && now instanceof Special) return old.kind === now.kind && old.content === now.content ? old : now;
  if (!isHolder(old) || !isHolder(now) || Array.isArray(old) !== Array.isArray(now)) return now;
  const [was, is] = [kinds.get(old), kinds.get(now)];
  let next: Holder | undefined;
  let same = true;
  const one = (key: string | number, before: any, item: any) => {
    const node = isHolder(item) ? reuse(before, item) : item;
    same &&= node === before && was?.[key] === is?.[key];
    if (node !== item) (next ??= copy(now))[key] = node;
  };
  if (Array.isArray(now)) {
    // Frozen lists take longer to read than to copy.
    const [before, items] = [[...(old as any[])], [...now]];
    same = before.length === items.length;
    // Most items are where they were, and the same.
    const others: number[] = [];
    for (let index = 0; index < items.length; index += 1) if (was || is || items[index] !== before[index]) others.push(index);
    // Those that moved are known by themselves and not by their place.
    const moved = new Set(others.length > 1 ? before : []);
    for (const index of others) {
      const item = items[index];
      if (item === before[index] || !moved.has(item)) one(index, before[index], item);
      else same = false;
    }
  } else {
    const keys = Object.keys(now);
    same = keys.length === Object.keys(old).length;
    for (const key of keys) one(key, (old as Holder)[key], (now as Holder)[key]);
  }
  return (same ? old : next ? Object.freeze(next) : now) as Node;
}
