// Connecting, losing, going on: against a server that does what it is told.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { connect } from "../dist/index.js";
import { EPOCH, WebSocket, copy, event, float, int, list, map, patch, serverForEach, set, snapshot, str, until } from "./support.js";

let fake, client, problems, states;

function start(options = {}) {
  client = connect(fake.url, { WebSocket, ...options });
  [problems, states] = [[], []];
  client.on("problem", (problem) => problems.push(problem.message));
  client.on("state", (state) => states.push(state));
  return client.model(1);
}

serverForEach(
  (server) => (fake = server),
  () => client?.stop(),
);

describe("a connection", () => {
  for (const code of [1008, 3000])
    test(`ends for good by code ${code}`, async () => {
      const model = start();
      const peer = await fake.peer();
      peer.send(snapshot(map({ a: int(1) }), 5));
      await model.ready();
      const edit = model.edit(["a"], 2);
      await peer.next();
      const stopped = event(client, "state", (state) => state === "stopped");
      peer.socket.close(code, "not you");
      await stopped;
      await assert.rejects(edit, { kind: "unknown" });
      assert.deepEqual(problems, ["not you"]);
      assert.equal(model.value.a, 1);
      client.start();
      assert.equal(client.state, "stopped");
    });

  test("asks for its codec and for what published servers do not have", async () => {
    start();
    const peer = await fake.peer();
    assert.equal(String(peer.query), "codec=json&batch=1&ops=splice%2Cstamp&gone=1&epoch=&schema=1");
  });

  test("keeps the query that the address has", async () => {
    client = connect(`${fake.url}?token=a%20b`, { WebSocket });
    assert.equal((await fake.peer()).query.get("token"), "a b");
  });

  test("goes on where it was when it was lost", async () => {
    const model = start();
    const first = await fake.peer();
    first.send(snapshot(map({ a: int(1) }), 5));
    await model.ready();
    first.cut();
    const second = await fake.peer();
    assert.equal(second.query.get("since"), '{"1":5}');
    assert.equal(second.query.get("epoch"), EPOCH);
    assert.equal(model.value.a, 1, "the last values remain");
    second.send(patch(6, [set(["a"], int(2))]));
    await until(model, ({ a }) => a === 2);
    assert.deepEqual(states, ["connecting", "open", "waiting", "connecting", "open"].slice(-states.length));
  });

  test("asks for the rest when there is a gap", async () => {
    const model = start();
    const first = await fake.peer();
    first.send(snapshot(map({ a: int(1) }), 5), patch(7, [set(["a"], int(3))]));
    const second = await fake.peer();
    assert.equal(second.query.get("since"), '{"1":5}');
    assert.match(problems[0], /revision 5, a patch leads from 6 to 7/);
    assert.equal(model.value.a, 1);
  });

  test("takes several steps in one, if they lead on from here", async () => {
    const model = start();
    const peer = await fake.peer();
    peer.send(snapshot(map({ a: int(1) }), 5), patch(9, [set(["a"], int(2))], { base: 5 }));
    await until(model, ({ a }) => a === 2);
    assert.equal(model.rev, 9);
    peer.send(patch(12, [], { base: 8 }));
    assert.equal((await fake.peer()).query.get("since"), '{"1":9}');
  });

  test("drops what is known already", async () => {
    const model = start();
    const peer = await fake.peer();
    peer.send(snapshot(map({ a: int(1) }), 5), patch(5, [set(["a"], int(2))]), patch(6, [set(["b"], int(2))]));
    const value = await until(model, ({ b }) => b === 2);
    assert.equal(value.a, 1);
  });

  test("lets a server without epochs leave revisions out", async () => {
    const model = start();
    const peer = await fake.peer();
    peer.send(snapshot(map({}), 0, { epoch: undefined }), patch(3, [set(["a"], int(2))]));
    await until(model, ({ a }) => a === 2);
    assert.equal(model.rev, 3);
  });

  test("takes a snapshot also when its revision is lower", async () => {
    const model = start();
    const peer = await fake.peer();
    peer.send(snapshot(map({ a: int(1) }), 5), snapshot(map({ a: int(2) }), 3));
    await until(model, ({ a }) => a === 2);
    assert.equal(model.rev, 3);
  });

  test("takes batches, and passes over kinds of a newer server", async () => {
    const model = start();
    const peer = await fake.peer();
    const news = { t: "news", id: "x" };
    peer.send(news, {}, { t: "batch", msgs: [snapshot(map({ a: int(1) })), news, {}, patch(1, [set(["a"], int(2))])] });
    await until(model, ({ a }) => a === 2);
    assert.deepEqual(problems, []);
  });

  test("takes splices of texts", async () => {
    const model = start();
    const peer = await fake.peer();
    const splice = (at, count, insert) => ({ Splice: { path: [{ Key: "a" }], at, delete: count, insert } });
    peer.send(snapshot(map({ a: str("a😀bc") })), patch(1, [splice(2, 1, "ä€"), splice(0, 2, "")]), patch(2, [splice(3, 0, "!")]));
    await until(model, ({ a }) => a === "ä€c!");
    peer.send(patch(3, [splice(4, 1, "")]));
    assert.match((await event(client, "problem")).message, /a text of 4 is too short/);
  });

  test("reports what is malformed and asks for everything", async () => {
    const model = start();
    const bad = {
      "not JSON": "{",
      "no object": "[1]",
      "bytes": Buffer.from("{}"),
      "an unknown model": patch(1, [], { id: 2 }),
      "a patch that does not apply": patch(1, [set(["a"], int(2)), { RemoveAt: { path: [], index: 0 } }]),
      "a patch without ops": { t: "patch", id: 1, patch: { rev: 1 } },
      "no value": snapshot({ int: 1 }),
      "no id": snapshot(map({}), 0, { id: "1" }),
      "a batch in a batch": { t: "batch", msgs: [{ t: "batch", msgs: [] }] },
      "a negative revision": patch(-1),
      "a Float for an Int": '{"t":"snapshot","id":1,"type":"T","rev":1,"value":{"Int":1.0}}',
    };
    let value;
    for (const [name, frame] of Object.entries(bad)) {
      const peer = await fake.peer();
      assert.equal(peer.query.get("since"), null, name);
      peer.send(snapshot(map({ a: int(1) })));
      await model.ready();
      const problem = event(client, "problem");
      if (Buffer.isBuffer(frame)) peer.sendBytes(frame);
      else peer.send(frame);
      await problem;
      assert.deepEqual({ ...model.value }, { a: 1 }, name);
      value ??= model.value;
      assert.equal(model.value, value, "the same object, as it is equal");
    }
    assert.equal(problems.length, Object.keys(bad).length);
  });

  test("does not come back once stopped", async () => {
    start();
    const peer = await fake.peer();
    const closed = new Promise((resolve) => peer.socket.on("close", resolve));
    client.stop();
    await closed;
    assert.equal(client.state, "stopped");
    assert.equal(fake.waiting, 0);
  });

  test("stops while it is on its way", async () => {
    start();
    client.stop();
    await assert.rejects(client.model(1).ready(), /stopped/);
    assert.equal(client.state, "stopped");
  });

  test("refuses frames over the limit", async () => {
    start({ frameLimit: 100 });
    const peer = await fake.peer();
    peer.send(snapshot(map({ a: str("x".repeat(100)) })));
    const problem = await event(client, "problem");
    assert.match(problem.message, /a frame of \d+ bytes/);
  });

  test("counts as lost when the server says nothing", async () => {
    const model = start({ patience: 500 });
    const peer = await fake.peer();
    peer.send(snapshot(map({ a: int(1) })));
    await model.ready();
    const edit = model.edit(["a"], 2);
    await assert.rejects(edit, { kind: "unknown" });
    assert.match(problems[0], /no answer in 500 ms/);
    await fake.peer();
  });
});

describe("pauses", () => {
  class NoSocket {
    static made = [];
    constructor() {
      NoSocket.made.push(this);
    }
    close() {}
  }

  beforeEach(() => {
    NoSocket.made = [];
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    mock.method(Math, "random", () => 1);
  });
  afterEach(() => mock.timers.reset());

  const fail = () => NoSocket.made.at(-1).onclose({ code: 1006, reason: "" });

  test("double, and end at the longest", () => {
    start({ WebSocket: NoSocket, longestDelay: 5000, patience: 1e6 });
    mock.timers.tick(1);
    const delays = [500, 1000, 2000, 4000, 5000, 5000];
    for (const [attempt, delay] of delays.entries()) {
      assert.equal(NoSocket.made.length, attempt + 1);
      fail();
      mock.timers.tick(delay - 1);
      assert.equal(NoSocket.made.length, attempt + 1);
      mock.timers.tick(1);
    }
    assert.equal(NoSocket.made.length, delays.length + 1);
    assert.match(problems[0], /code 1006/);
  });

  test("are random from nothing to all of it", () => {
    mock.method(Math, "random", () => 0.25);
    start({ WebSocket: NoSocket });
    mock.timers.tick(1);
    fail();
    mock.timers.tick(124);
    assert.equal(NoSocket.made.length, 1);
    mock.timers.tick(1);
    assert.equal(NoSocket.made.length, 2);
  });

  test("begin anew after a connection that lasted, not after one that did not", () => {
    start({ WebSocket: NoSocket });
    mock.timers.tick(1);
    fail();
    mock.timers.tick(500);
    NoSocket.made.at(-1).onopen();
    mock.timers.tick(4999);
    fail();
    mock.timers.tick(999);
    assert.equal(NoSocket.made.length, 2);
    mock.timers.tick(1);
    NoSocket.made.at(-1).onopen();
    mock.timers.tick(5000);
    fail();
    // It lasted, so it is tried again as at first.
    mock.timers.tick(500);
    assert.equal(NoSocket.made.length, 4);
  });

  test("what a socket that was given up still brings is not looked at", () => {
    start({ WebSocket: NoSocket });
    mock.timers.tick(1);
    const [first] = NoSocket.made;
    const { onmessage, onclose } = first;
    first.onopen();
    first.onmessage({ data: "{" });
    onmessage({ data: JSON.stringify(snapshot(int(1))) });
    onclose({ code: 1000, reason: "" });
    assert.equal(client.model(1).value, undefined);
    assert.equal(problems.length, 1);
  });

  test("end when the network or the user is back", () => {
    const page = new EventTarget();
    globalThis.document = Object.assign(new EventTarget(), { hidden: true });
    globalThis.addEventListener = page.addEventListener.bind(page);
    globalThis.removeEventListener = page.removeEventListener.bind(page);
    try {
      start({ WebSocket: NoSocket });
      mock.timers.tick(1);
      fail();
      document.dispatchEvent(new Event("visibilitychange"));
      assert.equal(NoSocket.made.length, 1, "hidden");
      document.hidden = false;
      document.dispatchEvent(new Event("visibilitychange"));
      assert.equal(NoSocket.made.length, 2);
      fail();
      page.dispatchEvent(new Event("online"));
      assert.equal(NoSocket.made.length, 3);
      // The pause that was under way opens no second one.
      mock.timers.tick(10_000);
      assert.equal(NoSocket.made.length, 3);
      client.stop();
      page.dispatchEvent(new Event("online"));
      assert.equal(NoSocket.made.length, 3);
    } finally {
      delete globalThis.document;
      delete globalThis.addEventListener;
      delete globalThis.removeEventListener;
    }
  });

  test("a connection that is open is tried when the user is back", () => {
    globalThis.document = Object.assign(new EventTarget(), { hidden: false });
    try {
      start({ WebSocket: NoSocket, patience: 1000 });
      mock.timers.tick(1);
      const [socket] = NoSocket.made;
      const sent = [];
      Object.assign(socket, { readyState: 1, send: (text) => sent.push(JSON.parse(text)) });
      socket.onopen();
      socket.onmessage({ data: JSON.stringify(snapshot(map({}))) });
      mock.timers.tick(100_000);
      assert.equal(client.state, "open", "quiet is no problem");
      document.dispatchEvent(new Event("visibilitychange"));
      assert.deepEqual(sent, [{ t: "patch", id: 1, patch: { rev: 0, ops: [] }, proposal: "auto-1" }]);
      mock.timers.tick(1000);
      assert.equal(client.state, "waiting");
    } finally {
      delete globalThis.document;
    }
  });
});

describe("another life of the server", () => {
  const E2 = "00000000000000e2";

  test("has other models", async () => {
    const one = start();
    const two = client.model(2);
    const first = await fake.peer();
    first.send(snapshot(map({ a: int(1) }), 5), snapshot(map({ a: int(1) }), 5, { id: 2 }));
    await two.ready();
    first.cut();
    const second = await fake.peer();
    second.send(snapshot(map({ a: int(7) }), 0, { epoch: E2 }));
    const question = await second.next();
    assert.deepEqual([question.id, question.patch.ops], [2, []]);
    assert.deepEqual([one.value.a, one.rev, two.value.a, two.rev], [7, 0, 1, undefined], "on show until it is known");
    second.send({ t: "reject", id: 2, rev: 0, error: "there is no model 2", proposal: question.proposal });
    await event(client, "change", (model) => model.id === undefined);
    assert.equal(two.value, undefined);
    assert.deepEqual(client.models.map((model) => model.id), [1]);
  });

  test("may have the same ones", async () => {
    const one = start();
    const two = client.model(2);
    let gone = 0;
    two.on((value) => (gone += value === undefined));
    const first = await fake.peer();
    first.send(snapshot(map({ a: int(1) }), 5), snapshot(map({ a: int(1) }), 5, { id: 2 }));
    await two.ready();
    first.cut();
    const second = await fake.peer();
    second.send(snapshot(map({ a: int(7) }), 0, { epoch: E2 }), snapshot(map({ a: int(8) }), 0, { id: 2, epoch: E2 }));
    await until(two, ({ a }) => a === 8);
    const { proposal } = await second.next();
    second.send({ t: "ack", id: 2, rev: 0, proposal }, patch(1, [set(["a"], int(9))], { id: 2 }));
    await until(two, ({ a }) => a === 9);
    assert.deepEqual([one.value.a, gone], [7, 0]);
  });
});

describe("a model that is gone", () => {
  test("is shown no more, its edits fail, and it may come back", async () => {
    const model = start();
    const byType = client.model("T");
    const peer = await fake.peer();
    peer.send(snapshot(map({ a: int(1) }), 5), snapshot(map({}), 0, { id: 2, type: "U" }));
    await client.model(2).ready();
    const values = [];
    model.on((value, before) => values.push([value?.a, before?.a]));
    byType.on(["a"], (value) => values.push(value));
    const edit = model.edit(["a"], 2);
    const { proposal } = await peer.next();
    peer.send({ t: "gone", id: 9 }, { t: "batch", msgs: [{ t: "gone", id: 1 }] });
    await assert.rejects(edit, { kind: "unknown", reason: "the server has no such model any more" });
    assert.deepEqual([model.value, model.id, byType.value], [undefined, undefined, undefined]);
    assert.deepEqual(values, [[2, 1], 2, [undefined, 2], undefined]);
    assert.deepEqual(client.models.map(({ id }) => id), [2]);
    await assert.rejects(model.edit(["a"], 3), { kind: "invalid" });
    // The answer to the edit finds nobody.
    peer.send({ t: "reject", id: 1, rev: 0, error: "there is no model 1", proposal }, snapshot(map({ a: int(7) }), 6));
    await until(model, ({ a }) => a === 7);
    assert.deepEqual([model.rev, problems], [6, []]);
    peer.send({ t: "gone", id: 1 });
    await event(client, "change");
    peer.cut();
    assert.equal((await fake.peer()).query.get("since"), '{"2":0}');
  });

  test("while all has to be told anew is found out by asking", async () => {
    const model = start();
    const first = await fake.peer();
    first.send(snapshot(map({ a: int(1) }), 5), "{");
    const second = await fake.peer();
    const question = await second.next();
    assert.deepEqual([second.query.get("since"), question.id, question.patch.ops, model.value.a], [null, 1, [], 1]);
    second.send({ t: "reject", id: 1, rev: 0, error: "there is no model 1", proposal: question.proposal });
    await event(client, "change");
    assert.equal(model.value, undefined);
  });
});

describe("codecs", () => {
  for (const codec of ["msgpack", "cbor"]) {
    test(`${codec} both ways`, async () => {
      const { [codec]: format } = await (await import("./support.js")).inner();
      const model = start({ codec });
      const peer = await fake.peer();
      assert.equal(peer.query.get("codec"), codec);
      const value = map({ f: float(1), i: int(-70000), big: int(2n ** 60n), t: str("ä€😀"), l: list("Null", { Bool: true }) });
      peer.sendBytes(format.encode(snapshot(value)));
      assert.deepEqual(copy(await model.ready()), { f: 1, i: -70000, big: 2n ** 60n, t: "ä€😀", l: [null, true] });
      model.edit(["f"], 3).catch(() => {});
      const bytes = await peer.next();
      const message = format.decode(new Uint8Array(bytes).buffer);
      assert.equal(message.patch.ops[0].Set.value.Float, 3);
      const floats = { msgpack: "a5466c6f6174cb4008000000000000", cbor: "65466c6f6174fa40400000" };
      assert.ok(bytes.toString("hex").includes(floats[codec]), "a Float");
    });
  }
});
