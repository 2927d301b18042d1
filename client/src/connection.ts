import type { Codec } from "./codec.js";
import { Gap, Mirrors, type Send } from "./mirrors.js";
import { type Host, type Key, Mirror, report } from "./handle.js";
import { FRAME_LIMIT, type Link, type Transport, type TransportOptions } from "./transport.js";

/** - `connecting`: on the way, or about to be;
 * - `open`: connected;
 * - `waiting`: the connection was lost or did not come about, and is tried again after a while;
 * - `stopped`: for good, by `stop` or as the server closed with code 1008 or 3000. */
export type State = "connecting" | "open" | "waiting" | "stopped";

export interface Options extends TransportOptions {
  /** The longest pause before connecting again, in ms: 30,000 by default. */
  longestDelay?: number;
  /** Connects only when `start` is called. */
  paused?: boolean;
  /** The time in ms after which a server that answers nothing counts as gone: 20,000 by default. */
  patience?: number;
}

interface Events<M> {
  /** A model came, changed or went. */
  change: M;
  state: State;
  /** Why the connection was lost, or what of the server's was malformed. */
  problem: Error;
}

const FIRST_DELAY = 500; // ms; doubles with each failure in a row
const STABLE = 5_000; // ms that a connection has to last, to be no failure

/** @internal How the attempt of this number is made. */
export type Plan = (attempt: number) => {
  transport: Transport;
  codec: Codec;
  url: URL;
  /** The transport carries no query. */
  isBare?: boolean;
};

/** A server's models, kept up to date. */
export class MirrorClient {
  /** What the connection is doing. */
  state: State = "waiting";
  #started = false;
  readonly #plan: Plan;
  readonly #handle: new (key: Key, host: Host) => Mirror;
  readonly #options: Options;
  /** @internal */
  readonly mirrors: Mirrors;
  readonly #models = new Map<Key, Mirror>();
  readonly #listeners = new Map<string, Set<(event: never) => void>>();
  #link: Link | undefined;
  #codec!: Codec;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #openedAt: number | undefined;

  /** @internal */
  constructor(
    plan: Plan,
    options: Options,
    /** How models are held, and how they are given out. */
    mirrors: (send: Send) => Mirrors = (send) => new Mirrors(send),
    handle: new (key: Key, host: Host) => Mirror = Mirror,
  ) {
    this.#handle = handle;
    this.#plan = plan;
    this.#options = options;
    this.mirrors = mirrors((message) => this.#send(message));
    if (!options.paused) this.start();
  }

  /** The model of this id; or the first of this type. It need not be there yet. */
  model<T = any>(key: Key): Mirror<T> {
    let model = this.#models.get(key);
    if (!model) this.#models.set(key, (model = new this.#handle(key, this)));
    return model;
  }

  /** The models that are there. */
  get models(): ReturnType<this["model"]>[] {
    return Array.from(this.mirrors.replicas.keys(), (id) => this.model(id)) as never;
  }

  /** Calls `listener` with each event of this name. Returns what ends it. */
  on<E extends keyof Events<Mirror>>(event: E, listener: (event: Events<ReturnType<this["model"]>>[E]) => void): () => void {
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Connects a client that is `paused`. */
  start(): void {
    if (this.#started || this.state === "stopped") return;
    this.#started = true;
    globalThis.addEventListener?.("online", this.#online);
    globalThis.document?.addEventListener("visibilitychange", this.#visible);
    // Those who called may want to hear of it first.
    this.#timer = setTimeout(() => this.#open());
    this.#become("connecting");
  }

  /** Ends the connection for good. Values stay, and edits without an answer are rejected. */
  stop(): void {
    globalThis.removeEventListener?.("online", this.#online);
    globalThis.document?.removeEventListener("visibilitychange", this.#visible);
    this.#close();
    for (const replica of this.mirrors.replicas.values()) this.mirrors.drop(replica, "stopped");
    this.flush();
    this.#become("stopped");
  }

  readonly #online = () => {
    if (this.state === "waiting") this.#open();
    // A connection from before may be dead without anybody having noticed.
    else if (this.state === "open") this.mirrors.probe();
  };

  readonly #visible = () => {
    if (!document.hidden) this.#online();
  };

  #open(): void {
    clearTimeout(this.#timer);
    this.#become("connecting");
    if (this.state !== "connecting") return;
    try {
      const { transport, codec, url, isBare = false } = this.#plan(this.#failures);
      this.#codec = codec;
      this.mirrors.hasAsked = !isBare;
      const query = { codec: codec.name, ...this.mirrors.query() };
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const link = transport(
        url,
        {
          opened: (takesEdits) => this.#link === link && this.#opened(takesEdits),
          frame: (frame) => this.#link === link && this.#receive(frame),
          lost: (reason, forGood) => this.#link === link && this.#lost(new Error(reason), forGood),
        },
        this.#options,
      );
      this.#link = link;
      this.#watch();
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  #opened(takesEdits?: boolean): void {
    this.#quiet();
    this.#openedAt ??= Date.now();
    if (takesEdits !== undefined) this.mirrors.opened(takesEdits);
    this.flush();
    this.#become("open");
  }

  #receive(frame: string | ArrayBuffer): void {
    this.#quiet();
    let problem: Error | undefined;
    try {
      const size = typeof frame === "string" ? frame.length : frame.byteLength;
      if (size > (this.#options.frameLimit ?? FRAME_LIMIT)) throw new RangeError(`a frame of ${size} bytes`);
      this.mirrors.receive(this.#codec.decode(frame));
    } catch (error) {
      problem = error as Error;
      if (!(error instanceof Gap)) this.mirrors.distrust();
    }
    this.flush();
    if (problem && this.state !== "stopped") this.#lost(problem);
  }

  #lost(problem: Error, forGood?: boolean): void {
    const lasted = this.#openedAt === undefined ? 0 : Date.now() - this.#openedAt;
    this.#failures = lasted >= STABLE ? 0 : this.#failures + 1;
    this.#close();
    const longest = Math.min(this.#options.longestDelay ?? 30_000, FIRST_DELAY * 2 ** Math.max(0, this.#failures - 1));
    // Full jitter, so that a server that comes back does not meet all its clients at once.
    this.#timer = setTimeout(() => this.#open(), longest * Math.random());
    this.flush();
    if (!this.#emit("problem", problem)) console.warn(`transports: ${problem.message}`);
    if (forGood) this.stop();
    else this.#become("waiting");
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#quiet();
    this.#openedAt = undefined;
    const link = this.#link;
    this.#link = undefined;
    link?.close();
    this.mirrors.lost();
  }

  #send(message: unknown): boolean {
    if (this.state === "stopped" || !this.#link?.send?.(this.#codec.encode(message))) return false;
    this.#watch();
    return true;
  }

  /** From here on the server has to say something. */
  #watch(): void {
    const patience = this.#options.patience ?? 20_000;
    this.#watchdog ??= setTimeout(() => this.#lost(new Error(`no answer in ${patience} ms`)), patience);
  }

  #quiet(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
  }

  #become(state: State): void {
    if (this.state === state || this.state === "stopped") return;
    this.state = state;
    this.#emit("state", state);
  }

  /** @internal Tells of what changed. */
  flush(): void {
    const { changed } = this.mirrors;
    const replicas = [...changed];
    changed.clear();
    for (const replica of replicas) {
      // A type's model may be another one now.
      for (const key of [replica.id, replica.type]) this.#models.get(key)?.notify();
      if (this.#listeners.get("change")?.size) this.#emit("change", this.model(replica.id));
    }
  }

  #emit(event: keyof Events<Mirror>, argument: unknown): boolean {
    const listeners = [...(this.#listeners.get(event) ?? [])];
    for (const listener of listeners) {
      try {
        listener(argument as never);
      } catch (error) {
        report(error);
      }
    }
    return listeners.length > 0;
  }
}

/** @internal The address, relative to the page. */
export function address(url: string | URL): URL {
  return new URL(url, globalThis.location?.href);
}
