// Numbers of the kinds that the schema tells, where JavaScript does not, and what happens without one.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { connect } from "../dist/index.js";
import { start } from "./rust.js";
import { WebSocket, copy, event, float, int, list, map, patch, serverForEach, set, snapshot, str } from "./support.js";

const struct = (fields) => ({ Struct: { fields: Object.entries(fields).map(([name, type]) => ({ name, type })) } });

const definitions = [
  {
    name: "T",
    type: struct({
      share: { Optional: "Float" },
      count: { Optional: { Int: {} } },
      shares: { Map: "Float" },
      counts: { Map: { Int: { min: 0 } } },
      pairs: { List: { Tuple: ["Float", { Int: {} }] } },
      point: { Array: ["Float", 2] },
      shape: { Named: "Shape" },
      motion: { Named: "Motion" },
      event: { Named: "Event" },
      parts: { List: { Named: "Part" } },
      any: "Any",
    }),
  },
  {
    name: "Shape",
    type: {
      Enum: {
        tagging: { Adjacent: { tag: "t", content: "c" } },
        variants: [{ name: "Circle", type: "Float" }, { name: "Stars", type: { Int: {} } }, { name: "Empty" }],
      },
    },
  },
  {
    name: "Motion",
    type: {
      Enum: {
        tagging: { Internal: { tag: "kind" } },
        variants: [{ name: "drive", type: struct({ speed: "Float" }) }, { name: "walk", type: struct({ steps: { Int: {} } }) }],
      },
    },
  },
  {
    name: "Event",
    type: { Enum: { tagging: "External", variants: [{ name: "Moved", type: { Tuple: ["Float", { Int: {} }] } }, { name: "Failed", type: "Str" }] } },
  },
  { name: "Part", type: { Struct: { fields: [{ name: "weight", type: "Float" }], rest: { Named: "Part" } } } },
];
const schema = { t: "schema", type: "T", schema: { type: { Named: "T" }, definitions } };

const value = map({
  share: "Null",
  count: "Null",
  shares: map({}),
  counts: map({}),
  pairs: list(),
  point: list(float(0.5), float(1.5)),
  shape: map({ t: str("Circle"), c: float(1.5) }),
  motion: map({ kind: str("drive"), speed: float(0.5) }),
  event: map({ Failed: str("why") }),
  parts: list(),
  any: list(float(0.5)),
});

describe("told by a schema", () => {
  let fake, client, model, peer;

  /** What the only op of the next proposal has as its value. */
  const sent = async () => {
    const { ops } = (await peer.next()).patch;
    assert.equal(ops.length, 1);
    return (ops[0].Set ?? ops[0].Insert).value;
  };

  const open = async (...messages) => {
    client = connect(fake.url, { WebSocket });
    client.on("problem", () => {});
    model = client.model("T");
    peer = await fake.peer();
    peer.send(...messages, snapshot(value, 5));
    await model.ready();
  };

  serverForEach(
    (server) => (fake = server),
    () => client.stop(),
  );

  const edits = [
    ["an option that is none", (model) => model.edit(["share"], 3), float(3)],
    ["an option of an int", (model) => model.edit(["count"], 3), int(3)],
    ["a large float where nothing is", (model) => model.edit(["share"], 1e300), float(1e300)],
    ["a bigint for a float", (model) => model.edit(["share"], 3n), float(3)],
    ["a new entry", (model) => model.edit(["shares", "a"], 3), float(3)],
    ["a new entry of ints", (model) => model.edit(["counts", "a"], 3), int(3)],
    ["a map as a whole", (model) => model.edit(["shares"], { a: 1 }), float(1)],
    ["a new item", (model) => model.push(["pairs"], [1, 2]), list(float(1), int(2))],
    ["a list as a whole", (model) => model.edit(["pairs"], [[1, 2]]), list(float(1), int(2))],
    ["an item of an array", (model) => model.edit(["point", 0], 3), float(3)],
    ["another variant", (model) => model.edit(["shape"], { t: "Stars", c: 3 }), map({ t: str("Stars"), c: int(3) })],
    ["another variant, deep in a whole", (model) => model.edit([], (old) => ({ ...old, shape: { t: "Empty" } })), map({ t: str("Empty") })],
    ["the same variant", (model) => model.edit(["shape"], { t: "Circle", c: 3 }), float(3)],
    ["a variant beside its fields", (model) => model.edit(["motion"], { kind: "drive", speed: 3 }), float(3)],
    ["another variant beside its fields", (model) => model.edit(["motion"], { kind: "walk", steps: 3 }), map({ kind: str("walk"), steps: int(3) })],
    ["a variant by its name", (model) => model.edit(["event"], { Moved: [1, 2] }), map({ Moved: list(float(1), int(2)) })],
    ["a struct in a new item", (model) => model.insert(["parts"], 0, { weight: 2 }), map({ weight: float(2) })],
    ["what stands besides the fields", (model) => model.insert(["parts"], 0, { x: { weight: 2 } }), map({ x: map({ weight: float(2) }) })],
    ["a function of nothing", (model) => model.edit(["share"], (old) => (old ?? 0) + 1), float(1)],
    ["anything, as what is there", (model) => model.push(["any"], 3), float(3)],
  ];
  for (const [what, edit, expected] of edits) {
    test(what, async () => {
      await open(schema);
      edit(model).catch(() => {});
      assert.deepEqual(await sent(), expected);
    });
  }

  // What the client does with servers that tell no schema, and where that goes wrong.
  const guesses = [
    ["an option that is none becomes an Int", (model) => model.edit(["share"], 3), int(3)],
    ["another variant is taken for the former's kind", (model) => model.edit(["shape", "c"], 3), float(3)],
    ["a large float where nothing is needs a bigint", (model) => model.edit(["share"], 1e300), /may be rounded/],
  ];
  for (const [what, edit, expected] of guesses) {
    test(`without one ${what}`, async () => {
      await open();
      const made = edit(model);
      if (expected instanceof RegExp) return assert.rejects(made, { kind: "invalid", reason: expected });
      made.catch(() => {});
      assert.deepEqual(await sent(), expected);
    });
  }

  test("the first frame of a connection ends what the last one told", async () => {
    await open(schema);
    const lost = event(client, "state", (state) => state === "waiting");
    peer.cut();
    await lost;
    peer = await fake.peer();
    assert.equal(peer.query.get("schema"), "1");
    peer.send(patch(6, []));
    while (model.rev !== 6) await event(client, "change");
    model.edit(["share"], 3).catch(() => {});
    assert.deepEqual(await sent(), int(3));
  });

  test("edits that wait for a connection are of the kinds of the last", async () => {
    await open(schema);
    const lost = event(client, "state", (state) => state === "waiting");
    peer.cut();
    await lost;
    model.edit(["share"], 3).catch(() => {});
    peer = await fake.peer();
    await peer.caughtUp(5);
    assert.deepEqual(await sent(), float(3));
  });

  test("a name that several types go by tells nothing", async () => {
    await open(schema, { t: "schema", type: "T", schema: { type: "Any" } });
    model.edit(["share"], 3).catch(() => {});
    assert.deepEqual(await sent(), int(3));
  });

  const nonsense = [
    ["a name that means itself", { type: { Named: "T" }, definitions: [{ name: "T", type: { Named: "T" } }] }],
    ["a variant that is its own enum", {
      type: { Named: "T" },
      definitions: [{ name: "T", type: { Enum: { tagging: { Internal: { tag: "t" } }, variants: [{ type: { Named: "T" } }] } } }],
    }],
    ["a name that nothing has", { type: { Named: "T" } }],
    ["a kind of a later server", { type: { Colour: 3 } }],
    ["the names of objects' own", { type: { Named: "constructor" }, definitions: [{ name: "__proto__", type: "Float" }] }],
  ];
  for (const [what, schema] of nonsense) {
    test(`nonsense: ${what}`, async () => {
      await open({ t: "schema", type: "T", schema });
      model.edit(["share"], 3).catch(() => {});
      assert.deepEqual(await sent(), int(3));
    });
  }

  for (const schema of [undefined, null, [], { type: "Any", definitions: 3 }]) {
    test(`malformed: ${JSON.stringify(schema)}`, async () => {
      client = connect(fake.url, { WebSocket });
      const problem = event(client, "problem");
      (await fake.peer()).send({ t: "schema", type: "T", schema });
      assert.match((await problem).message, /malformed: schema/);
    });
  }
});

describe("a real server", () => {
  let worlds;
  before(async () => {
    worlds = await start("worlds");
  });
  after(() => worlds.kill());

  for (const codec of ["json", "msgpack", "cbor"]) {
    test(`takes and gives numbers of the right kinds in ${codec}`, async (t) => {
      const client = connect(`ws://127.0.0.1:${worlds.port}/kinds/ws`, { WebSocket, codec });
      t.after(() => client.stop());
      const model = client.model("Kinds");
      await model.ready();
      let calls = 0;
      model.on(["share"], () => (calls += 1));
      await Promise.all([
        model.edit(["share"], 2 ** 60),
        model.edit(["count"], 3),
        model.edit(["shares", "a"], 3),
        model.edit(["counts", "a"], 3),
        model.push(["pairs"], [1, 2]),
        model.edit(["shape"], { t: "Stars", c: 3 }),
        model.push(["parts"], { weight: 1, pieces: 1 }),
        model.push(["parts"], { weight: 2 }),
        model.edit(["wide"], 2n ** 60n),
      ]);
      // As each of these is refused where the kind is not right, these are the server's own words.
      const { shares, counts, pairs, parts, share, count, shape, wide } = copy(model.value);
      assert.deepEqual({ share, count, shape, wide }, { share: 2 ** 60, count: 3, shape: { t: "Stars", c: 3 }, wide: 2n ** 60n });
      assert.deepEqual([shares, counts, pairs.at(-1)], [{ a: 3 }, { a: 3 }, [1, 2]]);
      assert.deepEqual(parts.slice(-2), [{ weight: 1, pieces: 1 }, { weight: 2, pieces: 0 }]);
      assert.equal(calls, 1, "what shows at once needs no correction");
      // Back to the beginning, for the next codec.
      await Promise.all([model.edit(["share"], null), model.edit(["shape"], { t: "Circle", c: 1 }), model.edit(["wide"], 0)]);
      assert.deepEqual(copy(model.value.shape), { t: "Circle", c: 1 });
    });
  }
});
