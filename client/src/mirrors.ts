// All models of a server as one client holds them. No sockets and no clock: messages go in, and `send` is given what has
// to go out.

import type { Edit } from "./edit.js";
import { apply, readOp, writeOp } from "./patch.js";
import { type Node, decode, isCount, isObject, malformed, plain, reuse, type Value } from "./value.js";

/** Revisions were missed; what is there is good, and the server has the rest. */
export class Gap extends Error {}

/** One model. `confirmed` is what the server said, `shown` has the edits without an answer on top. */
export class Replica {
  type = "";
  /** Unknown when the server has to say it all again. */
  rev: number | undefined;
  confirmed: Node = null;
  shown: Node = null;
  edits: Edit[] = [];
  /** What the server has said since the connection came back may be incomplete, so that edits wait. */
  catching = false;

  constructor(readonly id: number) {}

  get value(): Value {
    return plain(this.shown);
  }

  /** Puts the edits on top of what the server said. */
  rebase(): void {
    let node = this.confirmed;
    for (const edit of this.edits) {
      try {
        if (edit.again && !edit.proposal) edit.ops = edit.change(node);
        node = apply(node, edit.ops);
      } catch {
        // It has lost its place. The server, or the moment it would be sent, decides.
      }
    }
    this.shown = reuse(this.shown, node);
    // Then parts that are equal are also the same.
    if (this.edits.length === 0) this.confirmed = this.shown;
  }
}

export interface MirrorsOptions {
  /** Edits that wait for a connection. */
  queue: number;
  /** Hands a message to the connection, or returns false. */
  send(message: unknown): boolean;
}

export class Mirrors {
  readonly replicas = new Map<number, Replica>();
  /** Replicas whose shown value may be another since this was last emptied. */
  readonly changed = new Set<Replica>();
  /** A proposal and whose it is: an edit, or the question whether all has been said, which changes nothing. */
  readonly #proposals = new Map<unknown, { replica: Replica; edit?: Edit | undefined }>();
  #named = 0;
  #epoch = "";
  #connected = false;
  readonly #options: MirrorsOptions;

  constructor(options: MirrorsOptions) {
    this.#options = options;
  }

  /** What to ask for when connecting: to go on where the replicas are. */
  query(): Record<string, string> {
    const since = [...this.replicas.values()].filter(({ rev }) => rev !== undefined).map(({ id, rev }) => [id, rev]);
    return {
      batch: "1",
      epoch: this.#epoch,
      ...(since.length > 0 && { since: JSON.stringify(Object.fromEntries(since)) }),
    };
  }

  /** There is a connection. Edits that waited go out as soon as the server has said what happened meanwhile. */
  opened(): void {
    this.#connected = true;
    for (const replica of this.replicas.values()) if (replica.edits.length > 0) this.#ask(replica);
  }

  /** The connection is gone, and with it the answers that were awaited. */
  lost(): void {
    this.#connected = false;
    this.#proposals.clear();
    for (const replica of this.replicas.values()) {
      replica.catching = false;
      for (const edit of replica.edits) {
        if (edit.proposal && !edit.doubtful) {
          edit.doubtful = true;
          edit.fail("unknown", "the connection was lost before the server answered");
        }
      }
    }
  }

  /** The next connection gets everything anew. Until then the last values remain. */
  distrust(): void {
    for (const replica of this.replicas.values()) replica.rev = undefined;
  }

  /** No edit goes out any more. */
  drop(reason: string): void {
    for (const replica of this.replicas.values()) this.#drop(replica, reason);
  }

  /** Has the server say something, if it is there. */
  probe(): void {
    const [replica] = this.replicas.values();
    this.#propose(replica ?? new Replica(0));
  }

  /** Takes in a message. Throws if it does not fit; replicas are as before then. */
  receive(message: unknown): void {
    if (!isObject(message)) return malformed("not a message");
    if (message.t === "batch") {
      if (!Array.isArray(message.msgs)) return malformed("a batch without messages");
      for (const each of message.msgs) {
        if (isObject(each) && each.t === "batch") malformed("a batch in a batch");
        this.receive(each);
      }
      return;
    }
    const { t, id } = message;
    if (t !== "snapshot" && t !== "patch" && t !== "ack" && t !== "reject") return; // kinds of a newer server
    if (!isCount(id)) return malformed("no id");
    if (t === "snapshot") return this.#snapshot(id, message);
    if (t === "patch") return this.#patch(id, message);
    if (!isCount(message.rev)) return malformed("no revision");
    if (t === "ack") return this.#settle(message.proposal, message.rev);
    if (typeof message.error !== "string") return malformed("a reject without an error");
    this.#refused(message.proposal, message.error);
  }

  #snapshot(id: number, { type, rev, value, epoch }: Record<string, unknown>): void {
    if (typeof type !== "string" || !isCount(rev)) return malformed("a snapshot");
    const node = decode(value, 0);
    let replica = this.replicas.get(id);
    if (typeof epoch === "string" && epoch !== this.#epoch) {
      const isFirst = this.#epoch === "";
      this.#epoch = epoch;
      if (!isFirst) this.#another(id);
    }
    if (!replica) this.replicas.set(id, (replica = new Replica(id)));
    if (replica.type && replica.type !== type) this.#drop(replica, `the model is a ${type} now`);
    Object.assign(replica, { type, rev, confirmed: reuse(replica.confirmed, node) });
    this.#show(replica);
  }

  /** Another life of the server: its models are others. Those of the former one stay until it is known whether it has
   * them, too. */
  #another(first: number): void {
    this.distrust();
    for (const replica of this.replicas.values()) {
      if (replica.id !== first && !replica.catching && !this.#ask(replica)) this.#forget(replica);
    }
  }

  #forget(replica: Replica): void {
    this.#drop(replica, "the server has no such model any more");
    this.replicas.delete(replica.id);
    this.changed.add(replica);
  }

  #patch(id: number, { patch, base, proposal }: Record<string, unknown>): void {
    if (!isObject(patch) || !isCount(patch.rev) || !Array.isArray(patch.ops)) return malformed("a patch");
    if ((base ?? null) !== null && !isCount(base)) return malformed("a base");
    const { rev } = patch;
    const ops = patch.ops.map(readOp);
    const replica = this.replicas.get(id);
    if (replica?.rev === undefined) return malformed(`a patch of model ${id} before its snapshot`);
    if (rev > replica.rev) {
      // A server that tells no epoch may leave out revisions that changed nothing.
      if (this.#epoch && (base ?? rev - 1) !== replica.rev) {
        throw new Gap(`model ${id} is at revision ${replica.rev}, a patch leads from ${base ?? rev - 1} to ${rev}`);
      }
      replica.confirmed = apply(replica.confirmed, ops);
      replica.rev = rev;
    }
    this.#take(proposal)?.resolve(rev);
    this.#show(replica);
  }

  /** Changes the model as it is shown, and proposes the change to the server. */
  edit(replica: Replica, edit: Edit): void {
    let shown: Node;
    try {
      shown = apply(replica.shown, edit.ops);
    } catch (error) {
      return edit.fail("invalid", (error as Error).message);
    }
    if (!this.#connected || replica.catching || !this.#propose(replica, edit)) {
      let waiting = 0;
      for (const each of this.replicas.values()) waiting += each.edits.filter((edit) => !edit.proposal).length;
      if (waiting >= this.#options.queue) {
        return edit.fail("dropped", waiting ? `${waiting} edits are waiting already` : "there is no connection to send it");
      }
    }
    replica.edits.push(edit);
    replica.shown = reuse(replica.shown, shown);
    this.changed.add(replica);
  }

  #propose(replica: Replica, edit?: Edit): boolean {
    const proposal = `auto-${this.#named + 1}`;
    const ops = edit?.ops.map(writeOp) ?? [];
    if (!this.#options.send({ t: "patch", id: replica.id, patch: { rev: 0, ops }, proposal })) return false;
    this.#named += 1;
    if (edit) edit.proposal = proposal;
    this.#proposals.set(proposal, { replica, edit });
    return true;
  }

  /** Proposes nothing. The answer comes behind all that the server has to say. */
  #ask(replica: Replica): boolean {
    return (replica.catching = this.#propose(replica));
  }

  #take(proposal: unknown): Edit | undefined {
    const known = this.#proposals.get(proposal);
    if (!known) return undefined;
    this.#proposals.delete(proposal);
    const { replica, edit } = known;
    if (edit) {
      replica.edits = replica.edits.filter((each) => each !== edit);
      this.#show(replica);
    } else {
      this.#caughtUp(replica);
    }
    return edit;
  }

  #settle(proposal: unknown, rev: number): void {
    if (typeof proposal !== "string") return malformed("an ack of nothing");
    this.#take(proposal)?.resolve(rev);
  }

  #refused(proposal: unknown, error: string): void {
    const known = this.#proposals.get(proposal);
    // Refusing the question is telling that there is no such model, or that it cannot be edited.
    if (known && !known.edit) {
      const { replica } = known;
      this.#proposals.delete(proposal);
      if (replica.rev === undefined) return this.#forget(replica);
      for (const edit of replica.edits) if (!edit.proposal) edit.fail("dropped", error);
      replica.edits = replica.edits.filter((edit) => edit.proposal);
      return this.#caughtUp(replica);
    }
    this.#take(proposal)?.fail("refused", error);
  }

  /** The server has said what happened while there was no connection. */
  #caughtUp(replica: Replica): void {
    replica.catching = false;
    const edits = replica.edits.filter((edit) => !edit.doubtful);
    let node = replica.confirmed;
    replica.edits = [];
    for (const edit of edits) {
      try {
        if (edit.again && !edit.proposal) edit.ops = edit.change(node);
        node = apply(node, edit.ops);
      } catch (error) {
        if (!edit.proposal) {
          edit.fail("dropped", (error as Error).message);
          continue;
        }
      }
      if (!edit.proposal) this.#propose(replica, edit);
      replica.edits.push(edit);
    }
    this.#show(replica);
  }

  /** Gives up the edits of a replica. */
  #drop(replica: Replica, reason: string): void {
    for (const edit of replica.edits) {
      if (!edit.doubtful) edit.fail(edit.proposal ? "unknown" : "dropped", reason);
    }
    replica.edits = [];
    replica.catching = false;
    this.#show(replica);
  }

  #show(replica: Replica): void {
    // What is in doubt would come and go while the server tells what happened; it is shown when all is known.
    if (replica.catching && replica.edits.length > 0) return;
    replica.rebase();
    this.changed.add(replica);
  }
}
