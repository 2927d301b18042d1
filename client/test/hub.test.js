// Against a hub: the example `rooms`.

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
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

/** Waits until the peers' states are these. */
async function tells(awareness, ...states) {
  const isThere = () => isDeepStrictEqual(structuredClone([...awareness.peers.values()]).toSorted(), states);
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
      ann.awareness.set("ann at 1");
      const bob = await enter("bob");
      await tells(bob.awareness, "ann at 1");
      bob.awareness.set({ at: 1.5, Int: 0.5 });
      await tells(ann.awareness, { at: 1.5, Int: 0.5 });
      ann.awareness.set("ann at 2");
      await tells(bob.awareness, "ann at 2");
      bob.awareness.clear();
      await tells(ann.awareness);

      const carol = await enter("carol", options);
      carol.awareness.set("carol");
      await tells(bob.awareness, "ann at 2", "carol");
      ann.client.stop();
      await tells(bob.awareness, "carol");
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
