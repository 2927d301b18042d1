// The models with the edits of this client on top.

import type { Edit } from "./edit.js";
import { Presence } from "./awareness.js";
import { Mirrors, type Replica, type Send } from "./mirrors.js";
import type { Known } from "./encode.js";
import { apply, writeOp } from "./patch.js";
import { Schemas } from "./schema.js";
import { isObject, type Path, reuse, type Value } from "./value.js";

const DEAF = "the server takes no edits here";

export class Editor extends Mirrors {
  /** Edits on their way, by their proposals. */
  readonly presence = new Presence((message) => this.send(message));
  readonly #sent = new Map<unknown, { replica: Replica; edit: Edit }>();
  /** What the server tells of its types. */
  readonly schemas = new Schemas();
  #state: "lost" | "open" | "deaf" = "lost";
  #isHeard = false;

  /** `limit`: so many edits may wait for a connection. */
  constructor(
    send: Send,
    readonly limit: number,
  ) {
    super(send);
  }

  override query(): Record<string, string> {
    return { ...super.query(), schema: "1" };
  }

  override receive(message: unknown): void {
    // Another server, or the next life of this one. Until it says something, what the last one said is the best guess.
    if (!this.#isHeard) this.schemas.clear();
    this.#isHeard = true;
    if (isObject(message) && message.t === "schema") this.schemas.learn(message);
    else super.receive(message);
  }

  /** What is known of a place in a model of this type and value. */
  look(type: string, path: Path, value: Value): Known {
    return { schemas: this.schemas, place: this.schemas.at(type, path, value) };
  }

  /** Edits that waited go out as soon as the server has said what happened meanwhile. */
  override opened(takesEdits: boolean): void {
    this.#state = takesEdits ? "open" : "deaf";
    this.#isHeard = false;
    super.opened(takesEdits);
    if (takesEdits) this.presence.tell();
    else for (const replica of this.replicas.values()) if (replica.edits.length > 0) this.drop(replica, DEAF);
  }

  override isInQuestion(replica: Replica): boolean {
    return replica.edits.length > 0 || super.isInQuestion(replica);
  }

  override other(message: Record<string, unknown>): void {
    this.presence.receive(message);
  }

  override forget(replica: Replica): void {
    this.presence.forget(replica.id);
    super.forget(replica);
  }

  override lost(): void {
    super.lost();
    this.#state = "lost";
    this.presence.lost();
    for (const { edit } of this.#sent.values()) {
      edit.doubtful = true;
      edit.fail("unknown", "the connection was lost before the server answered");
    }
    this.#sent.clear();
  }

  /** Changes the model as it is shown, and proposes the change to the server. */
  edit(replica: Replica, edit: Edit): void {
    let shown;
    try {
      shown = apply(replica.shown, edit.ops);
    } catch (error) {
      return edit.fail("invalid", (error as Error).message);
    }
    if (this.#state === "deaf") return edit.fail("dropped", DEAF);
    if (this.#state === "lost" || replica.catching || !this.#propose(replica, edit)) {
      let waiting = 0;
      for (const { edits } of this.replicas.values()) waiting += edits.filter((edit) => !edit.proposal).length;
      if (waiting >= this.limit) {
        return edit.fail("dropped", waiting ? `${waiting} edits are waiting already` : "there is no connection to send it");
      }
    }
    replica.edits.push(edit);
    replica.shown = shown;
    this.changed.add(replica);
  }

  #propose(replica: Replica, edit: Edit): boolean {
    const proposal = this.propose(replica.id, edit.ops.map(writeOp));
    if (!proposal) return false;
    edit.proposal = proposal;
    this.#sent.set(proposal, { replica, edit });
    return true;
  }

  override settle(proposal: unknown, rev: number, error?: string): void {
    const sent = this.#sent.get(proposal);
    const asked = this.questions.get(proposal);
    super.settle(proposal, rev, error);
    if (asked) this.#caughtUp(asked, error);
    if (!sent) return;
    this.#sent.delete(proposal);
    const { replica, edit } = sent;
    replica.edits = replica.edits.filter((each) => each !== edit);
    if (error === undefined) edit.resolve(rev);
    else edit.fail("refused", error);
  }

  /** The server has said what happened while there was no connection, or that there is nothing to edit. */
  #caughtUp(replica: Replica, error?: string): void {
    const edits = replica.edits.filter((edit) => !edit.doubtful);
    let node = replica.confirmed;
    replica.edits = [];
    for (const edit of edits) {
      const isSent = edit.proposal;
      try {
        if (error !== undefined && !isSent) throw new Error(error);
        if (edit.again && !isSent) edit.ops = edit.change(node);
        node = apply(node, edit.ops);
      } catch (error) {
        if (!isSent) {
          edit.fail("dropped", (error as Error).message);
          continue;
        }
      }
      if (!isSent) this.#propose(replica, edit);
      replica.edits.push(edit);
    }
    this.show(replica);
  }

  override show(replica: Replica): void {
    const { edits } = replica;
    // What is in doubt would come and go while the server tells what happened; it is shown when all is known.
    if (replica.catching && edits.length > 0) return;
    if (edits.length === 0) return super.show(replica);
    let node = replica.confirmed;
    for (const edit of edits) {
      try {
        if (edit.again && !edit.proposal) edit.ops = edit.change(node);
        node = apply(node, edit.ops);
      } catch {
        // It has lost its place. The server decides; or we, when it is to be sent.
      }
    }
    replica.shown = reuse(replica.shown, node);
    this.changed.add(replica);
  }

  override drop(replica: Replica, reason: string): void {
    for (const edit of replica.edits) if (!edit.doubtful) edit.fail(edit.proposal ? "unknown" : "dropped", reason);
    replica.edits = [];
    replica.catching = false;
    this.show(replica);
  }
}
