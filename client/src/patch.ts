// Ops: read from the wire, applied, written to the wire.

import { DEPTH, Dict, List, type Node, type Path, child, decode, isCount, isObject, isText, malformed, tagged } from "./value.js";

/** One step of a patch. `path` is that of the list where items are meant. `Splice` only comes, it is not sent. */
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

/** The node that `ops` make of `root`. Throws if one of them cannot be applied. */
export function apply(root: Node, ops: readonly Op[]): Node {
  // What was copied for this patch, and so may be changed.
  const own = new Set<Node>();
  const wrap: [Node] = [root];
  let work = 0;

  /** The holder, made our own. */
  function open<T extends List | Dict>(node: Node | undefined, put: (node: Node) => void): T {
    if (!(node instanceof List || node instanceof Dict)) throw new Error("neither a list nor a map");
    if (own.has(node)) return node as T;
    const copy = node.copy();
    own.add(copy);
    put(copy);
    return copy as T;
  }

  function at(path: Path): List | Dict {
    let node = open(wrap[0], (copy) => (wrap[0] = copy));
    for (const key of path) {
      const holder = node;
      node = open(child(holder, key), (copy) => put(holder, key, copy));
    }
    return node;
  }

  function items(path: Path, shifted: (length: number) => number = () => 0): Node[] {
    const node = at(path);
    if (!(node instanceof List)) throw new Error("not a list");
    work += shifted(node.items.length);
    if (work > WORK) throw new Error("too much work for one patch");
    return node.items;
  }

  for (const op of ops) {
    const { path } = op;
    switch (op.op) {
      case "Set":
        if (path.length === 0) wrap[0] = op.value;
        else put(at(path.slice(0, -1)), path.at(-1)!, op.value);
        break;
      case "Remove": {
        const node = path.length > 0 && at(path.slice(0, -1));
        const key = path.at(-1);
        if (!(node instanceof Dict) || typeof key !== "string") throw new Error("no entry of a map");
        node.entries.delete(key);
        break;
      }
      case "Insert": {
        const list = items(path, (length) => length - op.index);
        list.splice(checked(op.index, list.length + 1), 0, op.value);
        break;
      }
      case "RemoveAt": {
        const list = items(path, (length) => length - op.index);
        list.splice(checked(op.index, list.length), 1);
        break;
      }
      case "Move": {
        const list = items(path, (length) => length - Math.min(op.from, op.to));
        checked(op.to, list.length);
        list.splice(op.to, 0, ...list.splice(checked(op.from, list.length), 1));
        break;
      }
      case "Reorder": {
        const list = items(path);
        const old = [...list];
        if (op.order.length !== old.length || new Set(op.order).size !== old.length) throw new Error("not a permutation");
        op.order.forEach((from, to) => (list[to] = old[checked(from, old.length)]!));
        break;
      }
      case "Splice": {
        const holder = path.length > 0 && at(path.slice(0, -1));
        const text = holder ? child(holder, path.at(-1)!) : wrap[0];
        if (typeof text !== "string") throw new Error("no text");
        if ((work += text.length) > WORK) throw new Error("too much work for one patch");
        const value = splice(text, op.at, op.delete, op.insert);
        if (holder) put(holder, path.at(-1)!, value);
        else wrap[0] = value;
      }
    }
  }
  return wrap[0];
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

function put(holder: List | Dict, key: string | number, node: Node): void {
  if (holder instanceof Dict && typeof key === "string") holder.entries.set(key, node);
  else if (holder instanceof List && typeof key === "number") holder.items[checked(key, holder.items.length)] = node;
  else throw new Error(`no place ${key}`);
}

function checked(index: number, length: number): number {
  if (!isCount(index) || index >= length) throw new Error(`index ${index} is out of bounds`);
  return index;
}
