// Edits that wait for the server's answer.

import { diff } from "./diff.js";
import type { Op } from "./patch.js";
import { encode, type Known, sibling } from "./encode.js";
import { child, isCount, isText, type Node, type Path, plain, type Value } from "./value.js";

/** Why an edit failed:
 *
 * - `refused`: the server took it back, `reason` is its own sentence;
 * - `unknown`: the connection was lost before the answer. The server may have made it, and what it holds shows when the
 *   connection is back;
 * - `dropped`: it was never sent, and will not be;
 * - `invalid`: it makes no sense here: the value cannot travel, or there is no such place. Never sent. */
export type EditFailure = "refused" | "unknown" | "dropped" | "invalid";

/** An edit that failed. */
export class EditError extends Error {
  override readonly name = "EditError";

  constructor(
    readonly kind: EditFailure,
    /** The place that was to change. */
    readonly path: Path,
    /** What the server said, or what is wrong here. */
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** What an edit does to the model as it is shown. */
export type Change = (node: Node) => Op[];

/** An edit without its answer. */
export class Edit {
  readonly promise: Promise<number>;
  resolve!: (rev: number) => void;
  ops: Op[];
  /** Its proposal's name, once it is on the way. */
  proposal?: string;
  /** It was on the way when the connection broke: settled, but on show until the server tells. */
  doubtful = false;
  #reject!: (error: EditError) => void;

  /** `again`: the ops depend on what the model is when they are sent. */
  constructor(
    readonly path: Path,
    readonly change: Change,
    readonly again: boolean,
    node: Node,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
    try {
      this.ops = change(node);
    } catch (error) {
      throw new EditError("invalid", path, (error as Error).message);
    }
  }

  fail(kind: EditFailure, reason: string): void {
    this.#reject(new EditError(kind, this.path, reason));
  }
}

function at(node: Node, path: Path): Node | undefined {
  return path.reduce<Node | undefined>(child, node);
}

/** What is known of a place in a model of this value. */
export type Look = (path: Path, value: Value) => Known;

/** Another value for a place, or what a function makes of the present one. */
export function set(path: Path, value: unknown, look?: Look): Change {
  return (node) => {
    const old = at(node, path);
    const now = typeof value === "function" ? value(old === undefined ? old : plain(old)) : value;
    const hint = old ?? sibling(at(node, path.slice(0, -1)));
    const known = look?.(path, plain(node));
    return diff(path, old, encode(now, hint, path.length, known), known);
  };
}

/** A new item of a list; without an index at its end. */
export function insert(path: Path, index: number | undefined, value: unknown, look?: Look): Change {
  return (node) => {
    const list = at(node, path);
    const place = index ?? (Array.isArray(list) ? list.length : 0);
    const known = look?.([...path, place], plain(node));
    return [{ op: "Insert", path, index: place, value: encode(value, sibling(list), path.length + 1, known) }];
  };
}

/** Other text in the place of a part of a text, counted as JavaScript does. Sent as that part where `asPart` says so. */
export function splice(path: Path, start: number, count: number, insert: string, asPart: () => boolean): Change {
  return (node) => {
    const text = at(node, path);
    if (typeof text !== "string") throw new TypeError("not a text");
    const end = start + count;
    if (!(isCount(start) && isCount(count) && end <= text.length)) throw new RangeError(`a text of ${text.length} is too short`);
    const parts = [text.slice(0, start), text.slice(start, end), text.slice(end), insert];
    if (!parts.every(isText)) throw new RangeError("half a surrogate pair cannot travel");
    const [before, cut, after] = parts as [string, string, string];
    if (!asPart()) return [{ op: "Set", path, value: before + insert + after }];
    return [{ op: "Splice", path, at: characters(before), delete: characters(cut), insert }];
  };
}

/** How many Unicode scalar values a text has. */
function characters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff]/g)?.length ?? 0);
}

/** Takes out an item of a list or an entry of a map. */
export function remove(path: Path): Op {
  const key = path.at(-1);
  return typeof key === "number" ? { op: "RemoveAt", path: path.slice(0, -1), index: key } : { op: "Remove", path };
}
