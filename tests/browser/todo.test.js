// The page of the `todo` example: React, offline, and a server that comes and goes.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { PATIENCE, launch, start } from "./support.js";

let browser, context, todo, folder, file, one, two;

/** A tab; by now it is connected, or by Server-Sent Events where `script` leaves no other way. */
async function tab(script) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  if (script) await page.addInitScript(script);
  await page.goto(todo.url.href);
  await state(page, "open");
  await page.waitForSelector("li");
  return { page, errors };
}

const state = (page, name) => page.waitForSelector(`[data-state=${name}]`);
const texts = (page) => page.$$eval("li .text", (inputs) => inputs.map((input) => input.value));

/** Waits until the page lists these texts. */
async function lists(page, expected) {
  try {
    await page.waitForFunction(
      (expected) => [...document.querySelectorAll("li .text")].map((input) => input.value).join("\n") === expected,
      expected.join("\n"),
    );
  } catch (error) {
    throw new Error(`it should list ${expected} and lists ${await texts(page)}`, { cause: error });
  }
}

const nothingWaits = (page) => page.waitForFunction(() => !document.getElementById("pending"));

async function add(page, text) {
  await page.fill("form input", text);
  await page.press("form input", "Enter");
}

async function rename(page, index, text) {
  const input = page.locator("li .text").nth(index);
  await input.fill(text);
  await input.press("Enter");
}

/** Takes an item by its handle and puts it over another. */
async function drag(page, from, to) {
  const [a, b] = await Promise.all([from, to].map((index) => page.locator(".handle").nth(index).boundingBox()));
  await page.mouse.move(a.x + a.width / 2, a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 5 });
  await page.mouse.up();
}

const begin = (port) => start("todo", port, ["--file", file]);

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "todo-"));
  file = join(folder, "todo.json");
  todo = await begin();
  context = await browser.newContext();
  one = await tab();
  two = await tab();
  for (const { page } of [one, two]) {
    for (let left = 3; left > 0; left -= 1) {
      if (page === one.page) await page.locator(".remove").first().click();
    }
    await lists(page, []);
  }
  for (const text of ["c", "b", "a"]) await add(one.page, text);
  await lists(two.page, ["a", "b", "c"]);
  await nothingWaits(one.page);
});
afterEach(async () => {
  await context?.close();
  await todo?.kill();
  rmSync(folder, { recursive: true });
  assert.deepEqual([...one.errors, ...two.errors], []);
});

test("edits go both ways", async () => {
  await rename(two.page, 1, "<b>");
  await lists(one.page, ["a", "<b>", "c"]);
  await one.page.locator("input[type=checkbox]").nth(2).check();
  await two.page.waitForFunction(() => document.querySelectorAll("input[type=checkbox]")[2].checked);
  assert.equal(await two.page.textContent("footer"), "1 of 3 done");
  await two.page.locator(".remove").nth(0).click();
  await lists(one.page, ["<b>", "c"]);
});

test("an item is dragged to another place, or moved by keys", async () => {
  await drag(one.page, 0, 2);
  await lists(one.page, ["b", "c", "a"]);
  await lists(two.page, ["b", "c", "a"]);
  await drag(two.page, 2, 1);
  await lists(one.page, ["b", "a", "c"]);
  await one.page.locator(".handle").nth(0).press("ArrowDown");
  await lists(two.page, ["a", "b", "c"]);
});

test("what somebody types is not disturbed while others edit", async () => {
  await one.page.locator("li .text").nth(0).fill("a, longer");
  await rename(two.page, 0, "other");
  await add(two.page, "new");
  await lists(one.page, ["new", "a, longer", "b", "c"]);
  await one.page.locator("li .text").nth(1).press("Enter");
  await lists(two.page, ["new", "a, longer", "b", "c"]);
});

test("what is refused goes back, and the reason is shown", async () => {
  await rename(one.page, 0, "x".repeat(201));
  await one.page.waitForFunction(() => document.getElementById("problem").textContent.includes("length"));
  await lists(one.page, ["a", "b", "c"]);
  await rename(one.page, 0, "short");
  await lists(two.page, ["short", "b", "c"]);
  assert.equal(await one.page.textContent("#problem"), "");
});

test("the server is killed and restarted while somebody types: nothing is lost", async () => {
  const input = one.page.locator("li .text").nth(1);
  await input.fill("b, begun before");
  await todo.kill();
  await Promise.all([state(one.page, "waiting"), state(two.page, "waiting")]);
  await input.pressSequentially(" and ended after");
  await input.press("Enter");
  await add(one.page, "offline");
  await drag(one.page, 0, 3);
  await add(two.page, "also offline");
  await lists(one.page, ["a", "b, begun before and ended after", "c", "offline"]);
  assert.equal(await one.page.textContent("#pending"), "3 on the way");

  todo = await begin(todo.port);
  for (const { page } of [one, two]) {
    await state(page, "open");
    await nothingWaits(page);
  }
  await two.page.waitForFunction(() => document.querySelectorAll("li").length === 5);
  const both = await texts(one.page);
  assert.deepEqual([...both].sort(), ["a", "also offline", "b, begun before and ended after", "c", "offline"]);
  await lists(two.page, both);

  // And all of it is in the file.
  await todo.kill();
  todo = await begin(todo.port);
  await lists((await tab()).page, both);
});

test("offline for a while", async () => {
  const session = await context.newCDPSession(one.page);
  const conditions = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: true, ...conditions });
  await add(one.page, "meanwhile here");
  await rename(two.page, 2, "meanwhile there");
  assert.equal(await one.page.textContent("#pending"), "1 on the way");
  await lists(two.page, ["a", "b", "meanwhile there"]);
  await lists(one.page, ["meanwhile here", "a", "b", "c"]);
  await session.send("Network.emulateNetworkConditions", { offline: false, ...conditions });
  await lists(two.page, ["meanwhile here", "a", "b", "meanwhile there"]);
  await lists(one.page, ["meanwhile here", "a", "b", "meanwhile there"]);
  await nothingWaits(one.page);
});

test("without WebSockets the list is shown by Server-Sent Events, and edits go by POST", async () => {
  const { page, errors } = await tab(() => {
    globalThis.Working = WebSocket;
    globalThis.WebSocket = class {
      constructor() {
        throw new Error("no WebSocket here");
      }
    };
  });
  await lists(page, ["a", "b", "c"]);
  await add(two.page, "d");
  await lists(page, ["d", "a", "b", "c"]);
  await add(page, "posted");
  await lists(two.page, ["posted", "d", "a", "b", "c"]);
  await nothingWaits(page);

  // What is done meanwhile waits, and goes the better way once it is free.
  await todo.kill();
  await state(page, "waiting");
  await add(page, "waits");
  assert.equal(await page.textContent("#pending"), "1 on the way");
  await page.evaluate(() => (globalThis.WebSocket = globalThis.Working));
  todo = await begin(todo.port);
  await lists(two.page, ["waits", "posted", "d", "a", "b", "c"]);
  await lists(page, ["waits", "posted", "d", "a", "b", "c"]);
  assert.deepEqual(errors, []);
});
