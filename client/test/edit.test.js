// Edits: shown at once, sent once, settled once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { connect, EditError } from "../dist/index.js";
import { WebSocket, copy, event, float, int, list, map, patch, segments, serverForEach, set, snapshot, str, until } from "./support.js";

let fake, client, model, peer;

const start = async (value, options = {}) => {
  client = connect(fake.url, { WebSocket, ...options });
  client.on("problem", () => {});
  model = client.model(1);
  peer = await fake.peer();
  peer.send(snapshot(value, 5));
  await model.ready();
};

/** The connection breaks, and the client has another. */
const again = async () => {
  const lost = event(client, "state", (state) => state === "waiting");
  peer.cut();
  await lost;
};

/** An edit whose answer the test does not wait for. */
const unanswered = (edit) => void edit.catch(() => {});

serverForEach(
  (server) => (fake = server),
  () => client?.stop(),
);

describe("an edit", () => {
  test("shows at once, and resolves with the revision of its echo", async () => {
    await start(map({ a: int(1), b: map({}) }));
    const { b } = model.value;
    let calls = 0;
    model.on(() => (calls += 1));
    const edit = model.edit(["a"], 2);
    assert.equal(model.value.a, 2);
    assert.equal(model.pending, 1);
    const shown = model.value;
    const sent = await peer.next();
    assert.deepEqual(sent, patch(5, [set(["a"], int(2))], { proposal: "auto-1" }), "with the revision that it was made of");
    peer.send(patch(6, sent.patch.ops, { proposal: sent.proposal }));
    assert.equal(await edit, 6);
    assert.equal(model.value, shown, "the same object");
    assert.equal(model.value.b, b);
    assert.deepEqual([calls, model.pending, model.rev], [1, 0, 6]);
  });

  test("resolves by an ack when nothing changed", async () => {
    await start(map({ a: int(1) }));
    const edit = model.edit(["a"], 1);
    const { patch: { ops }, proposal } = await peer.next();
    assert.deepEqual(ops, [set(["a"], int(1))]);
    peer.send({ t: "ack", id: 1, rev: 5, proposal });
    assert.equal(await edit, 5);
  });

  test("that is refused is taken back once, with path and reason", async () => {
    await start(map({ a: int(1) }));
    const values = [];
    model.on(["a"], (value) => values.push(value));
    const edit = model.edit(["a"], 101);
    const { proposal } = await peer.next();
    peer.send(snapshot(map({ a: int(1) }), 5), { t: "reject", id: 1, rev: 5, error: "a: 101 is too much", proposal });
    await assert.rejects(edit, (error) => {
      assert.ok(error instanceof EditError);
      assert.deepEqual([error.kind, error.path, error.reason], ["refused", ["a"], "a: 101 is too much"]);
      return true;
    });
    assert.deepEqual(values, [101, 1]);
  });

  test("is put on top of what others change meanwhile", async () => {
    await start(map({ a: int(1), l: list(str("x")) }));
    const edit = model.push(["l"], "mine");
    const { patch: { ops }, proposal } = await peer.next();
    assert.deepEqual(ops, [{ Insert: { path: segments(["l"]), index: 1, value: str("mine") } }]);
    peer.send(patch(6, [set(["a"], int(9)), { RemoveAt: { path: segments(["l"]), index: 0 } }, { Insert: { path: segments(["l"]), index: 0, value: str("y") } }]));
    await until(model, ({ a }) => a === 9);
    assert.deepEqual(copy(model.value), { a: 9, l: ["y", "mine"] });
    peer.send(patch(7, ops, { proposal }));
    assert.equal(await edit, 7);
    assert.deepEqual(copy(model.value.l), ["y", "mine"]);
  });

  test("that lost its place shows no more, until the server decides", async () => {
    await start(map({ l: list(int(1)) }));
    const edit = model.edit(["l", 0], 2);
    const { proposal } = await peer.next();
    peer.send(patch(6, [set(["l"], list())]));
    await until(model, ({ l }) => l.length === 0);
    peer.send(snapshot(map({ l: list() }), 6), { t: "reject", id: 1, rev: 6, error: "l[0]: no such item", proposal });
    await assert.rejects(edit, { kind: "refused" });
  });

  test("of the whole model sends what differs, and nothing of what others changed", async () => {
    const row = (id) => map({ id: int(id), f: float(0.5) });
    await start(map({ a: int(1), f: float(2), rows: list(row(1), row(2), row(3)), gone: str("x") }));
    const { gone, ...rest } = model.value;
    const [one, two, three] = rest.rows;
    unanswered(model.edit([], { ...rest, f: 3, rows: [one, { ...two, f: 7 }, three], more: [1.5, "x", null, true] }));
    const { patch: { ops } } = await peer.next();
    assert.deepEqual(ops, [
      set(["f"], float(3)),
      set(["rows", 1, "f"], float(7)),
      set(["more"], list(float(1.5), str("x"), "Null", { Bool: true })),
      { Remove: { path: segments(["gone"]) } },
    ]);
  });

  test("of a list is as few ops as there can be", async () => {
    await start(list(...[1, 2, 3, 4, 5].map((id) => map({ id: int(id) }))));
    const [a, b, c, d, e] = model.value;
    const expected = [
      [[a, b, d, e], [{ RemoveAt: { path: [], index: 2 } }]],
      [[a, b, { id: 9 }, d, e], [{ Insert: { path: [], index: 2, value: map({ id: int(9) }) } }]],
      [[b, { id: 9 }, d, e, a], [{ Move: { path: [], from: 0, to: 4 } }]],
      [[a, b, { id: 9 }, d, e], [{ Move: { path: [], from: 4, to: 0 } }]],
      [[e, { id: 9 }, a, b, d], [{ Reorder: { path: [], order: [4, 2, 0, 1, 3] } }]],
    ];
    for (const [wanted, ops] of expected) {
      const value = wanted.map((item) => (item.id === 9 ? (model.value.find(({ id }) => id === 9) ?? item) : item));
      unanswered(model.edit([], value));
      assert.deepEqual((await peer.next()).patch.ops, ops);
      assert.deepEqual(copy(model.value), copy(value));
    }
    void c;
  });

  test("with list operations", async () => {
    await start(map({ l: list(int(0), int(1), int(2)), m: map({ k: int(1) }) }));
    const path = segments(["l"]);
    unanswered(model.insert(["l"], 1, 7));
    unanswered(model.move(["l"], 0, 3));
    unanswered(model.remove(["l", 0]));
    unanswered(model.reorder(["l"], [2, 0, 1]));
    unanswered(model.remove(["m", "k"]));
    assert.deepEqual(copy(model.value), { l: [0, 1, 2], m: {} });
    const ops = [];
    for (let index = 0; index < 5; index += 1) ops.push(...(await peer.next()).patch.ops);
    assert.deepEqual(ops, [
      { Insert: { path, index: 1, value: int(7) } },
      { Move: { path, from: 0, to: 3 } },
      { RemoveAt: { path, index: 0 } },
      { Reorder: { path, order: [2, 0, 1] } },
      { Remove: { path: segments(["m", "k"]) } },
    ]);
  });

  test("of a part of a text is sent as that part", async () => {
    await start(map({ t: str("a😀bc"), n: int(1) }));
    const edits = [model.splice(["t"], 3, 1, "ä€"), model.splice(["t"], 0, 3, "")];
    assert.equal(model.value.t, "ä€c");
    const splice = (at, count, insert) => ({ Splice: { path: segments(["t"]), at, delete: count, insert } });
    const sent = [await peer.next(), await peer.next()];
    assert.deepEqual(sent.map(({ patch: { ops } }) => ops), [[splice(2, 1, "ä€")], [splice(0, 2, "")]], "in Unicode's characters");
    sent.forEach(({ patch: { ops }, proposal }, index) => peer.send(patch(6 + index, ops, { proposal })));
    assert.deepEqual([await Promise.all(edits), model.value.t], [[6, 7], "ä€c"]);
    for (const [start, count, insert] of [[0, 4, ""], [-1, 0, ""], [0.5, 0, ""], [4, 0, ""], [0, 0, "\ud800"]]) {
      await assert.rejects(model.splice(["t"], start, count, insert), { kind: "invalid" }, [start, count, insert].join());
    }
    await assert.rejects(model.splice(["n"], 0, 0, ""), { kind: "invalid", reason: "not a text" });
    unanswered(model.edit(["t"], "😀"));
    await peer.next();
    await assert.rejects(model.splice(["t"], 1, 0, "x"), { kind: "invalid", reason: "half a surrogate pair cannot travel" });
  });

  test("of a part of a text is sent whole to a published server", async () => {
    client = connect(fake.url, { WebSocket });
    model = client.model(1);
    peer = await fake.peer();
    peer.send(snapshot(map({ t: str("abc") }), 5, { epoch: undefined }));
    await model.ready();
    unanswered(model.splice(["t"], 1, 1, "x"));
    assert.deepEqual((await peer.next()).patch, { rev: 0, ops: [set(["t"], str("axc"))] });
  });

  test("keeps numbers of the kind they are", async () => {
    await start(map({ float: float(1), int: int(1), list: list(float(0.5)), sub: { Submodel: 7 } }));
    unanswered(model.edit([], { float: 2, int: 2, list: [1, 2], sub: 8, new: 3, other: 0.5, big: 2n ** 60n, small: 5n, minus: -0 }));
    unanswered(model.edit(["list", 0], 4));
    unanswered(model.push(["list"], 5));
    unanswered(model.insert(["list"], 0, -1));
    const text = [];
    peer.socket.on("message", (data) => text.push(String(data)));
    for (let index = 0; index < 4; index += 1) await peer.next();
    const ops = JSON.parse(text[0]).patch.ops.map(({ Set }) => Set?.value);
    assert.deepEqual(ops.slice(0, 6), [float(2), int(2), float(1), undefined, { Submodel: 8 }, int(3)]);
    assert.match(text[0], /\{"Float":2\.0\}/);
    assert.match(text[0], /\{"Int":1152921504606846976\}/);
    assert.match(text[0], /"minus"\}\],"value":\{"Int":0\}/);
    assert.match(text[1], /\{"Float":4\.0\}/);
    assert.match(text[2], /\{"Float":5\.0\}/);
    assert.match(text[3], /\{"Float":-1\.0\}/);
  });

  test("that cannot travel is refused here", async () => {
    await start(map({ a: int(1), l: list() }));
    const loop = {};
    loop.loop = loop;
    for (const value of [NaN, Infinity, 2 ** 60, 2n ** 63n, undefined, Symbol("x"), new Date(), /x/, "\ud800", { "\ud800": 1 }, loop, [,], new Map([[1, 1]])]) {
      await assert.rejects(model.edit(["a"], value), (error) => error.kind === "invalid", String(value));
    }
    for (const path of [["b", "c"], ["l", 0], ["l", "x"], [0], ["a", "x"]]) {
      await assert.rejects(model.edit(path, 1), { kind: "invalid", path });
    }
    await assert.rejects(model.edit([], () => { throw new Error("no"); }), { kind: "invalid", reason: "no" });
    await assert.rejects(client.model("X").edit([], 1), { kind: "invalid", reason: "there is no model X yet" });
    assert.equal(peer.received.length, 0);
    assert.deepEqual(copy(model.value), { a: 1, l: [] });
  });
});

describe("without a connection", () => {
  test("edits wait, are put on the newer state, and are sent once", async () => {
    await start(map({ a: int(1), b: int(1) }));
    await again();
    const edits = [model.edit(["a"], 2), model.edit(["b"], (b) => b + 10), model.push(["gone"], 1).catch((error) => error.kind)];
    assert.deepEqual(copy(model.value), { a: 2, b: 11 });
    peer = await fake.peer();
    const question = await peer.next();
    assert.deepEqual(question.patch.ops, []);
    // What happened meanwhile comes first; edits made now queue up behind.
    edits.push(model.edit(["c"], 1));
    peer.send(patch(6, [set(["b"], int(5))]));
    peer.send({ t: "ack", id: 1, rev: 6, proposal: question.proposal });
    const sent = [await peer.next(), await peer.next(), await peer.next()];
    assert.deepEqual(sent.map((message) => message.patch.ops), [[set(["a"], int(2))], [set(["b"], int(15))], [set(["c"], int(1))]]);
    assert.deepEqual(copy(model.value), { a: 2, b: 15, c: 1 });
    sent.forEach(({ patch: { ops }, proposal }, index) => peer.send(patch(7 + index, ops, { proposal })));
    assert.deepEqual(await Promise.all(edits), [7, 8, "invalid", 9]);
    await again();
    peer = await fake.peer();
    const edit = model.edit(["a"], 3);
    assert.deepEqual((await peer.next()).patch.ops.length <= 1, true);
    client.stop();
    await assert.rejects(edit);
  });

  test("no more wait than may", async () => {
    await start(map({ a: int(1) }), { queue: 2 });
    await again();
    const edits = [2, 3].map((value) => model.edit(["a"], value));
    await assert.rejects(model.edit(["a"], 4), { kind: "dropped", reason: "2 edits are waiting already" });
    assert.equal(model.value.a, 3);
    client.stop();
    for (const edit of edits) await assert.rejects(edit, { kind: "dropped", reason: "stopped" });
    assert.equal(model.value.a, 1);
    await assert.rejects(model.edit(["a"], 4), { kind: "dropped", reason: "stopped" });
  });

  test("or none waits", async () => {
    await start(map({ a: int(1) }), { queue: 0 });
    await again();
    await assert.rejects(model.edit(["a"], 4), { kind: "dropped", reason: "there is no connection to send it" });
    assert.equal(model.value.a, 1);
  });

  test("an edit that has lost its place is dropped", async () => {
    await start(map({ l: list(int(1)) }));
    await again();
    const edit = model.edit(["l", 0], 2);
    peer = await fake.peer();
    const { proposal } = await peer.next();
    peer.send(patch(6, [set(["l"], list())]), { t: "ack", id: 1, rev: 6, proposal });
    await assert.rejects(edit, { kind: "dropped", path: ["l", 0], reason: "index 0 is out of bounds" });
  });

  test("edits of a model that is gone are dropped", async () => {
    await start(map({ a: int(1) }));
    await again();
    const edit = model.edit(["a"], 2);
    peer = await fake.peer();
    const { proposal } = await peer.next();
    peer.send(snapshot(map({}), 0, { id: 2, epoch: "00000000000000e2" }));
    peer.send({ t: "reject", id: 1, rev: 0, error: "there is no model 1", proposal });
    await assert.rejects(edit, { kind: "dropped", reason: "the server has no such model any more" });
    assert.equal(model.value, undefined);
  });

  test("edits of a model that is of another type are dropped", async () => {
    await start(map({ a: int(1) }));
    await again();
    const edit = model.edit(["a"], 2);
    peer = await fake.peer();
    await peer.next();
    peer.send(snapshot(map({ b: int(1) }), 0, { type: "U", epoch: "00000000000000e2" }));
    await assert.rejects(edit, { kind: "dropped", reason: "the model is a U now" });
    assert.deepEqual({ ...model.value }, { b: 1 });
  });

  test("edits go to a server that has restarted", async () => {
    await start(map({ a: int(1) }));
    await again();
    const edit = model.edit(["a"], 2);
    peer = await fake.peer();
    const { proposal } = await peer.next();
    peer.send(snapshot(map({ a: int(0) }), 0, { epoch: "00000000000000e2" }), { t: "ack", id: 1, rev: 0, proposal });
    const sent = await peer.next();
    assert.deepEqual(sent.patch.ops, [set(["a"], int(2))]);
    peer.send(patch(1, sent.patch.ops, { proposal: sent.proposal }));
    assert.equal(await edit, 1);
  });
});

describe("an edit on its way when the connection breaks", () => {
  for (const [made, resumed] of [[true, [patch(6, [{ Insert: { path: segments(["l"]), index: 0, value: int(1) } }])]], [false, []]]) {
    test(`is in doubt and never sent again; the server had ${made ? "" : "not "}made it`, async () => {
      await start(map({ l: list() }));
      const edit = model.push(["l"], 1);
      await peer.next();
      const lengths = [];
      model.on((value) => lengths.push(value.l.length));
      await again();
      await assert.rejects(edit, { kind: "unknown", path: ["l"] });
      assert.equal(model.value.l.length, 1, "on show until the server tells");
      peer = await fake.peer();
      const question = await peer.next();
      assert.deepEqual(question.patch.ops, []);
      peer.send(...resumed, { t: "ack", id: 1, rev: 6, proposal: question.proposal });
      const next = model.edit(["x"], 1);
      assert.deepEqual((await peer.next()).patch.ops, [set(["x"], int(1))]);
      assert.deepEqual(copy(model.value), { l: made ? [1] : [], x: 1 });
      assert.ok(lengths.every((length, index) => index === 0 || length === lengths.at(-1)), `no flicker: ${lengths}`);
      client.stop();
      await assert.rejects(next, { kind: "unknown" });
    });
  }
});
