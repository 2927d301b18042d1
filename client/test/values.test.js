// Values, patches and codecs: by the vectors of the published package, and by properties.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";

import { copy, inner, readVectors, segments } from "./support.js";

const { apply, cbor, child, diff, encode, json, msgpack, plain, reuse, tagged, writeOp, ...rest } = await inner();
/** What is read becomes what was read; here it is used again. */
const decode = (value, depth) => rest.decode(structuredClone(value), depth);
const readOp = (op) => rest.readOp(structuredClone(op));
/** Their own reader, as large Ints are among them. */
const vectors = (name) => json.decode(readVectors(name)).cases;
const codecs = { json, msgpack, cbor };

/** A frame of a vector. */
const frame = ({ text, hex }) => text ?? new Uint8Array(Buffer.from(hex, "hex")).buffer;

/** Values and kinds. Zero and minus zero are equal, and JSON.stringify writes both as 0. */
const wire = (node) => JSON.parse(JSON.stringify(tagged(node), (_, item) => (typeof item === "bigint" ? `${item}n` : item)));
const same = (a, b, message) => assert.deepEqual(wire(a), wire(b), message);

describe("values are read as the vectors say", () => {
  const { encode: encoded, decode: decoded } = vectors("values");
  for (const { json: text, msgpack: packed, cbor: cbored } of encoded) {
    test(text.slice(0, 60), () => {
      const node = decode(json.decode(text), 0);
      const frames = [text, frame({ hex: packed }), frame({ hex: cbored })];
      for (const [index, codec] of [json, msgpack, cbor].entries()) {
        same(decode(codec.decode(frames[index]), 0), node, codec.name);
        const written = codec.encode(tagged(node));
        same(decode(codec.decode(typeof written === "string" ? written : written.buffer), 0), node, `${codec.name} back`);
      }
    });
  }
  for (const { name, codec, ok, value, ...rest } of decoded) {
    if (rest.free) continue;
    test(`${codec}: ${name}`, () => {
      const read = () => decode(codecs[codec].decode(frame(rest)), 0);
      // Reading bytes as text is harmless.
      if (ok && name !== "bin instead of str") same(read(), decode(value, 0));
      else assert.throws(read);
    });
  }
});

describe("patches are applied as the vectors say", () => {
  for (const { name, value, patch, ok, result, ...flags } of vectors("apply")) {
    if (flags.quirk || flags.free || flags.needs) continue;
    test(name, () => {
      const before = decode(value, 0);
      if (ok) same(apply(before, patch.ops.map(readOp)), decode(result, 0));
      else assert.throws(() => apply(before, patch.ops.map(readOp)));
      same(before, decode(value, 0), "nodes do not change");
    });
  }
});

describe("differences are as the vectors say", () => {
  for (const { name, old, new: now, ops, check } of vectors("diff")) {
    test(name, () => {
      const [before, after] = [decode(old, 0), decode(now, 0)];
      const found = diff([], before, after);
      same(apply(before, found), after);
      if (check === "exact" && [before, after].every((node) => wire(node).Map)) {
        const byPath = (ops) => ops.toSorted((a, b) => (JSON.stringify(Object.values(a)[0].path) < JSON.stringify(Object.values(b)[0].path) ? -1 : 1));
        assert.deepEqual(byPath(found.map(writeOp)), byPath(ops.map(readOp).map(writeOp)));
      }
    });
  }
});

// Any key and any text that is one.
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "toString", "Float", "Int", "Map", '{"Int":12345678901234567890}', "\\"));
const wireValue = fc.letrec((value) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant("Null"),
    fc.boolean().map((Bool) => ({ Bool })),
    fc.oneof(fc.maxSafeInteger(), fc.integer()).map((Int) => ({ Int })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((Int) => ({ Int })),
    fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()).map((Float) => ({ Float: Float + 0 })),
    text.map((Str) => ({ Str })),
    fc.nat().map((Submodel) => ({ Submodel })),
    fc.array(value("value"), { maxLength: 5 }).map((List) => ({ List })),
    fc.array(fc.tuple(text, value("value")), { maxLength: 5 }).map((entries) => ({ Map: Object.fromEntries(entries) })),
  ),
})).value;
const node = wireValue.map((value) => decode(value, 0));

describe("for any value", () => {
  test("what is written is read", () => {
    fc.assert(
      fc.property(node, (node) => {
        for (const codec of Object.values(codecs)) {
          const written = codec.encode({ value: tagged(node) });
          const read = codec.decode(typeof written === "string" ? written : written.buffer);
          same(decode(read.value, 0), node, codec.name);
        }
      }),
    );
  });

  test("what is given out comes back the same", () => {
    fc.assert(
      fc.property(node, (node) => {
        assert.equal(plain(node), plain(node));
        const value = plain(node);
        const isObject = typeof value === "object" && value !== null;
        assert.equal(!isObject || Object.isFrozen(value), true);
        if (isObject) assert.equal(encode(value, undefined, 0), node, "the very same");
        // A copy has the kinds of what is there; `Map`s, as a copy with `__proto__` needs one.
        same(encode(mapped(value), node, 0), node);
        assert.equal(reuse(node, encode(mapped(value), node, 0)), node);
      }),
    );
  });

  test("the difference makes the one of the other", () => {
    fc.assert(
      fc.property(node, node, (old, now) => {
        same(apply(old, diff([], old, now)), now);
        const shared = reuse(old, now);
        same(shared, now);
      }),
    );
  });

  test("kinds stay with what they are of, in maps of any size", () => {
    for (const size of [3, 300]) {
      const entries = Array.from({ length: size }, (_, index) => [`k${index}`, { Float: index }]);
      const before = decode({ Map: Object.fromEntries([...entries, ["__proto__", { Float: 1 }], ["row", { List: [] }]]) }, 0);
      const item = { Set: { path: segments(["k1"]), value: { Int: 7 } } };
      const removed = { Remove: { path: segments(["__proto__"]) } };
      const now = apply(before, [item, removed].map(readOp));
      assert.deepEqual([now.k1, now.row, Object.getPrototypeOf(now), "__proto__" in now], [7, before.row, null, false]);
      assert.deepEqual([tagged(child(now, "k1")), tagged(child(now, "k2"))], [{ Int: 7 }, { Float: 2 }]);
      assert.deepEqual(tagged(child(before, "k1")), { Float: 1 });
      const again = apply(now, [readOp({ Set: { path: segments(["__proto__"]), value: { Int: 1 } } })]);
      assert.deepEqual(tagged(child(again, "__proto__")), { Int: 1 });
      // Equal, but of another kind.
      const whole = apply(before, [readOp({ Set: { path: segments(["k2"]), value: { Int: 2 } } })]);
      assert.deepEqual(tagged(child(whole, "k2")), { Int: 2 });
    }
  });

  test("nothing is polluted", () => {
    fc.assert(fc.property(wireValue, (value) => void copyable(plain(decode(value, 0)))));
    for (const codec of Object.values(codecs)) {
      const entries = Object.fromEntries([["__proto__", { Map: { polluted: { Int: 1 } } }], ["constructor", { Int: 2 }]]);
      const written = codec.encode({ Map: entries });
      const read = decode(codec.decode(typeof written === "string" ? written : written.buffer), 0);
      assert.deepEqual(Object.keys(read).sort(), ["__proto__", "constructor"]);
      assert.deepEqual([Object.getPrototypeOf(read), read.polluted], [null, undefined], codec.name);
      const value = plain(decode({ Map: entries }, 0));
      assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
      assert.equal(value["__proto__"].polluted, 1);
      assert.equal(value.polluted, undefined);
    }
    const hostile = '{"__proto__":{"t":"snapshot"},"Set":{"path":[],"value":"Null","__proto__":{"polluted":1}}}';
    assert.throws(() => readOp(JSON.parse(hostile)));
    for (const kind of ["__proto__", "constructor", "toString"]) {
      assert.throws(() => decode(JSON.parse(`{"${kind}":{}}`), 0), /not a value/);
      assert.throws(() => readOp(JSON.parse(`{"${kind}":{"path":[]}}`)), /malformed/);
    }
    const root = apply(decode({ Map: {} }, 0), [
      { op: "Set", path: ["__proto__"], value: decode({ Map: {} }, 0) },
      { op: "Set", path: ["__proto__", "polluted"], value: true },
    ]);
    assert.equal(plain(root)["__proto__"].polluted, true);
    assert.equal({}.polluted, undefined);
  });
});

/** So are all lists and maps in it. */
function frozen(value) {
  if (typeof value !== "object" || value === null) return;
  assert.ok(Object.isFrozen(value));
  Object.values(value).forEach(frozen);
}

const isSame = (a, b) => isDeepStrictEqual(wire(a), wire(b));

const copyable = (value) => {
  copy(value);
  assert.equal({}.polluted, undefined);
};

function mapped(value) {
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([key, item]) => [key, mapped(item)]));
}

describe("any ops", () => {
  const key = fc.oneof(fc.constantFrom("a", "b", "__proto__"), fc.nat(4));
  const path = fc.array(key, { maxLength: 3 });
  const index = fc.nat(5);
  const op = fc.oneof(
    fc.record({ op: fc.constant("Set"), path, value: node }),
    fc.record({ op: fc.constant("Remove"), path }),
    fc.record({ op: fc.constant("Insert"), path, index, value: node }),
    fc.record({ op: fc.constant("RemoveAt"), path, index }),
    fc.record({ op: fc.constant("Move"), path, from: index, to: index }),
    fc.record({ op: fc.constant("Reorder"), path, order: fc.array(index, { maxLength: 4 }) }),
  );
  const small = fc
    .letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.nat(3).map((Int) => ({ Int })),
        fc.constantFrom(0, 1, 0.5).map((Float) => ({ Float })),
        fc.array(tie("value"), { maxLength: 4 }).map((List) => ({ List })),
        fc.array(fc.tuple(fc.constantFrom("a", "b", "__proto__"), tie("value"))).map((entries) => ({ Map: Object.fromEntries(entries) })),
      ),
    }))
    .value.map((value) => decode(value, 0));

  /** The same by copying everything, one op after the other. */
  function simply(root, op) {
    const copied = structuredClone(tagged(root));
    const steps = op.op === "Set" || op.op === "Remove" ? op.path.slice(0, -1) : op.path;
    if (op.path.length === 0 && op.op === "Set") return tagged(op.value);
    if (op.path.length === 0 && op.op === "Remove") throw new Error("root");
    const within = (value, key) => {
      const [holder, type] = [value?.Map ?? value?.List, value?.Map ? "string" : "number"];
      return holder && typeof key === type && Object.hasOwn(holder, key) ? holder[key] : undefined;
    };
    const holder = steps.reduce(within, copied);
    const last = op.path.at(-1);
    const items = holder?.List;
    const inside = (index, length) => {
      if (!items || index >= length) throw new Error("bounds");
    };
    if (op.op === "Set" && typeof last === "number") {
      inside(last, items?.length);
      items[last] = tagged(op.value);
    } else if (op.op === "Set" || op.op === "Remove") {
      if (!holder?.Map || typeof last === "number") throw new Error("no map");
      if (op.op === "Remove") delete holder.Map[last];
      else Object.defineProperty(holder.Map, last, { value: tagged(op.value), configurable: true, enumerable: true, writable: true });
    } else if (op.op === "Insert") {
      inside(op.index, items?.length + 1);
      items.splice(op.index, 0, tagged(op.value));
    } else if (op.op === "RemoveAt") {
      inside(op.index, items?.length);
      items.splice(op.index, 1);
    } else if (op.op === "Move") {
      inside(op.from, items?.length);
      inside(op.to, items.length);
      const [item] = items.splice(op.from, 1);
      items.splice(op.to, 0, item);
    } else {
      if (!items || [...op.order].sort((a, b) => a - b).join() !== items.map((_, index) => index).join()) throw new Error("order");
      holder.List = op.order.map((from) => items[from]);
    }
    return copied;
  }

  test("do what they do to a simple model, or nothing", () => {
    fc.assert(
      fc.property(small, fc.array(op, { maxLength: 6 }), (root, ops) => {
        const before = wire(root);
        // From op to op in the one, all at once in the other.
        let expected = tagged(root);
        try {
          let node = root;
          for (const op of ops) {
            expected = simply(node, op);
            node = apply(node, [op]);
            assert.deepEqual(tagged(node), expected);
          }
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          expected = undefined;
        }
        let found;
        try {
          found = apply(root, ops);
        } catch {
          assert.equal(expected, undefined);
        }
        if (found !== undefined) assert.deepEqual(tagged(found), expected);
        assert.deepEqual(wire(root), before);
        if (found !== undefined) frozen(plain(found));
        // What is equal is the same, also where it was changed and changed back.
        if (found !== undefined && isSame(found, root)) assert.equal(plain(found), plain(root));
      }),
      { numRuns: 3000 },
    );
  });

  test("splices count as Unicode does", () => {
    const letters = fc.array(fc.constantFrom("a", "ä", "€", "😀", "\u{10ffff}"), { maxLength: 8 });
    fc.assert(
      fc.property(letters, fc.nat(9), fc.nat(9), letters, (text, at, count, insert) => {
        const op = readOp({ Splice: { path: [], at, delete: count, insert: insert.join("") } });
        const splice = () => apply(text.join(""), [op]);
        if (at + count > text.length) assert.throws(splice, /too short/);
        else assert.equal(splice(), text.toSpliced(at, count, ...insert).join(""));
      }),
    );
    assert.throws(() => readOp({ Splice: { path: [], at: 0, delete: 0, insert: "\ud800" } }), /malformed/);
    assert.throws(() => apply(1, [readOp({ Splice: { path: [], at: 0, delete: 0, insert: "" } })]), /no text/);
  });

  test("survive the wire", () => {
    fc.assert(
      fc.property(op, (op) => {
        const written = json.encode(writeOp(op));
        assert.deepEqual(writeOp(readOp(json.decode(written))), writeOp(op));
      }),
    );
  });
});

describe("a server gone mad", () => {
  test("any bytes are an error or a document", () => {
    const stops = (codec) => (bytes) => {
      try {
        codec.decode(bytes.buffer.slice(0));
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    };
    for (const codec of [msgpack, cbor]) fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), stops(codec)), { numRuns: 2000 });
  });

  test("invented lengths end at once", () => {
    for (const hex of ["dfffffffff", "ddffffffff", "dbffffffff"]) assert.throws(() => msgpack.decode(frame({ hex })));
    for (const hex of ["bbffffffffffffffff", "9bffffffffffffffff", "7bffffffffffffffff", "9f", "bf", "7f"]) {
      assert.throws(() => cbor.decode(frame({ hex })));
    }
  });

  test("what is too deep is malformed", () => {
    const deep = (levels) => `${'{"List":['.repeat(levels)}"Null"${"]}".repeat(levels)}`;
    const read = (levels) => decode(json.decode(deep(levels)), 0);
    assert.doesNotThrow(() => plain(read(128)));
    for (const levels of [129, 100_000]) assert.throws(() => read(levels), /too deep|stack/i);
    const path = segments(Array(100).fill("a"));
    assert.throws(() => readOp({ Set: { path, value: JSON.parse(deep(29)) } }), /too deep/);
    for (const [codec, byte] of [[msgpack, 0x91], [cbor, 0x81]]) {
      assert.throws(() => codec.decode(new Uint8Array(100_000).fill(byte).buffer), /too deep/);
    }
  });

  test("a patch of endless work is refused", () => {
    const root = decode({ List: Array.from({ length: 1_000_000 }, () => ({ Int: 1 })) }, 0);
    const ops = Array(100_000).fill({ op: "RemoveAt", path: [], index: 0 });
    assert.throws(() => apply(root, ops), /too much work/);
    const pushes = Array.from({ length: 50_000 }, (_, index) => ({ op: "Insert", path: [], index: index + 1_000_000, value: 1 }));
    assert.equal(child(apply(root, pushes), 1_049_999), 1);
  });
});
