// Ops: read from the wire, applied, written to the wire.

import {
  child, copy, decode, DEPTH, type Holder, isCount, isHolder, isObject, isText, malformed, type Node, type Path, put, reuse, shift,
  tagged,
} from "./value.js";

/** One step of a patch. `path` is that of the list where items are meant. */
export type Op =
  | { op: "Set"; path: Path; value: Node }
  | { op: "Remove"; path: Path }
  | { op: "Insert"; path: Path; index: number; value: Node }
  | { op: "RemoveAt"; path: Path; index: number }
  | { op: "Move"; path: Path; from: number; to: number }
  | { op: "Reorder"; path: Path; order: readonly number[] }
  | { op: "Splice"; path: Path; at: number; delete: number; insert: string };

/** An op as the wire has it. */
export function readOp(wire: unknown): Op {
  const names = isObject(wire) ? Object.keys(wire) : [];
  const op = names[0] as Op["op"];
  const args = names.length === 1 ? (wire as Record<string, unknown>)[op] : undefined;
  if (!isObject(args) || !Array.isArray(args.path)) return malformed("not an op");
  const path: Path = args.path.map(readSegment);
  if (path.length > DEPTH) malformed("too deep");
  const { index, from, to, order, at, insert } = args;
  switch (op) {
    case "Set":
      return { op, path, value: decode(args.value, path.length) };
    case "Remove":
      return { op, path };
    case "Insert":
      if (isCount(index)) return { op, path, index, value: decode(args.value, path.length + 1) };
      break;
    case "RemoveAt":
      if (isCount(index)) return { op, path, index };
      break;
    case "Move":
      if (isCount(from) && isCount(to)) return { op, path, from, to };
      break;
    case "Reorder":
      if (Array.isArray(order) && order.every(isCount)) return { op, path, order };
      break;
    case "Splice":
      if (isCount(at) && isCount(args.delete) && isText(insert)) return { op, path, at, delete: args.delete, insert };
  }
  return malformed("op " + op);
}

function readSegment(segment: unknown): string | number {
  if (isObject(segment) && Object.keys(segment).length === 1) {
    if (typeof segment.Key === "string") return segment.Key;
    if (isCount(segment.Index)) return segment.Index;
  }
  return malformed("not a path");
}

/** The wire's form of an op. */
export function writeOp({ op, path, ...args }: Op): unknown {
  const segments = path.map((key) => (typeof key === "number" ? { Index: key } : { Key: key }));
  return { [op]: { path: segments, ...args, ...("value" in args && { value: tagged(args.value) }) } };
}

/** Items of lists and units of texts that the ops of one patch may shift along, which takes about a second. More would hang the tab; a
 * snapshot costs less then. */
const WORK = 200_000_000;

/** The node that `ops` make of `root`, with all parts of it that are equal. Throws if one of them cannot be applied. */
export function apply(root: Node, ops: readonly Op[]): Node {
  // What was copied for this patch, and so may be changed.
  const own = new Set<Holder>();
  let result = root;
  let work = 0;
  const find = (path: Path) => path.reduce<Node | undefined>(child, result);

  /** The list or map at `path`, made our own, and so are those around it. */
  function open(path: Path): Holder {
    const holder = path.length > 0 ? open(path.slice(0, -1)) : undefined;
    const key = path.at(-1)!;
    const node = holder ? child(holder, key) : result;
    if (!isHolder(node)) throw new Error("neither a list nor a map");
    if (own.has(node)) return node;
    const other = copy(node);
    own.add(other);
    if (holder) put(holder, key, other as Node);
    else result = other as Node;
    return other;
  }

  function set(path: Path, node: Node): void {
    if (path.length === 0) return void (result = node);
    const holder = open(path.slice(0, -1));
    const key = path.at(-1)!;
    if (Array.isArray(holder) !== (typeof key === "number")) throw new Error(`no place ${key}`);
    if (typeof key === "number") checked(key, holder.length);
    put(holder, key, node);
  }

  /** The list at `path`, of which so many items will move. */
  function items(path: Path, shifted: (length: number) => number = () => 0): any[] {
    const list = open(path);
    if (!Array.isArray(list)) throw new Error("not a list");
    charge(shifted(list.length));
    return list;
  }

  function charge(units: number): void {
    if ((work += units) > WORK) throw new Error("too much work for one patch");
  }

  for (const op of ops) {
    const { path } = op;
    switch (op.op) {
      case "Set": {
        const old = find(path);
        const node = reuse(old, op.value);
        if (old === undefined || node !== old) set(path, node);
        break;
      }
      case "Remove": {
        const holder = path.length > 0 && find(path.slice(0, -1));
        const key = path.at(-1);
        if (!isHolder(holder) || Array.isArray(holder) || typeof key !== "string") throw new Error("no entry of a map");
        if (key in holder) put(open(path.slice(0, -1)), key, undefined);
        break;
      }
      case "Insert": {
        const list = items(path, (length) => length - op.index);
        checked(op.index, list.length + 1);
        shift(list, (items) => items.splice(op.index, 0, null));
        put(list, op.index, op.value);
        break;
      }
      case "RemoveAt": {
        const list = items(path, (length) => length - op.index);
        checked(op.index, list.length);
        shift(list, (items) => items.splice(op.index, 1));
        break;
      }
      case "Move": {
        const list = items(path, (length) => length - Math.min(op.from, op.to));
        checked(op.from, list.length);
        checked(op.to, list.length);
        shift(list, (items) => items.splice(op.to, 0, ...items.splice(op.from, 1)));
        break;
      }
      case "Reorder": {
        const list = items(path);
        if (op.order.length !== list.length || new Set(op.order).size !== list.length) throw new Error("not a permutation");
        for (const from of op.order) checked(from, list.length);
        shift(list, (items) => {
          const old = [...items];
          op.order.forEach((from, to) => (items[to] = old[from]));
        });
        break;
      }
      case "Splice": {
        const text = find(path);
        if (typeof text !== "string") throw new Error("no text");
        charge(text.length);
        set(path, splice(text, op.at, op.delete, op.insert));
      }
    }
  }
  for (const holder of own) Object.freeze(holder);
  // One op that did something leaves nothing that is equal.
  return ops.length > 1 || ops[0]?.op === "Move" || ops[0]?.op === "Reorder" ? reuse(root, result) : result;
}

/** Counts in Unicode scalar values, which are JavaScript's own units unless there are surrogates. */
function splice(text: string, at: number, count: number, insert: string): string {
  const hasPairs = /[\ud800-\udfff]/.test(text);
  const skip = (from: number, count: number) => {
    if (!hasPairs) return from + count;
    for (; count > 0 && from < text.length; count -= 1) from += text.codePointAt(from)! > 0xffff ? 2 : 1;
    return from + count;
  };
  const start = skip(0, at);
  const end = skip(start, count);
  if (end > text.length) throw new Error(`a text of ${text.length} is too short`);
  return text.slice(0, start) + insert + text.slice(end);
}

function checked(index: number, length: number): number {
  if (!isCount(index) || index >= length) throw new Error(`index ${index} is out of bounds`);
  return index;
}
