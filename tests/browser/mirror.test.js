// The module of the examples' pages, without a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { Gap, Mirrors, apply, connect, decode } from "../../examples/assets/mirror.js";

const EPOCH = "00000000000000e1";

const int = (number) => ({ Int: number });
const map = (entries) => ({ Map: entries });
const snapshot = (value, rev = 0, more = {}) => JSON.stringify({ t: "snapshot", id: 1, type: "T", rev, value, ...more });
const patch = (rev, ops = [], more = {}) => JSON.stringify({ t: "patch", id: 1, patch: { rev, ops }, ...more });
const set = (path, value) => ({ Set: { path, value } });

function mirrors(...texts) {
  const sent = [];
  const mirrors = new Mirrors((text) => sent.push(JSON.parse(text)));
  for (const text of texts) mirrors.receive(text);
  return { mirrors, sent };
}

describe("patches are applied as the vectors say", () => {
  const { cases } = JSON.parse(readFileSync(new URL("../conformance/apply.json", import.meta.url)));
  for (const { name, value, patch, ok, result, ...flags } of cases) {
    if (flags.quirk || flags.free || flags.needs) continue;
    test(name, () => {
      const before = decode(value);
      if (ok) {
        assert.deepEqual(apply(before, patch.ops), decode(result));
      } else {
        assert.throws(() => apply(before, patch.ops));
      }
      assert.deepEqual(before, decode(value), "nodes do not change");
    });
  }
});

describe("any key is data", () => {
  // As text: an object literal would set the prototype.
  const hostile = '{"t":"snapshot","id":1,"type":"T","rev":0,"value":{"Map":{"__proto__":{"Map":{"a":{"Int":1}}}}}}';

  test("in snapshots and patches", () => {
    const { mirrors: held } = mirrors(hostile);
    held.receive(patch(1, [set([{ Key: "__proto__" }, { Key: "polluted" }], int(2)), set([{ Key: "constructor" }], int(3))]));
    const { value } = held.model(1);
    assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
    assert.deepEqual({ ...value["__proto__"] }, { a: 1, polluted: 2 });
    assert.equal({}.polluted, undefined);
  });

  test("in edits", async () => {
    const { mirrors: held, sent } = mirrors(hostile);
    held.model(1).edit([], new Map([["__proto__", 5]]));
    assert.equal(JSON.stringify(sent[0].patch.ops), '[{"Set":{"path":[],"value":{"Map":{"__proto__":{"Int":5}}}}}]');
  });

  test("it is no kind of value", () => {
    for (const kind of ["__proto__", "constructor", "toString"]) {
      assert.throws(() => decode(JSON.parse(`{"${kind}":{}}`)), /not a value/);
    }
  });
});

describe("values", () => {
  test("what did not change is the same object", () => {
    const { mirrors: held } = mirrors(snapshot(map({ a: map({}), b: { List: [int(1)] } })));
    const { a, b } = held.model(1).value;
    held.receive(patch(1, [set([{ Key: "b" }, { Index: 0 }], int(2))]));
    const { value } = held.model(1);
    assert.equal(value.a, a);
    assert.deepEqual([b, value.b], [[1], [2]]);
  });

  test("numbers of an edit keep their kind", () => {
    const model = map({ float: { Float: 1 }, int: int(1), list: { List: [{ Float: 0.5 }] }, sub: { Submodel: 7 } });
    const { mirrors: held, sent } = mirrors(snapshot(model));
    held.model(1).edit([], { float: 2, int: 2, list: [1], sub: 8, new: 3, other: 0.5, none: null, on: true, text: "x" });
    held.model(1).edit(["list", 0], 4);
    const expected = { float: { Float: 2 }, int: int(2), list: { List: [{ Float: 1 }] }, sub: { Submodel: 8 } };
    Object.assign(expected, { new: int(3), other: { Float: 0.5 }, none: "Null", on: { Bool: true }, text: { Str: "x" } });
    assert.deepEqual(sent[0].patch.ops, [set([], map(expected))]);
    assert.deepEqual(sent[1].patch.ops, [set([{ Key: "list" }, { Index: 0 }], { Float: 4 })]);
  });

  test("what cannot travel is refused here", async () => {
    const { mirrors: held, sent } = mirrors(snapshot(map({ a: int(1) })));
    for (const value of [NaN, Infinity, 2 ** 60, undefined, 1n, () => {}]) {
      await assert.rejects(held.model(1).edit(["a"], value));
    }
    assert.deepEqual(sent, []);
  });
});

describe("edits", () => {
  test("resolve by the echo, or when nothing changed", async () => {
    const { mirrors: held, sent } = mirrors(snapshot(map({ a: int(1) })));
    const [edit, idle] = [held.model(1).edit(["a"], 2), held.model(1).edit(["a"], 2)];
    assert.equal(held.model(1).value.a, 1, "the mirror waits for the server");
    held.receive(patch(1, sent[0].patch.ops, { proposal: sent[0].proposal }));
    held.receive(JSON.stringify({ t: "ack", id: 1, rev: 1, proposal: sent[1].proposal }));
    await Promise.all([edit, idle]);
    assert.equal(held.model(1).value.a, 2);
  });

  test("reject with the server's reason", async () => {
    const { mirrors: held, sent } = mirrors(snapshot(map({ a: int(1) })));
    const edit = held.model(1).edit(["a"], 2);
    held.receive(JSON.stringify({ t: "reject", id: 1, rev: 0, error: "too much", proposal: sent[0].proposal }));
    await assert.rejects(edit, /too much/);
  });

  test("reject when the connection is lost", async () => {
    const { mirrors: held } = mirrors(snapshot(map({ a: int(1) })));
    const edit = held.model(1).edit(["a"], 2);
    held.disconnected();
    await assert.rejects(edit, /lost/);
  });
});

describe("revisions", () => {
  const one = snapshot(map({ a: int(1) }), 5, { epoch: EPOCH });
  const toTwo = [set([{ Key: "a" }], int(2))];

  test("what is known already is dropped", () => {
    const { mirrors: held } = mirrors(one);
    assert.equal(held.receive(patch(5, toTwo)), undefined);
    assert.equal(held.model(1).value.a, 1);
  });

  test("a gap is noticed", () => {
    const { mirrors: held } = mirrors(one);
    assert.throws(() => held.receive(patch(7, toTwo)), Gap);
    assert.throws(() => held.receive(patch(9, toTwo, { base: 6 })), Gap);
    assert.deepEqual([held.model(1).rev, held.model(1).value.a], [5, 1]);
  });

  test("several steps in one are no gap", () => {
    const { mirrors: held } = mirrors(one);
    held.receive(patch(9, toTwo, { base: 5 }));
    assert.deepEqual([held.model(1).rev, held.model(1).value.a], [9, 2]);
  });

  test("a server without epochs may leave some out", () => {
    const { mirrors: held } = mirrors(snapshot(map({ a: int(1) })));
    held.receive(patch(3, toTwo));
    assert.equal(held.model(1).rev, 3);
  });

  test("the query goes on where the mirrors are", () => {
    const { mirrors: held } = mirrors();
    assert.equal(held.query(), "codec=json&epoch=");
    held.receive(one);
    assert.equal(held.query(), `codec=json&epoch=${EPOCH}&since=%7B%221%22%3A5%7D`);
  });

  test("another life of the server has other models", () => {
    const { mirrors: held } = mirrors(one, one.replace('"id":1', '"id":2'));
    held.receive(snapshot(map({}), 0, { epoch: "00000000000000e2" }));
    assert.deepEqual([held.model(1).rev, held.model(2)], [0, undefined]);
  });
});

describe("messages that do not fit leave the mirrors as they were", () => {
  const bad = {
    "no JSON": "{",
    "a patch of an unknown model": patch(1).replace('"id":1', '"id":2'),
    "a patch that does not apply": patch(1, [set([{ Key: "a" }], int(2)), { RemoveAt: { path: [], index: 0 } }]),
    "a patch without ops": '{"t":"patch","id":1,"patch":{"rev":1}}',
    "a snapshot that is no value": snapshot({ int: 1 }),
  };
  for (const [name, text] of Object.entries(bad)) {
    test(name, () => {
      const { mirrors: held } = mirrors(snapshot(map({ a: int(1) })));
      assert.throws(() => held.receive(text));
      assert.deepEqual([held.model(1).rev, { ...held.model(1).value }], [0, { a: 1 }]);
    });
  }

  test("kinds of a newer server are passed over", () => {
    const { mirrors: held } = mirrors();
    assert.equal(held.receive('{"t":"news","id":1}'), undefined);
  });
});

describe("a connection", () => {
  let sockets, server, states;
  const last = () => sockets.at(-1);

  class FakeSocket {
    static OPEN = 1;
    readyState = 0;
    closed = false;

    constructor(url) {
      this.url = new URL(url);
      sockets.push(this);
    }

    accept(...texts) {
      this.readyState = FakeSocket.OPEN;
      this.onopen({});
      for (const data of texts) this.onmessage({ data });
    }

    close() {
      this.closed = true;
    }
  }

  beforeEach(async () => {
    [sockets, states] = [[], []];
    globalThis.WebSocket = FakeSocket;
    mock.timers.enable({ apis: ["setTimeout"] });
    mock.method(Math, "random", () => 1);
    mock.method(console, "warn", () => {});
    server = connect("http://host/ws", { state: (state) => states.push(state) });
    await Promise.resolve();
  });
  afterEach(() => {
    server.close();
    mock.timers.reset();
    mock.restoreAll();
    delete globalThis.WebSocket;
  });

  test("goes on where it was when it was lost", () => {
    assert.equal(last().url.href, "ws://host/ws?codec=json&epoch=");
    last().accept(snapshot(map({ a: int(1) }), 5));
    last().onclose({});
    mock.timers.tick(250);
    assert.equal(last().url.searchParams.get("since"), '{"1":5}');
    assert.deepEqual(states, ["connecting", "open", "waiting", "connecting"]);
    assert.equal(server.model(1).value.a, 1, "the last values remain");
  });

  test("waits longer each time, and not for ever", () => {
    const delays = [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000];
    for (const [attempt, delay] of delays.entries()) {
      last().onclose({});
      mock.timers.tick(delay - 1);
      assert.equal(sockets.length, attempt + 1);
      mock.timers.tick(1);
      assert.equal(sockets.length, attempt + 2);
    }
    last().accept(snapshot(map({})));
    last().onclose({});
    mock.timers.tick(250);
    assert.equal(sockets.length, delays.length + 2);
  });

  test("asks for everything when a patch does not apply", () => {
    last().accept(snapshot(map({ a: int(1) }), 5), patch(6, [{ RemoveAt: { path: [], index: 0 } }]));
    assert.equal(last().closed, true);
    mock.timers.tick(250);
    assert.equal(last().url.searchParams.get("since"), null);
    assert.equal(server.model(1).value.a, 1, "the last values remain");
    last().accept(snapshot(map({ a: int(3) }), 7));
    assert.equal(server.model(1).value.a, 3);
  });

  test("asks for the rest when there is a gap", () => {
    last().accept(snapshot(map({ a: int(1) }), 5, { epoch: EPOCH }), patch(7));
    assert.equal(last().closed, true);
    mock.timers.tick(250);
    assert.equal(last().url.searchParams.get("since"), '{"1":5}');
    assert.equal(last().url.searchParams.get("epoch"), EPOCH);
  });

  test("what a given-up socket still brings is not looked at", () => {
    const [first] = sockets;
    first.accept(snapshot(map({ a: int(1) })));
    first.onclose({});
    mock.timers.tick(250);
    first.onmessage({ data: snapshot(map({ a: int(9) }), 9) });
    assert.equal(server.model(1).value.a, 1);
  });

  test("does not come back once closed", () => {
    server.close();
    mock.timers.tick(60_000);
    assert.deepEqual([sockets.length, last().closed], [1, true]);
  });

  test("edits need it", async () => {
    last().accept(snapshot(map({ a: int(1) })));
    last().onclose({});
    await assert.rejects(server.model(1).edit(["a"], 2), /not connected/);
  });
});
