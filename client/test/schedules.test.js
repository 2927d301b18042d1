// Any schedule of edits, deliveries and cuts, with the server as a few lines: after it, client and server agree, and no
// edit was made twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { inner } from "./support.js";

const { Edit, Editor, apply, decode, insert, plain, readOp, remove, set, tagged } = await inner();

const START = { Map: { n: { Int: 0 }, made: { List: [] }, rows: { List: [{ Int: 1 }, { Int: 2 }] } } };

const GONE = { t: "gone", id: 1 };

/** One model. Keeps a short history, refuses what does not apply and numbers above 50. */
class Server {
  constructor(epoch) {
    Object.assign(this, { epoch, rev: 0, root: decode(structuredClone(START), 0), history: [], isHidden: false });
  }

  get snapshot() {
    return { t: "snapshot", id: 1, type: "T", rev: this.rev, value: tagged(this.root), epoch: this.epoch };
  }

  open({ since, epoch }) {
    if (this.isHidden) return since ? [GONE] : [];
    const rev = since && epoch === this.epoch ? JSON.parse(since)[1] : undefined;
    const missing = this.rev - rev;
    if (!(missing >= 0 && missing <= this.history.length)) return [this.snapshot];
    return this.history.slice(this.history.length - missing);
  }

  /** What everybody gets of it, if it is taken. */
  take(ops) {
    const root = apply(this.root, structuredClone(ops).map(readOp));
    if (plain(root).n > 50) throw new Error("n: more than 50");
    this.root = root;
    this.rev += 1;
    const patch = { t: "patch", id: 1, patch: { rev: this.rev, ops } };
    this.history = [...this.history, patch].slice(-3);
    return patch;
  }

  answer({ patch: { ops }, proposal }) {
    if (this.isHidden) return [{ t: "reject", id: 1, rev: 0, error: "there is no model 1", proposal }];
    if (ops.length === 0) return [{ t: "ack", id: 1, rev: this.rev, proposal }];
    try {
      return [{ ...this.take(ops), proposal }];
    } catch (error) {
      return [this.snapshot, { t: "reject", id: 1, rev: this.rev, error: error.message, proposal }];
    }
  }
}

class World {
  server = new Server("e1");
  lives = 1;
  up = [];
  down = [];
  connected = false;
  outcomes = new Map();
  problems = [];
  edits = 0;

  constructor() {
    this.editor = new Editor((message) => this.connected && this.up.push(structuredClone(message)) > 0, 5);
  }

  connect() {
    if (this.connected) return;
    this.connected = true;
    this.down = this.server.open(this.editor.query());
    this.editor.opened(true);
  }

  /** Some of what was on its way still arrives at the server, nothing at the client. */
  cut(arriving) {
    if (!this.connected) return;
    this.connected = false;
    for (const message of this.up.slice(0, arriving)) this.server.answer(message);
    [this.up, this.down] = [[], []];
    this.editor.lost();
  }

  restart() {
    this.cut(0);
    this.server = new Server(`e${(this.lives += 1)}`);
  }

  hide() {
    if (this.connected && !this.server.isHidden) this.down.push(GONE);
    this.server.isHidden = true;
  }

  show() {
    if (this.connected && this.server.isHidden) this.down.push(this.server.snapshot);
    this.server.isHidden = false;
  }

  deliverUp() {
    const message = this.up.shift();
    if (message) this.down.push(...this.server.answer(message));
  }

  deliverDown() {
    const message = this.down.shift();
    if (!message) return;
    try {
      this.editor.receive(structuredClone(message));
    } catch (error) {
      this.problems.push(error);
      this.cut(0);
    }
  }

  host(ops) {
    const patch = this.server.take(ops);
    if (this.connected && !this.server.isHidden) this.down.push(patch);
  }

  edit(path, change, again = false) {
    const replica = this.editor.replicas.get(1);
    if (!replica) return;
    const name = (this.edits += 1);
    // Each edit leaves its name, so that one made twice is seen.
    const named = (node) => [...change(node), ...insert(["made"], 0, name)(node)];
    let edit;
    try {
      edit = new Edit(path, named, again, replica.shown);
    } catch (error) {
      assert.equal(error.kind, "invalid");
      return;
    }
    this.outcomes.set(name, []);
    const settled = (outcome) => this.outcomes.get(name).push(outcome);
    edit.promise.then(() => settled("made"), (error) => settled(error.kind));
    this.editor.edit(replica, edit);
  }
}

const number = fc.nat(60);
const index = fc.nat(3);
const step = fc.oneof(
  { weight: 60, arbitrary: fc.record({ do: fc.constantFrom("connect", "deliverUp", "deliverDown", "deliverDown") }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("cut"), arriving: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("restart") }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("hide", "show") }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("host"), index, number }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constantFrom("set", "add", "push", "remove", "whole"), index, number }) },
);

function run(world, { do: action, arriving, index, number }) {
  switch (action) {
    case "cut":
      return world.cut(arriving);
    case "host": {
      const rows = [{ Key: "rows" }];
      if (index === 0) return world.host([{ Set: { path: [{ Key: "n" }], value: { Int: Math.min(number, 50) } } }]);
      if (index === 1) return world.host([{ Set: { path: rows, value: { List: [] } } }]);
      return world.host([{ Insert: { path: rows, index: 0, value: { Int: number } } }]);
    }
    case "set":
      return world.edit(["n"], set(["n"], number));
    case "add":
      return world.edit(["n"], set(["n"], (n) => n + number), true);
    case "push":
      return world.edit(["rows"], insert(["rows"], undefined, number), true);
    case "remove":
      return world.edit(["rows", index], () => [remove(["rows", index])]);
    case "whole":
      return world.edit([], set([], (value) => ({ ...value, n: number, rows: value.rows.toReversed() })));
    default:
      return world[action]();
  }
}

test("client and server agree after any schedule", async () => {
  const seen = { made: 0, refused: 0, unknown: 0, dropped: 0, invalid: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: "max" }), async (steps) => {
      const world = new World();
      world.connect();
      world.deliverDown();
      const lives = [];
      for (const each of steps) {
        if (each.do === "restart") lives.push(plain(world.server.root).made);
        run(world, each);
        await null;
      }
      // At last everything arrives.
      const settle = () => {
        world.connect();
        while (world.up.length + world.down.length > 0) {
          world.deliverUp();
          world.deliverDown();
        }
      };
      if (world.server.isHidden) {
        settle();
        assert.equal(world.editor.replicas.size, 0, "what is gone is not shown");
      }
      world.show();
      for (let tries = 0; tries < 3; tries += 1) settle();
      await new Promise((resolve) => setImmediate(resolve));
      const replica = world.editor.replicas.get(1);
      assert.deepEqual(replica.value, plain(world.server.root));
      assert.equal(replica.shown, replica.confirmed);
      assert.deepEqual([replica.edits, replica.rev], [[], world.server.rev]);
      assert.deepEqual(world.problems, []);
      const made = [...lives.flat(), ...plain(world.server.root).made];
      assert.equal(new Set(made).size, made.length, "none twice");
      for (const [name, outcome] of world.outcomes) {
        assert.equal(outcome.length, 1, "settled once");
        seen[outcome[0]] += 1;
        if (outcome[0] === "made") assert.ok(made.includes(name));
        else if (outcome[0] !== "unknown") assert.ok(!made.includes(name), outcome[0]);
      }
    }),
    { numRuns: Number(process.env.SCHEDULES ?? 2000) },
  );
  for (const [outcome, times] of Object.entries(seen)) assert.ok(times > 100, `${outcome}: ${times}`);
});
