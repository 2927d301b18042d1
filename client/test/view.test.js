// The view of models in a notebook, in a real browser: a page that does what JupyterLab does, with a real server behind.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { build } from "esbuild";
import { chromium } from "playwright-core";

import { start } from "./rust.js";
import { WebSocket } from "./support.js";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const PATIENCE = 15_000; // ms

const host = `
  import view from "./src/widget/view.ts";
  const listeners = new Set();
  window.hear = (content) => listeners.forEach((listener) => listener(content));
  const model = {
    get: () => undefined,
    on: (_, listener) => listeners.add(listener),
    off: (_, listener) => listeners.delete(listener),
    send: (content) => window.say(content),
  };
  view.render({ model, el: document.body });
  window.value = () => document.body.transports.client.model("Kinds").value;
`;

let browser, script, worlds, socket, page, errors;

before(async () => {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", ...quiet, "--disable-component-update", "--disable-sync"] });
  const stdin = { contents: host, resolveDir: at("."), loader: "ts" };
  const bundle = await build({ stdin, bundle: true, format: "esm", write: false, loader: { ".css": "text" } });
  script = bundle.outputFiles[0].text;
});
after(() => browser?.close());

beforeEach(async () => {
  worlds = await start("worlds");
  page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
});
afterEach(async () => {
  await page.close();
  socket?.terminate();
  await worlds.kill();
  assert.deepEqual(errors, []);
});

/** Shows the model; without `schemas` as a server that knows of none. */
async function show({ schemas = true } = {}) {
  // As the kernel does: a view that is ready has a connection of its own.
  await page.exposeFunction("say", ({ ready, epoch, schema, wire }) => {
    if (!ready) return socket.send(wire);
    const query = new URLSearchParams({ epoch, ...(schemas && schema && { schema: "1" }) });
    socket = new WebSocket(`ws://127.0.0.1:${worlds.port}/kinds/ws?${query}`);
    socket.on("message", (data) => page.evaluate((wire) => window.hear({ wire }), String(data)).catch(() => {}));
  });
  const html = '<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="/view.js"></script></body>';
  await page.route("**/*", (route) => {
    const isScript = route.request().url().endsWith(".js");
    return route.fulfill({ contentType: isScript ? "text/javascript" : "text/html", body: isScript ? script : html });
  });
  await page.goto("http://127.0.0.1/");
  await row("share").waitFor();
}

const row = (name) => page.locator(`.row:has(> .name:text-is("${name}"))`).first();
const labelled = (name) => page.getByLabel(name, { exact: true });
const click = (name) => labelled(name).click();
/** Waits until the model has this in a place. */
async function is(place, expected) {
  const until = Date.now() + PATIENCE;
  const now = () => page.evaluate((place) => place.reduce((at, key) => at?.[key], window.value()), place);
  for (;;) {
    const value = await now();
    if (isDeepStrictEqual(value, expected)) return;
    if (Date.now() > until) assert.deepEqual(value, expected, await page.locator('[role="alert"]').textContent());
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

describe("the view", () => {
  test("has the control that the schema asks for", async () => {
    await show();
    const fields = ["share", "count", "shares", "counts", "pairs", "shape", "parts", "wide", "level", "dimmed", "seen", "past", "mode"];
    assert.deepEqual(await page.locator("section > details > div > .row > .name").allTextContents(), fields);
    const level = labelled("level");
    const has = (control, name) => control.getAttribute(name);
    assert.deepEqual(await Promise.all(["type", "min", "max", "step"].map((name) => has(level, name))), ["range", "-5", "1000", "1"]);
    assert.deepEqual(await labelled("mode").locator("option").allTextContents(), ["Slow", "Fast"]);
    assert.equal(await has(labelled("wide"), "type"), "number");
    assert.equal(await row("seen").locator("input, button").count(), 0, "read-only");
    assert.equal(await row("past").locator("input, button:visible").count(), 0, "read-only, with all in it");
    await labelled("mode").selectOption("Slow");
    await is(["mode"], "Slow");
  });

  test("sets options, and unsets them", async () => {
    await show();
    await click("set share");
    await is(["share"], 0);
    await labelled("share").fill("3");
    await labelled("share").press("Enter");
    await is(["share"], 3);
    await click("unset share");
    await is(["share"], null);
    await click("set dimmed");
    await is(["dimmed"], 0.25);
    assert.equal(await labelled("dimmed").getAttribute("type"), "range");
    await click("unset mode");
    await is(["mode"], null);
    await click("set mode");
    await is(["mode"], "Slow");
  });

  test("adds items and entries, and takes them out", async () => {
    await show();
    await click("add to pairs");
    await is(["pairs"], [[0, 0]]);
    await click("add to parts");
    await click("add to parts");
    await is(["parts"], [{ weight: 0, pieces: 0 }, { weight: 0, pieces: 0 }]);
    await row("parts").locator("summary").nth(2).click();
    await labelled("parts.1.weight").fill("2");
    await labelled("parts.1.weight").press("Enter");
    await is(["parts", 1], { weight: 2, pieces: 0 });
    await click("remove parts.0");
    await is(["parts"], [{ weight: 2, pieces: 0 }]);

    const key = labelled("key to add to shares");
    await key.fill("a");
    await key.press("Enter");
    await is(["shares"], { a: 0 });
    await labelled("shares.a").fill("5");
    await labelled("shares.a").press("Enter");
    await is(["shares"], { a: 5 });
    await key.fill("a");
    await click("add to shares");
    await key.fill("b");
    await click("add to shares");
    await is(["shares"], { a: 5, b: 0 });
    await click("remove shares.a");
    await is(["shares"], { b: 0 });
  });

  test("without a schema edits what is there, and no more", async () => {
    await show({ schemas: false });
    assert.equal(await labelled("level").getAttribute("type"), "number");
    assert.equal(await page.locator("button:visible").count(), 0);
    await labelled("level").fill("7");
    await labelled("level").press("Enter");
    await is(["level"], 7);
  });

  test("shows why an edit was refused, and what is", async () => {
    await show({ schemas: false });
    await labelled("level").fill("1001");
    await labelled("level").press("Enter");
    await page.locator('[role="alert"]:visible').waitFor();
    assert.match(await page.locator('[role="alert"]').textContent(), /^level: 1001 is not in /);
    assert.equal(await labelled("level").inputValue(), "0");
  });
});
