// What the client costs in a browser, beside the published one, both in one page: `scripts/measure-client`.
//
// Arguments: the folder of the published package's files for browsers.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";

import { start } from "../test/rust.js";

const [published] = process.argv.slice(2);
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const files = {
  "/measured/ours.js": `${dist}index.js`,
  "/measured/published.js": `${published}/cdn/index.js`,
  "/measured/published.wasm": `${published}/pkg/transports_bg.wasm`,
};

/** Runs in the page. */
async function measure() {
  const ROWS = 1000;
  const ours = await import("/measured/ours.js");
  const theirs = await import("/measured/published.js");
  const wasm = await theirs.wasm.default({ module_or_path: "/measured/published.wasm" });

  const row = (id) => ({ Map: { id: { Int: id }, name: { Str: `row ${id}` }, price: { Float: 1.5 }, qty: { Int: 0 } } });
  const value = { Map: { rows: { List: Array.from({ length: ROWS }, (_, id) => row(id)) } } };
  const snapshot = JSON.stringify({ t: "snapshot", id: 1, type: "Board", rev: 0, value });
  const set = (index, number) => ({
    Set: { path: [{ Key: "rows" }, { Index: index }, { Key: "qty" }], value: { Int: number } },
  });
  const patch = (rev, ops) => JSON.stringify({ t: "patch", id: 1, patch: { rev, ops } });

  /** A client that is handed frames, and what a page reads of it afterwards. */
  const clients = {
    ours() {
      let socket;
      class Handed {
        readyState = 1;
        constructor() {
          socket = this;
        }
        send() {}
        close() {}
      }
      const client = ours.connect("/nowhere", { WebSocket: Handed, paused: true });
      client.start();
      const model = client.model(1);
      return {
        ready: async () => {
          while (!socket) await new Promise((resolve) => setTimeout(resolve));
          socket.onopen();
        },
        receive: (frame) => socket.onmessage({ data: frame }),
        read: (index) => model.value.rows[index].qty,
        client,
      };
    },
    published() {
      const client = new theirs.Client("json");
      return {
        ready: async () => {},
        receive: (frame) => client.recv(frame),
        read: (index) => client.value(1).Map.rows.List[index].Map.qty.Int,
        client,
      };
    },
  };

  const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

  /** ms for each of `frames`, of both clients in turns. */
  async function compare(fields, rounds, each) {
    const times = { ours: [], published: [] };
    const made = {};
    for (const name of Object.keys(times)) {
      made[name] = clients[name]();
      await made[name].ready();
      made[name].receive(snapshot);
    }
    let rev = 0;
    for (let round = 0; round < rounds; round += 1) {
      const frames = Array.from({ length: each }, () => {
        rev += 1;
        return patch(rev, Array.from({ length: fields }, (_, index) => set((rev * 7 + index) % ROWS, rev)));
      });
      const last = (rev * 7) % ROWS;
      for (const name of round % 2 === 0 ? ["ours", "published"] : ["published", "ours"]) {
        const client = made[name];
        const begun = performance.now();
        let sum = 0;
        for (const frame of frames) {
          client.receive(frame);
          sum += client.read(last);
        }
        times[name].push((performance.now() - begun) / each);
        if (client.read(last) !== rev || !(sum >= 0)) throw new Error(`${name} is not up to date`);
      }
    }
    return { ours: median(times.ours), published: median(times.published) };
  }

  const results = {};
  results.snapshot = await (async () => {
    const times = { ours: [], published: [] };
    for (let round = 0; round < 30; round += 1) {
      for (const name of round % 2 === 0 ? ["ours", "published"] : ["published", "ours"]) {
        const client = clients[name]();
        await client.ready();
        const begun = performance.now();
        client.receive(snapshot);
        client.read(0);
        times[name].push(performance.now() - begun);
      }
    }
    return { ours: median(times.ours), published: median(times.published) };
  })();
  results.one = await compare(1, 40, 25);
  results.thousand = await compare(1000, 30, 2);

  // Held until their memory is read, from outside.
  globalThis.hold = async (name, count) => {
    const held = [];
    for (let index = 0; index < count; index += 1) {
      const client = clients[name]();
      await client.ready();
      client.receive(snapshot);
      client.read(0);
      held.push(client);
    }
    globalThis.held = held;
    return wasm.memory.buffer.byteLength;
  };

  // From an edit to its answer, through a real server.
  const EDITS = 300;
  const ws = `${location.origin.replace("http", "ws")}/ws`;
  const one = ours.connect(ws);
  const model = one.model("Device");
  await model.ready();
  const other = new theirs.Client("json");
  const socket = other.connect(ws);
  await new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
  const id = other.ids()[0];
  const edits = {
    ours: (number) => model.edit(["brightness"], number),
    published: (number) =>
      new Promise((resolve) => {
        const name = `edit-${number}-${performance.now()}`;
        const off = other.onAck((ack) => {
          if (ack.proposal !== name) return;
          off();
          resolve();
        });
        other.proposeOps(id, [{ Set: { path: [{ Key: "brightness" }], value: { Int: number } } }], name);
      }),
  };
  const times = { ours: [], published: [] };
  for (let edit = 0; edit < EDITS; edit += 1) {
    for (const name of edit % 2 === 0 ? ["ours", "published"] : ["published", "ours"]) {
      const begun = performance.now();
      await edits[name]((2 * edit + (name === "ours")) % 100);
      times[name].push(performance.now() - begun);
    }
  }
  results.latency = { ours: median(times.ours), published: median(times.published) };
  one.stop();
  socket.close();
  return results;
}

const device = await start("device");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  for (const [path, file] of Object.entries(files)) {
    const contentType = path.endsWith("wasm") ? "application/wasm" : "text/javascript";
    await page.route(`**${path}`, (route) => route.fulfill({ contentType, body: readFileSync(file) }));
  }
  await page.goto(device.url);
  const results = await page.evaluate(measure);

  const session = await page.context().newCDPSession(page);
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return session.send("Runtime.getHeapUsage");
  };
  const HELD = 20;
  const memory = {};
  for (const name of ["ours", "published"]) {
    const wasmBefore = await page.evaluate(() => hold("published", 0));
    const before = await heap();
    const wasm = (await page.evaluate(([name, held]) => hold(name, held), [name, HELD])) - wasmBefore;
    const after = await heap();
    memory[name] = (after.usedSize - before.usedSize + Math.max(wasm, 0)) / HELD;
  }

  const zipped = (path) => gzipSync(readFileSync(path), { level: 9 }).length;
  const size = {
    ours: zipped(files["/measured/ours.js"]),
    published: zipped(files["/measured/published.js"]) + zipped(files["/measured/published.wasm"]),
  };
  const row = (what, { ours, published }, show) => `| ${what} | ${show(ours)} | ${show(published)} | ${(published / ours).toFixed(1)}x |`;
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  const micros = (ms) => (ms < 1 ? `${(1000 * ms).toFixed(0)} us` : `${ms.toFixed(2)} ms`);
  console.log(`Chromium ${browser.version()}\n`);
  console.log("| | transports-client | published 0.10.0 | |\n|---|---|---|---|");
  console.log(row("to load, gzipped", size, kilobytes));
  console.log(row("a snapshot of 1,000 rows", results.snapshot, micros));
  console.log(row("a patch of 1 field", results.one, micros));
  console.log(row("a patch of 1,000 fields", results.thousand, micros));
  console.log(row("memory of a model of 1,000 rows", memory, kilobytes));
  console.log(row("from an edit to its answer", results.latency, micros));
} finally {
  await browser.close();
  await device.kill();
}
