// All models of a server as one client holds them. No sockets and no clock: messages go in, and `send` is given what has
// to go out.

import type { Edit } from "./edit.js";
import { apply, readOp } from "./patch.js";
import { decode, isCount, isObject, malformed, type Node, plain, reuse, type Value } from "./value.js";

/** Revisions were missed; what is there is good, and the server has the rest. */
export class Gap extends Error {}

/** One model. */
export class Replica {
  type = "";
  /** Unknown when the server has to say it all again. */
  rev: number | undefined;
  /** What the server said. */
  confirmed: Node = null;
  /** The same with the edits on top that have no answer. */
  shown: Node = null;
  edits: Edit[] = [];
  /** What the server has said since the connection came about may be incomplete: it was asked. */
  catching = false;

  constructor(readonly id: number) {}

  get value(): Value {
    return plain(this.shown);
  }
}

/** Hands a message to the connection; false if it certainly does not go out. */
export type Send = (message: unknown) => boolean;

export class Mirrors {
  readonly replicas = new Map<number, Replica>();
  /** Replicas whose shown value may be another since this was last emptied. */
  readonly changed = new Set<Replica>();
  readonly send: Send;
  /** Proposals of nothing, and what they are about. */
  readonly questions = new Map<unknown, Replica>();
  #named = 0;
  #epoch = "";
  /** Whether the server was told of {@link query}. */
  hasAsked = false;

  constructor(send: Send) {
    this.send = send;
  }

  /** What to ask for when connecting: to go on where the replicas are. */
  query(): Record<string, string> {
    const since = [...this.replicas.values()].filter(({ rev }) => rev !== undefined).map(({ id, rev }) => [id, rev]);
    return {
      batch: "1",
      ops: "splice,stamp",
      gone: "1",
      epoch: this.#epoch,
      ...(since.length > 0 && { since: JSON.stringify(Object.fromEntries(since)) }),
    };
  }

  /** Whether the server has what was asked for: those do that tell their epoch. */
  get isOurs(): boolean {
    return this.hasAsked && this.#epoch !== "";
  }

  /** There is a connection, on which edits can be sent or not. */
  opened(takesEdits: boolean): void {
    if (takesEdits) for (const replica of this.replicas.values()) if (this.isInQuestion(replica)) this.ask(replica);
  }

  /** Whether the server has to be asked: of what it is to tell anew it does not say that it is gone. */
  isInQuestion(replica: Replica): boolean {
    return replica.rev === undefined && this.isOurs;
  }

  /** The connection is gone, and with it the answers that were awaited. */
  lost(): void {
    this.questions.clear();
    for (const replica of this.replicas.values()) replica.catching = false;
  }

  /** The next connection gets everything anew. Until then the last values remain. */
  distrust(): void {
    for (const replica of this.replicas.values()) replica.rev = undefined;
  }

  /** Takes in a message. Throws if it does not fit; replicas are as before then. */
  receive(message: unknown): void {
    if (!isObject(message)) return malformed("not a message");
    const { t, id, rev, msgs, error, proposal } = message;
    if (t === "batch") {
      if (!Array.isArray(msgs)) return malformed("batch");
      for (const each of msgs) {
        if (isObject(each) && each.t === t) malformed("a batch in a batch");
        this.receive(each);
      }
    } else if (t === "snapshot" || t === "patch" || t === "ack" || t === "reject") {
      if (!isCount(id)) return malformed("id");
      if (t === "snapshot") return this.#snapshot(id, message);
      if (t === "patch") return this.#patch(id, message);
      if (!isCount(rev) || (t === "ack" ? typeof proposal : typeof error) !== "string") return malformed(t);
      const replica = this.replicas.get(id);
      this.settle(proposal, rev, error as string | undefined);
      if (replica) this.show(replica);
    } else if (t === "gone") {
      const replica = isCount(id) && this.replicas.get(id);
      if (replica) this.forget(replica);
    } else this.other(message);
  }

  /** A message that says nothing of what a model holds, or of a kind that a newer server has. */
  other(_message: Record<string, unknown>): void {}

  #snapshot(id: number, { type, rev, value, epoch }: Record<string, unknown>): void {
    if (typeof type !== "string" || !isCount(rev)) return malformed("snapshot");
    const node = decode(value, 0);
    if (typeof epoch === "string" && epoch !== this.#epoch) {
      if (this.#epoch) this.#another(id);
      this.#epoch = epoch;
    }
    const replica = this.replicas.get(id) ?? new Replica(id);
    this.replicas.set(id, replica);
    if (replica.type && replica.type !== type) this.drop(replica, `the model is a ${type} now`);
    Object.assign(replica, { type, rev, confirmed: reuse(replica.confirmed, node) });
    this.show(replica);
  }

  /** Another life of the server: its models are others. Those of the former one stay until it is known whether it has
   * them, too. */
  #another(id: number): void {
    this.distrust();
    for (const replica of this.replicas.values()) {
      if (replica.id !== id && !replica.catching && !this.ask(replica)) this.forget(replica);
    }
  }

  forget(replica: Replica): void {
    this.drop(replica, "the server has no such model any more");
    if (this.replicas.get(replica.id) === replica) this.replicas.delete(replica.id);
    this.changed.add(replica);
  }

  #patch(id: number, { patch, base, proposal }: Record<string, unknown>): void {
    if (!isObject(patch) || !isCount(patch.rev) || !Array.isArray(patch.ops)) return malformed("patch");
    const { rev } = patch;
    const from = base ?? rev - 1;
    const ops = patch.ops.map(readOp);
    const replica = this.replicas.get(id);
    if (replica?.rev === undefined) return malformed(`a patch of model ${id} before its snapshot`);
    if (rev > replica.rev) {
      // A server that tells no epoch may leave out revisions that changed nothing.
      if (this.#epoch && from !== replica.rev) {
        throw new Gap(`model ${id} is at revision ${replica.rev}, a patch leads from ${from} to ${rev}`);
      }
      const { confirmed, shown, edits } = replica;
      replica.confirmed = apply(confirmed, ops);
      // Parts that are equal are the same already.
      if (shown === confirmed && edits.length === 0) replica.shown = replica.confirmed;
      replica.rev = rev;
    }
    this.settle(proposal, rev);
    this.show(replica);
  }

  /** The answer to a proposal. */
  settle(proposal: unknown, _rev: number, error?: string): void {
    const replica = this.questions.get(proposal);
    if (!replica) return;
    this.questions.delete(proposal);
    replica.catching = false;
    if (error !== undefined && replica.rev === undefined) this.forget(replica);
  }

  /** The server said something of it. */
  show(replica: Replica): void {
    // Parts that are equal are also the same.
    if (replica.shown !== replica.confirmed) replica.shown = replica.confirmed = reuse(replica.shown, replica.confirmed);
    this.changed.add(replica);
  }

  /** Nothing comes of its edits. */
  drop(_replica: Replica, _reason: string): void {}

  /** Proposes ops; the name of the proposal, unless it certainly does not go out. */
  propose(id: number, ops: unknown[]): string | undefined {
    const proposal = `auto-${(this.#named += 1)}`;
    // What the edit was made of. A server that was not asked may take it for something else.
    const rev = (ops.length > 0 && this.isOurs && this.replicas.get(id)?.rev) || 0;
    return this.send({ t: "patch", id, patch: { rev, ops }, proposal }) ? proposal : undefined;
  }

  /** Proposes nothing. The answer comes behind all that the server has to say. */
  ask(replica: Replica): boolean {
    const proposal = this.propose(replica.id, []);
    if (proposal) this.questions.set(proposal, replica);
    return (replica.catching = !!proposal);
  }

  /** Has the server say something, if it is there. */
  probe(): void {
    const [replica] = this.replicas.keys();
    this.propose(replica ?? 0, []);
  }
}
