// Against a hub: the example `rooms`.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, mock, test } from "node:test";

import { connect } from "../dist/index.js";
import { start } from "./rust.js";
import { WebSocket, until } from "./support.js";

let rooms, clients;

/** Somebody in the room, with the board. */
async function enter(name, options = {}) {
  const client = connect(`${rooms.url}${options.transport ?? "ws"}?room=tea&name=${name}`, { WebSocket, ...options });
  client.on("problem", () => {});
  clients.push(client);
  const board = client.model("Board");
  await board.ready();
  return { client, board, awareness: client.awareness("Board") };
}

/** Waits until so many of the others are typing. A hub may tell more of them than what they said. */
async function typing(awareness, count) {
  const isThere = () => [...awareness.peers.values()].filter((peer) => (peer.state ?? peer).typing).length === count;
  if (!isThere()) {
    await new Promise((resolve) => {
      const off = awareness.on(() => isThere() && resolve(off()));
    });
  }
}

before(async () => {
  mock.method(Math, "random", () => 0);
  rooms = await start("rooms");
});
after(async () => {
  mock.restoreAll();
  await rooms.kill();
});
afterEach(() => clients.forEach((client) => client.stop()));

describe("who sees a shared model", () => {
  for (const options of [{ codec: "json" }, { codec: "msgpack" }, { codec: "cbor" }, { transport: "sse" }]) {
    test(`hears of the others' states, by ${Object.values(options)}`, async () => {
      clients = [];
      const ann = await enter("ann", options);
      ann.awareness.set({ typing: true });
      const bob = await enter("bob");
      await typing(bob.awareness, 1);
      bob.awareness.set({ typing: true });
      await typing(ann.awareness, 1);
      ann.awareness.set({ typing: false });
      await typing(bob.awareness, 0);
      bob.awareness.clear();
      await typing(ann.awareness, 0);

      const carol = await enter("carol", options);
      carol.awareness.set({ typing: true });
      await typing(bob.awareness, 1);
      carol.client.stop();
      await typing(bob.awareness, 0);
      bob.client.stop();
      assert.equal(bob.awareness.peers.size, 0);
    });
  }

  test("makes edits beside others", async () => {
    clients = [];
    const [ann, bob] = [await enter("ann"), await enter("bob", { transport: "sse" })];
    await Promise.all([
      ann.board.push(["lines"], { by: "ann", text: "1" }),
      bob.board.push(["lines"], { by: "bob", text: "2" }),
    ]);
    await bob.board.edit(["lines"], (lines) => [...lines, { by: "bob", text: "last" }]);
    await until(ann.board, ({ lines }) => lines.at(-1)?.text === "last");
    assert.deepEqual(structuredClone(ann.board.value), structuredClone(bob.board.value));
  });
});
