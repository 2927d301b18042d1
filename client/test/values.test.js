// Values, patches and codecs: by the vectors of the published package, and by properties.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";

import { copy, inner, readVectors, segments } from "./support.js";

const { Dict, List, Special, apply, cbor, child, decode, diff, encode, json, msgpack, plain, readOp, reuse, tagged, writeOp } =
  await inner();
/** Their own reader, as large Ints are among them. */
const vectors = (name) => json.decode(readVectors(name)).cases;
const codecs = { json, msgpack, cbor };

/** A frame of a vector. */
const frame = ({ text, hex }) => text ?? new Uint8Array(Buffer.from(hex, "hex")).buffer;

/** Zero and minus zero are equal, and JSON.stringify writes both as 0. */
function unsigned(node) {
  if (node instanceof List) return new List(node.items.map(unsigned));
  if (node instanceof Dict) return new Dict(new Map([...node.entries].map(([key, item]) => [key, unsigned(item)])));
  return node instanceof Special && node.content === 0 ? new Special(node.kind, 0) : node;
}
const same = (a, b, message) => assert.deepEqual(unsigned(a), unsigned(b), message);

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
      if (ok && name !== "bin instead of str") assert.deepEqual(read(), decode(value, 0));
      else assert.throws(read);
    });
  }
});

describe("patches are applied as the vectors say", () => {
  for (const { name, value, patch, ok, result, ...flags } of vectors("apply")) {
    if (flags.quirk || flags.free || flags.needs) continue;
    test(name, () => {
      const before = decode(value, 0);
      if (ok) assert.deepEqual(apply(before, patch.ops.map(readOp)), decode(result, 0));
      else assert.throws(() => apply(before, patch.ops.map(readOp)));
      assert.deepEqual(before, decode(value, 0), "nodes do not change");
    });
  }
});

describe("differences are as the vectors say", () => {
  for (const { name, old, new: now, ops, check } of vectors("diff")) {
    test(name, () => {
      const [before, after] = [decode(old, 0), decode(now, 0)];
      const found = diff([], before, after);
      same(apply(before, found), after);
      if (check === "exact" && before instanceof Dict && after instanceof Dict) {
        const byPath = (ops) => ops.toSorted((a, b) => (JSON.stringify(a.path) < JSON.stringify(b.path) ? -1 : 1));
        assert.deepEqual(byPath(found), byPath(ops.map(readOp)));
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
          assert.deepEqual(decode(read.value, 0), node, codec.name);
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
        assert.deepEqual(apply(old, diff([], old, now)), now);
        const shared = reuse(old, now);
        assert.deepEqual(shared, now);
      }),
    );
  });

  test("nothing is polluted", () => {
    fc.assert(fc.property(wireValue, (value) => void copyable(plain(decode(value, 0)))));
    for (const codec of Object.values(codecs)) {
      const entries = Object.fromEntries([["__proto__", { Map: { polluted: { Int: 1 } } }], ["constructor", { Int: 2 }]]);
      const written = codec.encode({ Map: entries });
      const { entries: read } = decode(codec.decode(typeof written === "string" ? written : written.buffer), 0);
      assert.deepEqual([...read.keys()].sort(), ["__proto__", "constructor"]);
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
  const small = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.nat(3),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => new List(items)),
      fc.array(fc.tuple(fc.constantFrom("a", "b", "__proto__"), tie("value"))).map((entries) => new Dict(new Map(entries))),
    ),
  })).value;

  /** The same by copying everything, one op after the other. */
  function simply(root, op) {
    const copied = JSON.parse(JSON.stringify(wire(root)));
    const steps = op.op === "Set" || op.op === "Remove" ? op.path.slice(0, -1) : op.path;
    if (op.path.length === 0 && op.op === "Set") return wire(op.value);
    if (op.path.length === 0 && op.op === "Remove") throw new Error("root");
    let holder = copied;
    for (const step of steps) {
      holder = typeof step === "number" ? holder.List?.[step] : holder.Map?.find(([key]) => key === step)?.[1];
      if (holder === undefined) throw new Error("no place");
    }
    const last = op.path.at(-1);
    const items = holder.List;
    const inside = (index, length) => {
      if (!items || index >= length) throw new Error("bounds");
    };
    if (op.op === "Set" && typeof last === "number") {
      inside(last, items?.length);
      items[last] = wire(op.value);
    } else if (op.op === "Set" || op.op === "Remove") {
      if (!holder.Map || typeof last === "number") throw new Error("no map");
      const known = holder.Map.findIndex(([key]) => key === last);
      if (op.op === "Remove") {
        if (known >= 0) holder.Map.splice(known, 1);
      } else if (known >= 0) holder.Map[known][1] = wire(op.value);
      else holder.Map.push([last, wire(op.value)]);
    } else if (op.op === "Insert") {
      inside(op.index, items?.length + 1);
      items.splice(op.index, 0, wire(op.value));
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

  /** A node as JSON that keeps all apart. */
  function wire(node) {
    if (node instanceof List) return { List: node.items.map(wire) };
    if (node instanceof Dict) return { Map: [...node.entries].map(([key, item]) => [key, wire(item)]) };
    if (node instanceof Special) return { [node.kind]: String(node.content) };
    return typeof node === "bigint" ? { Int: String(node) } : { is: node };
  }

  test("do what they do to a simple model, or nothing", () => {
    fc.assert(
      fc.property(small, fc.array(op, { maxLength: 6 }), (root, ops) => {
        const before = JSON.stringify(wire(root));
        const value = plain(root);
        // From op to op in the one, all at once in the other.
        let expected;
        try {
          let node = root;
          for (const op of ops) {
            expected = simply(node, op);
            node = apply(node, [op]);
          }
          expected ??= wire(root);
        } catch {
          expected = undefined;
        }
        let found;
        try {
          found = wire(apply(root, ops));
        } catch {
          found = undefined;
        }
        assert.deepEqual(found, expected);
        assert.equal(JSON.stringify(wire(root)), before);
        assert.equal(plain(root), value);
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
        assert.deepEqual(readOp(json.decode(written)), { ...op });
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
    const root = new List(Array(1_000_000).fill(1));
    const ops = Array(100_000).fill({ op: "RemoveAt", path: [], index: 0 });
    assert.throws(() => apply(root, ops), /too much work/);
    const pushes = Array.from({ length: 50_000 }, (_, index) => ({ op: "Insert", path: [], index: index + 1_000_000, value: 1 }));
    assert.equal(child(apply(root, pushes), 1_049_999), 1);
  });
});
