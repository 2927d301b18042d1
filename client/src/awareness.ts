// What connections tell each other beside the models: who is there, where a cursor is. Hubs carry it.

import { numbers } from "./codec/fraction.js";
import { type Mirror, report } from "./handle.js";
import type { Send } from "./mirrors.js";
import { isCount } from "./value.js";

type Peers = ReadonlyMap<string, unknown>;

const NOBODY: Peers = new Map();

/** The states that a client knows, and its own. */
export class Presence {
  readonly #own = new Map<number, unknown>();
  readonly #peers = new Map<number, Peers>();
  readonly listeners = new Set<(id: number) => void>();

  constructor(readonly send: Send) {}

  of(id: number | undefined): Peers {
    return (id !== undefined && this.#peers.get(id)) || NOBODY;
  }

  own(id: number | undefined): unknown {
    return id === undefined ? undefined : this.#own.get(id);
  }

  /** Another own state; null: none. */
  set(id: number, state: unknown): void {
    if (state === null) this.#own.delete(id);
    else this.#own.set(id, state);
    this.send({ t: "awareness", id, state });
  }

  /** On another connection the server knows nothing of the former one. */
  tell(): void {
    for (const [id, state] of this.#own) this.send({ t: "awareness", id, state });
  }

  receive({ t, id, peer, state = null }: Record<string, unknown>): void {
    if (t !== "awareness" || !isCount(id) || typeof peer !== "string") return;
    // Others, so that a listener that keeps the former ones has them.
    const peers = new Map(this.of(id));
    if (state === null) peers.delete(peer);
    else peers.set(peer, numbers(state));
    this.#change(id, peers);
  }

  /** The model is gone, and with it what was told about it. */
  forget(id: number): void {
    this.#own.delete(id);
    if (this.of(id).size > 0) this.#change(id, NOBODY);
  }

  /** Those who are still there will be told of by the next connection. */
  lost(): void {
    for (const id of [...this.#peers.keys()]) this.#change(id, NOBODY);
  }

  #change(id: number, peers: Peers): void {
    if (peers.size > 0) this.#peers.set(id, peers);
    else this.#peers.delete(id);
    for (const listener of [...this.listeners]) listener(id);
  }
}

/** The passing states about a shared model: this client's, and those of the other connections that see it. */
export class Awareness<S = any> {
  readonly #model: Mirror;
  readonly #presence: Presence;

  /** @internal */
  constructor(model: Mirror, presence: Presence) {
    this.#model = model;
    this.#presence = presence;
  }

  /** The others' states, by names that the server gives connections. Another map after each change. */
  get peers(): ReadonlyMap<string, S> {
    return this.#presence.of(this.#model.id) as ReadonlyMap<string, S>;
  }

  /** The own state; undefined if there is none. */
  get state(): S | undefined {
    return this.#presence.own(this.#model.id) as S | undefined;
  }

  /** Shows the others this state, also those who come later, until it is cleared or the connection is lost; on the next
   * connection it is shown again. It has to be JSON, and is copied.
   *
   * Throws if the model is not there. */
  set(state: S): void {
    const { id, key } = this.#model;
    if (id === undefined) throw new Error(`there is no model ${key} yet`);
    this.#presence.set(id, JSON.parse(JSON.stringify(state)));
  }

  /** The others are shown no state any more. */
  clear(): void {
    const { id } = this.#model;
    if (id !== undefined) this.#presence.set(id, null);
  }

  /** Calls `listener` when a peer came, changed its state or went. Returns what ends it. */
  on(listener: (peers: ReadonlyMap<string, S>) => void): () => void {
    const check = (id: number) => {
      if (id !== this.#model.id) return;
      try {
        listener(this.peers);
      } catch (error) {
        report(error);
      }
    };
    this.#presence.listeners.add(check);
    return () => void this.#presence.listeners.delete(check);
  }
}
