import type { Mirrors, Replica } from "./mirrors.js";
import type { Path } from "./value.js";

export type Key = number | string;

/** Called with the value and with the one before; undefined where there is none. */
export type Listener<T> = (value: T, before: T) => void;

/** @internal What a model needs of its client. */
export interface Host {
  readonly state: string;
  readonly mirrors: Mirrors;
  on(event: "state", listener: () => void): () => void;
}

/** One model, also while nothing is known of it yet. `T` is its TypeScript type; nothing checks that it fits. */
export class Mirror<T = any> {
  readonly #host: Host;
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

  /** The value; undefined until the model is there. It is frozen, and never changes: the next one is another object, of
   * which the parts that did not change are the same as before. */
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
    const offs = [this.on(() => wake?.()), this.#host.on("state", () => wake?.())];
    let last: T | undefined;
    try {
      while (this.#host.state !== "stopped") {
        const value = this.value;
        if (value !== undefined && value !== last) yield (last = value);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      for (const off of offs) off();
    }
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
