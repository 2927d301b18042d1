// Passing states beside a shared model: against a server that does what it is told.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { connect } from "../dist/index.js";
import { WebSocket, event, inner, int, map, serverForEach, snapshot } from "./support.js";

const codecs = await inner();
let fake, client, peer, awareness, changes;

const state = (peer, state, more = {}) => ({ t: "awareness", id: 1, peer, state, ...more });

async function start(options = {}) {
  client = connect(fake.url, { WebSocket, ...options });
  client.on("problem", () => {});
  awareness = client.awareness("T");
  changes = [];
  awareness.on((peers) => changes.push(Object.fromEntries(peers)));
  peer = await fake.peer();
}

/** What was sent before this is taken in. */
async function settled() {
  const changed = event(client, "change");
  peer.send(snapshot(map({ a: int(1) }), 5));
  await changed;
}

serverForEach(
  (server) => (fake = server),
  () => client?.stop(),
);

describe("the states of others", () => {
  test("come, change and go", async () => {
    await start();
    assert.equal(awareness.peers.size, 0);
    peer.send(snapshot(map({ a: int(1) }), 5), state("aa", { x: 1.5 }), { t: "batch", msgs: [state("bb", [null, "b"]), state("aa", 2)] });
    peer.send(state("bb", null), state("nobody", null), state("cc", 1, { id: 2 }), { t: "awareness", id: 1, state: 1 });
    await settled();
    const both = { aa: 2, bb: [null, "b"] };
    assert.deepEqual(changes, [{ aa: { x: 1.5 } }, { aa: { x: 1.5 }, bb: [null, "b"] }, both, { aa: 2 }, { aa: 2 }]);
    const { peers } = awareness;
    peer.send(state("aa", 3));
    await settled();
    assert.deepEqual([peers.get("aa"), awareness.peers.get("aa")], [2, 3], "what was given out stays");
  });

  test("are forgotten with the connection, and with the model", async () => {
    await start();
    peer.send(snapshot(map({ a: int(1) }), 5), state("aa", 1));
    await settled();
    peer.cut();
    peer = await fake.peer();
    assert.deepEqual([changes.at(-1), awareness.peers.size], [{}, 0]);
    peer.send(snapshot(map({ a: int(1) }), 5), state("bb", 1));
    await settled();
    assert.deepEqual([...awareness.peers], [["bb", 1]]);
    peer.send({ t: "gone", id: 1 });
    await event(client, "change");
    assert.deepEqual([changes.at(-1), awareness.peers.size], [{}, 0]);
  });

  // Whoever has one could otherwise keep all others from connecting.
  for (const codec of ["json", "msgpack", "cbor"]) {
    test(`may look like anything, in ${codec}`, async () => {
      await start({ codec });
      const states = [
        { Int: 1.5 }, { Int: 1e300 }, { Int: 1234567890123456.5 }, { Submodel: -1.25 }, { Int: "0" }, { Int: [0] }, { Int: {} },
        { Int: 5 }, { Float: 2 }, { Float: "x" }, { Null: null }, "Null", 1.5, -0.25, 1e300, true, [], {}, { Int: 1, Float: 0.5 },
        JSON.parse('{"__proto__":{"polluted":1},"constructor":{"Int":0.5}}'), "😀", { t: "batch", msgs: [] },
      ];
      const send = (message) => (codec === "json" ? peer.send(message) : peer.sendBytes(codecs[codec].encode(message)));
      send(snapshot(map({}), 5));
      states.forEach((each, index) => send({ t: "awareness", id: 1, peer: `p${index}`, state: each }));
      // A large Int in the same frame.
      send({ t: "batch", msgs: [state("last", { Int: [0] }), snapshot(map({ a: { Int: 5 } }), 6)] });
      await event(client, "change", ({ rev }) => rev === 6);
      const found = JSON.parse(JSON.stringify([...awareness.peers.values()]));
      assert.deepEqual(found, [...states, { Int: [0] }]);
      assert.deepEqual([client.state, {}.polluted], ["open", undefined]);
    });
  }

  test("do not mix with large Ints of the same frame", async () => {
    await start();
    const message = codecs.json.encode({ t: "batch", msgs: [snapshot(map({ a: int(2n ** 60n) }), 6), state("aa", { Int: [0] }), state("bb", { Int: "0" })] });
    peer.socket.send(message);
    await event(client, "change", ({ rev }) => rev === 6);
    assert.deepEqual([client.model(1).value.a, ...awareness.peers.values()], [2n ** 60n, { Int: [0] }, { Int: "0" }]);
  });
});

describe("the own state", () => {
  test("goes out, and again on the next connection, until it is cleared", async () => {
    await start();
    assert.throws(() => awareness.set(1), /there is no model T yet/);
    peer.send(snapshot(map({ a: int(1) }), 5));
    await client.model(1).ready();
    const cursor = { at: 1.5, Int: "5", when: undefined };
    awareness.set(cursor);
    cursor.at = 2;
    assert.deepEqual([await peer.next(), awareness.state], [{ t: "awareness", id: 1, state: { at: 1.5, Int: "5" } }, { at: 1.5, Int: "5" }]);
    peer.cut();
    peer = await fake.peer();
    assert.deepEqual((await peer.next()).state, { at: 1.5, Int: "5" });
    awareness.set("again");
    assert.equal((await peer.next()).state, "again");
    awareness.clear();
    assert.deepEqual([(await peer.next()).state, awareness.state], [null, undefined]);
    const lost = event(client, "state", (state) => state === "waiting");
    peer.cut();
    await lost;
    peer = await fake.peer();
    await event(client, "state", (state) => state === "open");
    const edit = client.model(1).edit(["a"], 2).catch(() => {});
    assert.equal((await peer.next()).t, "patch", "nothing is told any more");
    client.stop();
    await edit;
  });

  for (const codec of ["msgpack", "cbor"]) {
    test(`has numbers of any size, in ${codec}`, async () => {
      await start({ codec });
      peer.sendBytes(codecs[codec].encode(snapshot(map({}), 5)));
      await client.model(1).ready();
      const sizes = [0.1, -5, 2 ** 40, 1e300, -0.5, 1];
      awareness.set(sizes);
      const { state } = codecs[codec].decode(new Uint8Array(await peer.next()).buffer);
      assert.deepEqual(state.map(Number), sizes);
    });
  }
});
