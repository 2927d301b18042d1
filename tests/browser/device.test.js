// The page of the `device` example.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { holds, launch, shows, start, tab } from "./support.js";

let browser, context, device, one, two;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

beforeEach(async () => {
  device = await start("device");
  context = await browser.newContext();
  one = await tab(context, device.url);
  two = await tab(context, device.url);
  await holds(one.page, "name", "lamp");
  await holds(two.page, "name", "lamp");
});
afterEach(async () => {
  assert.deepEqual([...one.errors, ...two.errors], []);
  await context?.close();
  await device?.kill();
});

async function enter(page, id, text) {
  await page.fill(`#${id}`, text);
  await page.press(`#${id}`, "Enter");
}

test("all fields are shown", async () => {
  assert.equal(await one.page.isChecked("#on"), false);
  assert.equal(await one.page.inputValue("#brightness"), "50");
  await shows(one.page, "tags", "a, b");
  await shows(one.page, "meta", "x: 1");
  await shows(one.page, "children", "1 one, 2 two");
});

test("an edit in one tab shows in the other", async () => {
  await one.page.check("#on");
  await two.page.waitForFunction(() => document.getElementById("on").checked);
  await enter(two.page, "name", "<b>lamp</b>");
  await holds(one.page, "name", "<b>lamp</b>");
});

test("what the host adds is shown", async () => {
  await enter(one.page, "name", "tick");
  await holds(one.page, "brightness", "51");
  await holds(two.page, "brightness", "51");
});

test("a refused edit is taken back, and the reason shown", async () => {
  await enter(one.page, "brightness", "101");
  await one.page.waitForFunction(() => document.getElementById("problem").textContent.includes("brightness"));
  await holds(one.page, "brightness", "50");
  await enter(one.page, "brightness", "100");
  await holds(two.page, "brightness", "100");
  await shows(one.page, "problem", "");
});
