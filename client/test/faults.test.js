// Against real servers, over a line on which everything goes wrong that can: cuts at any byte in both directions, delays,
// slow readers, connections that live on at the server after the client has given them up, servers that restart with what
// they had and without. At the end all agree, each edit was settled once and none was made twice.
//
// `SCHEDULES` sets the number of schedules: 500 unless given. What happens is decided by its number; when it happens is
// not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as dial, createServer } from "node:net";
import { after, before, mock, test } from "node:test";

import { connect } from "../dist/index.js";
import { start } from "./rust.js";
import { WebSocket, copy, event } from "./support.js";

const SCHEDULES = Number(process.env.SCHEDULES ?? 500);
const AT_ONCE = 20;

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed) {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const turns = async (count) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Carries bytes to a port and back, and breaks what it is told to. */
async function line(port, random) {
  const pairs = new Set();
  const faults = { bytes: undefined, turns: 0, slow: false, ghosts: false };
  const carry = async (from, to, budget, end) => {
    try {
      for await (const bytes of from) {
        if (faults.turns > 0) await turns(random(faults.turns));
        const piece = bytes.subarray(0, budget);
        budget -= piece.length;
        if (!to.write(piece) && faults.slow) await Promise.race([once(to, "drain"), once(to, "close")]);
        if (budget <= 0) break;
      }
    } catch {
      // One of the two is gone.
    }
    end();
  };
  const proxy = createServer((client) => {
    const target = dial(port, "127.0.0.1");
    const pair = { client, target };
    pairs.add(pair);
    for (const socket of [client, target]) socket.setNoDelay(true).on("error", () => {});
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      // The server does not always hear of it at once.
      if (faults.ghosts) void turns(50).then(() => target.destroy());
      else target.destroy();
    };
    const budget = () => (faults.bytes === undefined ? Infinity : random(faults.bytes));
    void carry(client, target, budget(), end);
    void carry(target, client, budget(), end);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: proxy.address().port,
    faults,
    cut: () => pairs.forEach(({ client }) => client.destroy()),
    close() {
      this.cut();
      proxy.close();
    },
  };
}

let worlds;
before(async () => {
  mock.method(Math, "random", () => 0);
  worlds = await start("worlds");
});
after(async () => {
  mock.restoreAll();
  await worlds?.kill();
});

async function control(world, method, what) {
  const response = await fetch(`${worlds.url}${world}/${what}`, { method });
  assert.equal(response.status, 200);
  return method === "GET" ? response.json() : undefined;
}

async function schedule(seed, seen) {
  const random = randomOf(seed);
  const chance = (outOf) => random(outOf) === 0;
  const wire = await line(worlds.port, random);
  const kinds = [{ codec: "json" }, { codec: "msgpack" }, { codec: "cbor" }, { transport: "sse" }];
  const clients = kinds.map((kind) => {
    const path = kind.transport ?? "ws";
    const client = connect(`http://127.0.0.1:${wire.port}/${seed}/${path}`, { WebSocket, ...kind, longestDelay: 20 });
    client.on("problem", () => {});
    return client;
  });
  const boards = clients.map((client) => client.model("Board"));
  const outcomes = new Map();
  try {
    await Promise.all(boards.map((board) => board.ready()));
    Object.assign(wire.faults, {
      bytes: chance(3) ? undefined : 200 + random(4000),
      turns: random(4),
      slow: chance(2),
      ghosts: chance(2),
    });
    if (wire.faults.bytes) wire.cut();
    const edit = (board) => {
      const name = `edit ${outcomes.size}`;
      outcomes.set(name, []);
      const settled = (outcome) => outcomes.get(name).push(outcome);
      // Some break the rule.
      const level = random(110);
      const change = ({ made, ...rest }) => ({ ...rest, level, made: [name, ...made] });
      board.edit([], change).then(() => settled("made"), (error) => settled(error.kind));
    };
    const steps = 5 + random(40);
    for (let step = 0; step < steps; step += 1) {
      const what = random(20);
      if (what < 9) edit(boards[random(4)]);
      else if (what < 12) await control(seed, "POST", `change/${random(1000)}`);
      else if (what < 16) await turns(random(30));
      else if (what < 18) wire.cut();
      else if (what < 19 || chance(2)) {
        await control(seed, "POST", "restart");
        wire.cut();
        seen.restarted += 1;
      } else {
        await control(seed, "POST", "forget");
        wire.cut();
        seen.forgotten += 1;
      }
    }

    // Nothing breaks any more.
    Object.assign(wire.faults, { bytes: undefined, turns: 0, slow: false, ghosts: false });
    wire.cut();
    await turns(60);
    let state;
    for (;;) {
      state = await control(seed, "GET", "state");
      const isSettled = [...outcomes.values()].every((settled) => settled.length > 0);
      const isSame = boards.every((board) => board.rev === state.rev && board.pending === 0);
      if (isSettled && isSame && clients.every((client) => client.state === "open")) break;
      await Promise.race([turns(200), ...clients.map((client) => event(client, "change"))]);
    }
    for (const board of boards) assert.deepEqual(copy(board.value), state.value);
    assert.equal(new Set(state.made).size, state.made.length, `made twice: ${state.made}`);
    for (const [name, settled] of outcomes) {
      assert.equal(settled.length, 1, `${name} is settled once: ${settled}`);
      seen[settled[0]] += 1;
      if (settled[0] === "made") assert.ok(state.made.includes(name), `${name} was made`);
      else if (settled[0] !== "unknown") assert.ok(!state.made.includes(name), `${name}: ${settled}`);
    }
  } finally {
    for (const client of clients) client.stop();
    wire.close();
  }
}

test(`real servers and clients agree after ${SCHEDULES} schedules`, { timeout: 300_000 + SCHEDULES * 500 }, async (t) => {
  const seen = { made: 0, refused: 0, unknown: 0, dropped: 0, restarted: 0, forgotten: 0 };
  let next = 0;
  const run = async () => {
    while (next < SCHEDULES) {
      const seed = (next += 1);
      const late = AbortSignal.timeout(60_000);
      const missing = once(late, "abort").then(() => {
        throw new Error("it does not come to rest");
      });
      try {
        await Promise.race([schedule(seed, seen), missing]);
      } catch (error) {
        throw new Error(`schedule ${seed}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  t.diagnostic(JSON.stringify(seen));
  for (const what of ["made", "refused", "unknown", "restarted", "forgotten"]) {
    assert.ok(seen[what] * 20 >= SCHEDULES, `${what}: ${seen[what]}`);
  }
});
