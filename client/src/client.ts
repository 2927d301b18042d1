import { MirrorClient, type Options as ConnectionOptions, type Plan } from "./connection.js";
import { Awareness } from "./awareness.js";
import { type Change, Edit, EditError, insert, remove, set, splice } from "./edit.js";
import { Editor } from "./editor.js";
import { type Host, type Key, Mirror } from "./handle.js";
import type { Op } from "./patch.js";
import type { Path, Value } from "./value.js";

export interface Options extends ConnectionOptions {
  /** Edits made without a connection wait, so many of them at most: 100 by default. They are sent once there is one.
   * With 0 they are refused at once. */
  queue?: number;
}

/** A server's models, kept up to date, to be edited. Made by {@link connect}. */
export class Client extends MirrorClient {
  /** @internal */
  constructor(plan: Plan, options: Options) {
    super(plan, options, (send) => new Editor(send, options.queue ?? 100), Model);
  }

  override model<T = any>(key: Key): Model<T> {
    return super.model(key) as Model<T>;
  }

  /** What those who see a shared model of a hub tell each other beside it. `S` is the type of a state, as JSON has it. */
  awareness<S = any>(key: Key): Awareness<S> {
    return new Awareness(this.model(key), (this.mirrors as Editor).presence);
  }
}

/** A model to be edited. Its value has the edits in it that are on their way. */
export class Model<T = any> extends Mirror<T> {
  readonly #client: Client;

  /** @internal */
  constructor(key: Key, client: Host) {
    super(key, client);
    this.#client = client as Client;
  }

  /** Edits without an answer. */
  get pending(): number {
    return this.replica?.edits.length ?? 0;
  }

  /** Puts `value` into the place at `path`; `[]` is the whole model. A function is given the present value of the place,
   * and called again if that changes before the edit is sent. Only what differs from the value shown is sent, so that
   * changes others make to the rest stay.
   *
   * It shows at once. The promise resolves with the server's revision, or rejects with an {@link EditError}, and the
   * change is gone. */
  edit(path: Path, value: unknown): Promise<number> {
    return this.#edit(path, set(path, value, this.#look), typeof value === "function");
  }

  /** Puts an item into the list at `path`, before item `index`. */
  insert(path: Path, index: number, value: unknown): Promise<number> {
    return this.#edit(path, insert(path, index, value, this.#look), false);
  }

  /** Puts an item at the end of the list at `path`. */
  push(path: Path, value: unknown): Promise<number> {
    return this.#edit(path, insert(path, undefined, value, this.#look), true);
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

  /** Puts `insert` in the place of `count` units of the text at `path`, from unit `start` on: units as `String.slice` counts
   * them. Where the server knows how, that part goes out and not the whole text. */
  splice(path: Path, start: number, count: number, insert: string): Promise<number> {
    return this.#edit(path, splice(path, start, count, insert, () => this.#client.mirrors.isOurs), false);
  }

  readonly #look = (path: Path, value: Value) => (this.#client.mirrors as Editor).look(this.type!, path, value);

  #op(path: Path, op: Op): Promise<number> {
    return this.#edit(path, () => [op], false);
  }

  async #edit(path: Path, change: Change, again: boolean): Promise<number> {
    const { replica } = this;
    if (this.#client.state === "stopped") throw new EditError("dropped", path, "stopped");
    if (!replica) throw new EditError("invalid", path, `there is no model ${this.key} yet`);
    const edit = new Edit([...path], change, again, replica.shown);
    (this.#client.mirrors as Editor).edit(replica, edit);
    this.#client.flush();
    return edit.promise;
  }
}
