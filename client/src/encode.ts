// Plain values of the application as nodes.

import type { Place, Schemas } from "./schema.js";
import { bare, child, DEPTH, fill, float, isInt, isOurs, isText, type Node, small, Special } from "./value.js";

/** What the server told of a place, if it did. */
export interface Known {
  schemas: Schemas;
  place: Place | undefined;
}

/** What is known of what is at `key` of a value. */
export function under(known: Known | undefined, key: string | number, value: unknown): Known | undefined {
  return known && { schemas: known.schemas, place: known.schemas.below(known.place, key, value) };
}

/** The node of a plain value. JavaScript does not tell 1 from 1.0, the server does: numbers are of the kind that is known
 * of the place, or else that `old`, the node in this place, has. */
export function encode(value: unknown, old: Node | undefined, depth: number, known?: Known): Node {
  const isFloat = typeof old === "number" && !Number.isSafeInteger(old);
  const kind = known?.schemas.kind(known.place) ?? (old instanceof Special ? old.kind : isFloat ? "Float" : "Int");
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      if (isText(value)) return value;
      throw new RangeError("half a surrogate pair cannot travel");
    case "bigint":
    case "number":
      if (typeof value === "number" && !Number.isFinite(value)) break;
      if (kind === "Submodel" && value >= 0) return new Special(kind, value);
      if (kind === "Float" || (typeof value === "number" && !Number.isInteger(value))) return float(Number(value));
      if (isInt(value)) return small(value);
      throw new RangeError(value + (typeof value === "bigint" ? " is beyond 64 bits" : " may be rounded: use a bigint"));
    case "object":
      if (value === null) return null;
      return encodeParts(value, old, depth, known);
  }
  throw new TypeError(`${typeof value === "number" ? value : "a " + typeof value} cannot travel`);
}

function encodeParts(value: object, old: Node | undefined, depth: number, known: Known | undefined): Node {
  if (isOurs(value)) return value as Node;
  // Also what contains itself ends here.
  if (depth > DEPTH) throw new RangeError("too deep");
  if (Array.isArray(value)) {
    // Array.from: holes are no values, but `map` would pass over them.
    const items = Array.from(value);
    const item = (index: number) => encode(items[index], child(old, index) ?? sibling(old), depth + 1, under(known, index, value));
    return fill(items, items.keys(), item);
  }
  const isMap = value instanceof Map;
  const prototype = Object.getPrototypeOf(value);
  if (!isMap && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError("a " + prototype.constructor?.name + " cannot travel");
  }
  const entries = bare();
  for (const [key, item] of isMap ? value : Object.entries(value)) {
    // A property that is undefined is one that is not there, as in JSON.
    if (item === undefined && !isMap) continue;
    if (!isText(key)) throw new TypeError("keys are texts");
    entries[key] = item;
  }
  return fill(entries, Object.keys(entries), (key) => encode(entries[key], child(old, key), depth + 1, under(known, key, value)));
}

/** An item of the list, as a hint to the kinds of a new one. */
export function sibling(node: Node | undefined): Node | undefined {
  return child(node, 0);
}
