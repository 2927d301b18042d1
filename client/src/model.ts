import { type Change, Edit, EditError, insert, remove, set } from "./edit.js";
import type { Mirrors, Replica } from "./mirrors.js";
import type { Op } from "./patch.js";
import type { Path } from "./value.js";

export type Key = number | string;

/** Called with the value and with the one before; undefined where there is none. */
export type Listener<T> = (value: T, before: T) => void;

/** @internal What a model needs of its client. */
export interface Host {
  mirrors: Mirrors;
  isStopped(): boolean;
  onState(listener: () => void): () => void;
  flush(): void;
}

/** One model, also while nothing is known of it yet. `T` is its TypeScript type; nothing checks that it fits. */
export class Model<T = any> {
  #host: Host;
  #replica: Replica | undefined;
  #listeners = new Set<() => void>();

  /** @internal */
  constructor(
    /** The id, or the type's name, that was asked for. */
    readonly key: Key,
    host: Host,
  ) {
    this.#host = host;
  }

  /** @internal */
  get replica(): Replica | undefined {
    const { replicas } = this.#host.mirrors;
    if (typeof this.key === "number") return replicas.get(this.key);
    // Of several of the type the first to come, for as long as it is there.
    const known = this.#replica;
    if (known && replicas.get(known.id) === known && known.type === this.key) return known;
    this.#replica = undefined;
    for (const replica of replicas.values()) if (replica.type === this.key) return (this.#replica = replica);
    return undefined;
  }

  /** The id, once the model is there. */
  get id(): number | undefined {
    return this.replica?.id;
  }

  /** The type's name, once the model is there. */
  get type(): string | undefined {
    return this.replica?.type;
  }

  /** The server's revision that the value is based on; undefined while the server has to say it anew. */
  get rev(): number | undefined {
    return this.replica?.rev;
  }

  /** Edits without an answer. */
  get pending(): number {
    return this.replica?.edits.length ?? 0;
  }

  /** The value, with the edits that are on their way; undefined until the model is there. Frozen: `edit` it. Parts that
   * did not change are the same objects as before. */
  get value(): T | undefined {
    return this.replica?.value as T | undefined;
  }

  /** The value as soon as there is one. Rejects when the client is stopped before. */
  async ready(): Promise<T> {
    for await (const value of this) return value;
    throw new Error("stopped");
  }

  /** Calls `listener` after each change; or, with a path, after each change of that place. Returns what ends it. */
  on(listener: Listener<T | undefined>): () => void;
  on<V = any>(path: Path, listener: Listener<V | undefined>): () => void;
  on(path: Path | Listener<any>, listener?: Listener<any>): () => void {
    const call = listener ?? (path as Listener<any>);
    const place = listener ? (path as Path) : [];
    let before = follow(this.value, place);
    const check = () => {
      const value = follow(this.value, place);
      if (value === before) return;
      const old = before;
      before = value;
      call(value, old);
    };
    this.#listeners.add(check);
    return () => void this.#listeners.delete(check);
  }

  /** @internal */
  notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        report(error);
      }
    }
  }

  /** The value now and after changes; what changes faster than it is taken is passed over. Ends when the client is
   * stopped. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    let wake: (() => void) | undefined;
    const offs = [this.on(() => wake?.()), this.#host.onState(() => wake?.())];
    let last: T | undefined;
    try {
      while (!this.#host.isStopped()) {
        const value = this.value;
        if (value !== undefined && value !== last) yield (last = value);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      for (const off of offs) off();
    }
  }

  /** Puts `value` into the place at `path`; `[]` is the whole model. A function is given the present value of the place,
   * and called again if that changes before the edit is sent. Only what differs from the value shown is sent, so that
   * changes others make to the rest stay.
   *
   * It shows at once. The promise resolves with the server's revision, or rejects with an {@link EditError}, and the
   * change is gone. */
  edit(path: Path, value: unknown): Promise<number> {
    return this.#edit(path, set(path, value), typeof value === "function");
  }

  /** Puts an item into the list at `path`, before item `index`. */
  insert(path: Path, index: number, value: unknown): Promise<number> {
    return this.#edit(path, insert(path, index, value), false);
  }

  /** Puts an item at the end of the list at `path`. */
  push(path: Path, value: unknown): Promise<number> {
    return this.#edit(path, insert(path, undefined, value), true);
  }

  /** Removes what is at `path`: an item of a list, or an entry of a map. */
  remove(path: Path): Promise<number> {
    return this.#op(path, remove(path));
  }

  /** Takes item `from` of the list at `path` and puts it in so that it is item `to`. */
  move(path: Path, from: number, to: number): Promise<number> {
    return this.#op(path, { op: "Move", path, from, to });
  }

  /** Brings the list at `path` into another order: new item `i` is old item `order[i]`. */
  reorder(path: Path, order: readonly number[]): Promise<number> {
    return this.#op(path, { op: "Reorder", path, order: [...order] });
  }

  #op(path: Path, op: Op): Promise<number> {
    return this.#edit(path, () => [op], false);
  }

  async #edit(path: Path, change: Change, again: boolean): Promise<number> {
    const { replica } = this;
    if (this.#host.isStopped()) throw new EditError("dropped", path, "stopped");
    if (!replica) throw new EditError("invalid", path, `there is no model ${this.key} yet`);
    const edit = new Edit([...path], change, again, replica.shown);
    this.#host.mirrors.edit(replica, edit);
    this.#host.flush();
    return edit.promise;
  }
}

function follow(value: unknown, path: Path): unknown {
  // Objects given out have no prototype, but texts and lists do.
  return path.reduce<any>((at, key) => (typeof at === "object" && at && Object.hasOwn(at, key) ? at[key] : undefined), value);
}

/** A mistake of the application in a listener: told as any uncaught error, and nothing of ours stops. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
