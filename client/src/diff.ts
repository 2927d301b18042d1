// The ops of an edit: what the application changed, and nothing besides, so that changes of others stay.

import type { Op } from "./patch.js";
import { type Known, under } from "./encode.js";
import { child, isHolder, type Node, type Path, plain, reuse, tells } from "./value.js";

/** Ops that make `now` of `old` in the place `path`. A scalar is always set, also to what it is. */
export function diff(path: Path, old: Node | undefined, now: Node, known?: Known): Op[] {
  const whole: Op[] = [{ op: "Set", path, value: now }];
  if (!isHolder(old) || !isHolder(now) || Array.isArray(old) !== Array.isArray(now)) return whole;
  const at = (key: string | number) => under(known, key, plain(now));
  if (Array.isArray(now)) return diffItems(path, old as any[], now as any[], at);
  if (known?.schemas.differ(known.place, plain(old), plain(now))) return whole;
  const ops: Op[] = [];
  for (const key of Object.keys(now)) ops.push(...changed([...path, key], child(old, key), child(now, key)!, at(key)));
  for (const key of Object.keys(old)) if (!(key in now)) ops.push({ op: "Remove", path: [...path, key] });
  return ops;
}

function changed(path: Path, old: Node | undefined, now: Node, known: Known | undefined): Op[] {
  return old !== undefined && equal(old, now) ? [] : diff(path, old, now, known);
}

function equal(old: Node, now: Node): boolean {
  return reuse(old, now) === old;
}

function diffItems(path: Path, old: any[], now: any[], known: (index: number) => Known | undefined): Op[] {
  const moved = permutation(old, now);
  if (moved) return rearranged(path, moved);
  let start = 0;
  let end = 0;
  const shorter = Math.min(old.length, now.length);
  const same = (was: number, is: number) => equal(child(old, was)!, child(now, is)!);
  while (start < shorter && same(start, start)) start += 1;
  while (end < shorter - start && same(old.length - 1 - end, now.length - 1 - end)) end += 1;
  const ops: Op[] = [];
  const common = shorter - end;
  for (let index = start; index < common; index += 1) {
    ops.push(...changed([...path, index], child(old, index), child(now, index)!, known(index)));
  }
  for (let index = old.length - end - 1; index >= common; index -= 1) ops.push({ op: "RemoveAt", path, index });
  for (let index = common; index < now.length - end; index += 1) {
    ops.push({ op: "Insert", path, index, value: child(now, index)! });
  }
  return ops;
}

/** Where each item of `now` was, if `now` is `old` in another order: the very same items, as the application was given
 * them. */
function permutation(old: any[], now: any[]): number[] | undefined {
  if (old.length !== now.length || !tells(old) || !tells(now)) return undefined;
  const places = new Map<Node, number[]>();
  for (let index = old.length - 1; index >= 0; index -= 1) {
    const known = places.get(old[index]!);
    if (known) known.push(index);
    else places.set(old[index]!, [index]);
  }
  const order: number[] = [];
  for (const item of now) {
    const index = places.get(item)?.pop();
    if (index === undefined) return undefined;
    order.push(index);
  }
  return order;
}

function rearranged(path: Path, order: number[]): Op[] {
  const first = order.findIndex((from, to) => from !== to);
  if (first < 0) return [];
  const last = order.findLastIndex((from, to) => from !== to);
  // One item taken from an end of the part that differs and put in at the other.
  const [down, up] = [order[first] === last, order[last] === first];
  const shift = (step: number, from: number, to: number) => {
    for (let index = from; index <= to; index += 1) if (order[index] !== index + step) return false;
    return true;
  };
  if (up && shift(1, first, last - 1)) return [{ op: "Move", path, from: first, to: last }];
  if (down && shift(-1, first + 1, last)) return [{ op: "Move", path, from: last, to: first }];
  return [{ op: "Reorder", path, order }];
}
