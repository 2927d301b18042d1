// In a real browser: React, and what only a browser has.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import { connect as dial } from "node:net";
import { fileURLToPath } from "node:url";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { WebSocketServer } from "ws";

import { start } from "./rust.js";
import { Queue } from "./support.js";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const PATIENCE = 15_000; // ms

let browser, script, device, site, context, page, errors;

/** A page and, under the same origin, what it connects to. */
async function serve(files, upgrade) {
  const server = createServer((request, response) => {
    const file = files[new URL(request.url, "http://host").pathname];
    if (file === undefined) return response.writeHead(404).end();
    const type = file.startsWith("<") ? "text/html" : "text/javascript";
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(file);
  });
  const sockets = new Set();
  let isOpen = true;
  let dialled = 0;
  server.on("upgrade", (request, socket, head) => {
    dialled += 1;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    if (isOpen) upgrade(request, socket, head);
    else socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    get sockets() {
      return sockets.size;
    },
    get dialled() {
      return dialled;
    },
    /** Ends connections, and lets none through until told. */
    close() {
      isOpen = false;
      for (const socket of sockets) socket.destroy();
    },
    open: () => (isOpen = true),
    async end() {
      this.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** To a Rust server, as the same origin. */
const through = (port) => (request, socket, head) => {
  const target = dial(port, "127.0.0.1");
  const lines = [`GET ${request.url} HTTP/1.1`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
  }
  target.on("error", () => socket.destroy()).on("close", () => socket.destroy());
  socket.on("close", () => target.destroy());
  target.write(`${lines.join("\r\n")}\r\n\r\n`);
  target.write(head);
  socket.pipe(target).pipe(socket);
};

const html = '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/main.js"></script>';

const shows = (id, text) =>
  page
    .waitForFunction(([id, text]) => document.getElementById(id)?.textContent === text, [id, text])
    .catch(async (error) => {
      throw new Error(`#${id} should show "${text}": ${await page.textContent(`#${id}`)}`, { cause: error });
    });

before(async () => {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  const args = ["--no-sandbox", ...quiet, "--disable-component-update", "--disable-sync"];
  browser = await chromium.launch({ executablePath, args });
  const bundle = await build({
    entryPoints: [at("test/app/main.tsx")],
    bundle: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    alias: { "transports-client": at("dist/index.js"), "transports-client/react": at("dist/react.js") },
    define: { "process.env.NODE_ENV": '"development"' },
  });
  script = bundle.outputFiles[0].text;
});
after(() => browser?.close());

async function visit(url) {
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(url);
}

afterEach(async () => {
  await context?.close();
  await site?.end();
  site = undefined;
});

describe("React", () => {
  beforeEach(async () => {
    device = await start("device");
    site = await serve({ "/": html, "/main.js": script }, through(device.port));
    await visit(site.url);
    await shows("name", "lamp");
  });
  afterEach(() => device.kill());

  const edit = (path, value) => page.evaluate(([path, value]) => window.model.edit(path, value), [path, value]);
  const renders = () => page.evaluate(() => ({ ...window.renders }));

  test("components share one connection, and render what they select", async () => {
    await shows("labels", "one, two");
    await shows("whole", "lamp 50");
    await shows("state", "open");
    assert.equal(site.dialled, 1, "also in strict mode");
    await edit(["name"], "<b>");
    await shows("name", "<b>");
    await shows("whole", "<b> 50");
    assert.deepEqual(errors, []);
  });

  test("nothing renders for what it does not show", async () => {
    await shows("whole", "lamp 50");
    const before = await renders();
    await edit(["brightness"], 51);
    await edit(["meta", "y"], 5);
    await shows("whole", "lamp 51");
    const now = await renders();
    assert.deepEqual([now.name, now.labels], [before.name, before.labels]);
    // The optimistic value, and no second time for the server's, which is equal.
    assert.equal(now.whole, before.whole + 2);
    await edit(["children", 0, "label"], "eins");
    await shows("labels", "eins, two");
    await edit(["children", 0, "id"], 7);
    const last = await renders();
    assert.deepEqual([last.name, last.labels], [before.name, before.labels + 1]);
  });

  test("an edit shows at once, and one that is refused is taken back", async () => {
    await page.click("#right");
    await shows("whole", "lamp 60");
    await shows("problem", "revision 1");
    await page.click("#wrong");
    await page.waitForFunction(() => document.getElementById("problem").textContent.startsWith("refused brightness: brightness: 1000 "));
    await shows("whole", "lamp 60");
  });

  test("nothing is torn while a slow transition renders", async () => {
    await context.close();
    await visit(`${site.url}#slow`);
    await page.waitForFunction(() => [...document.querySelectorAll(".slow")].some(({ textContent }) => textContent === "50"));
    for (let round = 1; round <= 3; round += 1) {
      await page.click("#again");
      for (let step = 0; step < 5; step += 1) await edit(["brightness"], 10 * round + step);
    }
    await shows("round", "3");
    await page.waitForFunction(() => [...document.querySelectorAll(".slow")].every(({ textContent }) => textContent === "34"));
    assert.deepEqual(await page.evaluate(() => window.torn), []);
    assert.deepEqual(errors, []);
  });

  test("the connection lives as long as components do", async () => {
    await page.click("#toggle");
    await page.click("#toggle");
    await shows("name", "lamp");
    assert.equal(site.dialled, 1);
    await page.evaluate(() => window.leave());
    await page.waitForFunction(() => window.client.state === "stopped");
    assert.deepEqual(errors, []);
  });

  test("edits made offline are sent when the network is back, at once", async () => {
    // The longest pauses: only the event can end one in time.
    await page.evaluate(() => (Math.random = () => 1e6));
    await context.setOffline(true);
    site.close();
    await shows("state", "waiting");
    await page.click("#right");
    await shows("whole", "lamp 60");
    await shows("problem", "");
    site.open();
    await context.setOffline(false);
    await shows("problem", "revision 1");
    await shows("state", "open");
  });
});

describe("the module that the adapter serves", () => {
  beforeEach(async () => {
    device = await start("device");
    await visit(device.url);
  });
  afterEach(() => device.kill());

  test("speaks all codecs, and Server-Sent Events", async () => {
    const found = await page.evaluate(async () => {
      const { connect } = await import("/client.js");
      const names = [];
      const events = connect("/sse", { transport: "sse" });
      const mirror = events.model("Device");
      await mirror.ready();
      for (const codec of ["json", "msgpack", "cbor"]) {
        const client = connect("/ws", { codec });
        const model = client.model("Device");
        await model.ready();
        await model.edit(["name"], `ä€😀 ${codec}`);
        for await (const { name } of mirror) if (name.endsWith(codec)) break;
        names.push(mirror.value.name);
        client.stop();
      }
      events.stop();
      return names;
    });
    assert.deepEqual(found, ["ä€😀 json", "ä€😀 msgpack", "ä€😀 cbor"]);
    assert.deepEqual(errors, []);
  });

  test("is asked for again, and kept when it is the same", async () => {
    const [answer] = await Promise.all([page.waitForResponse((answer) => answer.url().endsWith("/client.js")), page.reload()]);
    assert.ok([200, 304].includes(answer.status()));
    const { etag } = answer.headers();
    const known = await fetch(new URL("/client.js", device.url), { headers: { "if-none-match": etag } });
    assert.equal(known.status, 304);
    assert.match(answer.headers()["cache-control"], /no-cache/);
  });
});

describe("edits by POST", () => {
  let proxy;
  beforeEach(async () => {
    device = await start("device");
  });
  afterEach(async () => {
    proxy?.closeAllConnections();
    proxy?.close();
    await device.kill();
  });

  test("are made once, though the browser sends one again whose answer is lost", async () => {
    const posts = [];
    let isLosing = false;
    proxy = createServer((request, response) => {
      const onward = forward(new URL(request.url, device.url), { method: request.method, headers: { ...request.headers, host: new URL(device.url).host, origin: device.url.slice(0, -1) } });
      request.pipe(onward).on("response", (answer) => {
        const isLost = isLosing && request.method === "POST";
        if (request.method === "POST") posts.push([request.headers["transports-post"], answer.statusCode]);
        if (isLost) {
          isLosing = false;
          // The server has taken it.
          answer.resume().on("end", () => request.socket.destroy());
        } else answer.pipe(response.writeHead(answer.statusCode, answer.headers));
      });
      response.on("close", () => onward.destroy());
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    await visit(`http://127.0.0.1:${proxy.address().port}/`);
    await page.evaluate(async () => {
      const { connect } = await import("/client.js");
      window.model = connect("/sse", { transport: "sse" }).model("Device");
      await window.model.ready();
      await window.model.push(["tags"], "first");
    });
    isLosing = true;
    const found = await page.evaluate(async () => {
      const outcome = await window.model.push(["tags"], "second").then(() => "made", ({ kind }) => kind);
      await window.model.push(["tags"], "third");
      return [outcome, ...window.model.value.tags];
    });
    assert.deepEqual(found, ["made", "a", "b", "first", "second", "third"]);
    assert.deepEqual(posts, [["1", 204], ["2", 204], ["2", 204], ["3", 204]], "what Chromium does, and our number is for");
  });
});

describe("a server that sends anything", () => {
  let peers;
  beforeEach(async () => {
    peers = new Queue();
    const sockets = new WebSocketServer({ noServer: true });
    const upgrade = (request, socket, head) => sockets.handleUpgrade(request, socket, head, (peer) => peers.push(peer));
    site = await serve({ "/": html, "/main.js": script }, upgrade);
    await visit(site.url);
  });

  test("takes a model away, and components show that it is gone", async () => {
    const peer = await peers.next();
    const device = '{"t":"snapshot","id":1,"type":"Device","rev":0,"value":{"Map":{"name":{"Str":"lamp"},"children":{"List":[]},"brightness":{"Int":1}}}}';
    peer.send(device);
    await shows("whole", "lamp 1");
    peer.send('{"t":"gone","id":1}');
    await shows("whole", "nothing yet");
    peer.send(device);
    await shows("whole", "lamp 1");
    assert.deepEqual(errors, []);
  });

  test("pollutes nothing", async () => {
    const peer = await peers.next();
    const sent = new Queue();
    peer.on("message", (data) => sent.push(String(data)));
    const polluted = '{"Map":{"polluted":{"Bool":true},"toString":{"Int":1}}}';
    const keys = ["__proto__", "constructor", "prototype"];
    const entries = keys.map((key) => `"${key}":${polluted}`).join();
    peer.send(`{"t":"snapshot","id":1,"type":"Device","rev":0,"value":{"Map":{${entries}}},"__proto__":{"polluted":1}}`);
    const path = keys.map((key) => `{"Key":"${key}"}`);
    const ops = [
      `{"Set":{"path":[${path[0]},{"Key":"more"}],"value":${polluted}}}`,
      `{"Set":{"path":[${path[1]},${path[2]}],"value":${polluted}}}`,
    ];
    peer.send(`{"t":"patch","id":1,"patch":{"rev":1,"ops":[${ops}]}}`);
    await page.waitForFunction(() => window.model.rev === 1);
    const found = await page.evaluate(() => {
      const { value } = window.model;
      const own = [value["__proto__"].more.polluted, value.constructor.prototype.polluted, Object.keys(value).join()];
      return [...own, {}.polluted, Object.polluted, [].polluted, String({})];
    });
    assert.deepEqual(found, [true, true, "__proto__,constructor,prototype", undefined, undefined, undefined, "[object Object]"]);
    await page.evaluate(() => void window.model.edit(["__proto__", "polluted"], false).catch(() => {}));
    let text;
    do text = await sent.next();
    while (!text.includes('[{"Key":"__proto__"},{"Key":"polluted"}],"value":{"Bool":false}'));
  });

  test("does not hang the tab", async () => {
    const frames = [
      "[".repeat(1_000_000),
      `{"t":"snapshot","id":1,"type":"Device","rev":0,"value":${'{"List":['.repeat(10_000)}"Null"${"]}".repeat(10_000)}}`,
      `{"t":"batch","msgs":[{"t":"batch","msgs":[]}]}`,
      `{"t":"snapshot","id":1,"type":"Device","rev":0,"value":{"Int":${"9".repeat(1_000_000)}}}`,
    ];
    await page.evaluate(() => {
      Math.random = () => 0;
      window.problems = [];
      window.client.on("problem", ({ message }) => window.problems.push(message));
    });
    for (const frame of frames) (await peers.next()).send(frame);
    await page.waitForFunction((number) => window.problems.length === number, frames.length);
    const peer = await peers.next();
    peer.send('{"t":"snapshot","id":1,"type":"Device","rev":0,"value":{"Map":{"name":{"Str":"well"},"children":{"List":[]},"brightness":{"Int":1}}}}');
    await shows("name", "well");
  });
});
