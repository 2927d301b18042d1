// Against the example servers, over a line that can be cut after any byte.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as dial, createServer } from "node:net";
import { after, afterEach, before, beforeEach, describe, mock, test } from "node:test";

import { connect } from "../dist/index.js";
import { connect as connectMirror } from "../dist/mirror.js";
import { start } from "./rust.js";
import { WebSocket, copy, event, until } from "./support.js";

/** Lets bytes through to a port until it is told otherwise. */
async function line(port) {
  const pairs = new Set();
  let budget = Infinity;
  const proxy = createServer((client) => {
    const target = dial(port, "127.0.0.1");
    const pair = [client, target];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const [index, socket] of pair.entries()) {
      socket.setNoDelay(true);
      socket.on("error", end).on("close", end);
      socket.on("data", (bytes) => {
        const other = pair[1 - index];
        if (index === 0 || bytes.length <= budget) {
          budget -= index === 0 ? 0 : bytes.length;
          other.write(bytes);
        } else {
          // So much gets through, and then the line is dead in both directions.
          const rest = bytes.subarray(0, budget);
          budget = Infinity;
          other.end(rest, end);
        }
      });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: proxy.address().port,
    cut: () => [...pairs].flat().forEach((socket) => socket.destroy()),
    /** The server says so many bytes more. */
    cutAfter: (bytes) => (budget = bytes),
    close() {
      this.cut();
      proxy.close();
    },
  };
}

let device, wire, clients;

/** A client; `proxied` is cut with the line. */
function open(port, options = {}) {
  const client = connect(`http://127.0.0.1:${port}/${options.transport ?? "ws"}`, { WebSocket, ...options });
  client.on("problem", () => {});
  clients.push(client);
  return client.model("Device");
}

before(() => mock.method(Math, "random", () => 0));
after(() => mock.restoreAll());
beforeEach(async () => {
  clients = [];
  device = await start("device");
  wire = await line(device.port);
});
afterEach(async () => {
  for (const client of clients) client.stop();
  wire.close();
  await device.kill();
});

describe("the device", () => {
  for (const options of [{ codec: "json" }, { codec: "msgpack" }, { codec: "cbor" }, { transport: "sse" }]) {
    test(`by ${Object.values(options)}: edits of all kinds reach everybody`, async () => {
      const one = open(device.port, options);
      const two = open(device.port);
      const first = await one.ready();
      await two.ready();
      assert.equal(first.children[0].label, "one");
      const revs = await Promise.all([
        one.edit(["name"], "ä€😀"),
        one.edit(["children", 1, "label"], "zwei"),
        one.push(["children"], { id: 3, label: "three" }),
        one.move(["children"], 2, 0),
        one.remove(["tags", 0]),
        one.insert(["tags"], 0, "t"),
        one.reorder(["tags"], [1, 0]),
        one.edit(["meta", "y"], -70_000),
        one.edit(["meta", "__proto__"], 5),
        one.remove(["meta", "x"]),
        one.edit(["brightness"], (brightness) => brightness + 1),
      ]);
      assert.deepEqual(revs, revs.toSorted((a, b) => a - b));
      const value = await until(two, ({ brightness }) => brightness === 51);
      assert.deepEqual(Object.entries(value.meta).sort(), [["__proto__", 5], ["y", -70_000]]);
      const { meta, ...rest } = copy(value);
      void meta;
      const expected = {
        name: "ä€😀",
        on: false,
        brightness: 51,
        tags: ["b", "t"],
        children: [{ id: 3, label: "three" }, { id: 1, label: "one" }, { id: 2, label: "zwei" }],
      };
      assert.deepEqual(rest, expected);
      assert.deepEqual([one.pending, one.rev], [0, two.rev]);
      assert.equal(one.value.children[1], first.children[0], "what only moved is the same");
    });
  }

  test("refuses with path and reason", async () => {
    const one = open(device.port);
    await one.ready();
    const values = [];
    one.on(["brightness"], (value) => values.push(value));
    await assert.rejects(one.edit(["brightness"], 101), { kind: "refused", path: ["brightness"], reason: /^brightness: 101 / });
    await assert.rejects(one.edit(["colour"], 1), { kind: "refused", reason: /colour/ });
    assert.deepEqual(values, [101, 50]);
    assert.equal(one.pending, 0);
  });

  test("resumes, and sends what waited once", async () => {
    const far = open(wire.port);
    const near = open(device.port);
    await Promise.all([far.ready(), near.ready()]);
    const children = far.value.children;
    const lost = event(clients[0], "state", (state) => state === "waiting");
    wire.cut();
    await lost;
    const waiting = [far.push(["tags"], "far"), far.edit(["brightness"], (old) => old + 10)];
    await near.edit(["brightness"], 20);
    await near.push(["tags"], "near");
    await Promise.all(waiting);
    const value = await until(near, ({ brightness }) => brightness === 30);
    assert.deepEqual(value.tags, ["a", "b", "near", "far"]);
    assert.deepEqual(copy(far.value), copy(near.value));
    assert.equal(far.value.children, children, "no snapshot was needed, or none that changed it");
  });

  test("edits wait for a server that restarts", async () => {
    const one = open(device.port);
    await one.ready();
    const lost = event(clients[0], "state", (state) => state === "waiting");
    const { port } = device;
    await device.kill();
    await lost;
    const edit = one.edit(["name"], "typed meanwhile");
    device = await start("device", port);
    assert.equal(await edit, 1);
    assert.equal(one.value.name, "typed meanwhile");
  });

  test("the mirror alone shows the same", async () => {
    const mirrors = connectMirror(`ws://127.0.0.1:${device.port}/ws`, { WebSocket });
    clients.push(mirrors);
    const mirror = mirrors.model("Device");
    const one = open(device.port);
    await one.ready();
    await one.edit(["name"], "x");
    assert.deepEqual(copy(await until(mirror, ({ name }) => name === "x")), copy(one.value));
  });

  test("Server-Sent Events show the same", async () => {
    const client = connect(`http://127.0.0.1:${device.port}/sse`, { transport: "sse" });
    clients.push(client);
    const mirror = client.model("Device");
    const one = open(device.port);
    await Promise.all([one.ready(), mirror.ready()]);
    await one.edit(["name"], "x\r\n");
    assert.deepEqual(copy(await until(mirror, ({ name }) => name === "x\r\n")), copy(one.value));
  });

  for (const transport of ["ws", "sse"]) {
    test(`after cuts at any byte of ${transport}: each edit settled once, none made twice, both agree`, async () => {
      const far = open(wire.port, transport === "sse" ? { transport } : {});
      const near = open(device.port);
      await Promise.all([far.ready(), near.ready()]);
      const outcomes = { made: [], unknown: [], other: [] };
      // Its own arithmetic, so that a failure can be repeated.
      let seed = 12345;
      const random = (below) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
      for (let round = 0; round < 120; round += 1) {
        wire.cutAfter(random(2000));
        const label = `far ${round}`;
        const edit = far.push(["tags"], label).then(
          () => outcomes.made.push(label),
          (error) => outcomes[error.kind === "unknown" ? "unknown" : "other"].push(error.kind),
        );
        if (round % 3 === 0) await near.edit(["meta", `k${random(9)}`], round);
        if (round % 2 === 0) await edit;
      }
      wire.cutAfter(Infinity);
      while (far.pending > 0) await event(clients[0], "change");
      await far.edit(["name"], "last").catch(() => far.edit(["name"], "last"));
      const tags = (await until(near, ({ name }) => name === "last")).tags;
      assert.equal(new Set(tags).size, tags.length, "none twice");
      assert.deepEqual(copy(far.value), copy(near.value));
      assert.ok(outcomes.made.length > 10 && outcomes.unknown.length > 3, `it was cut: ${outcomes.unknown.length}`);
      assert.deepEqual(outcomes.other, []);
      assert.equal(outcomes.made.length + outcomes.unknown.length, 120);
      for (const label of outcomes.made) assert.ok(tags.includes(label), label);
    });
  }
});
