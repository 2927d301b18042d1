// The page of the `counter` example, in two tabs of a real browser.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { launch, shows, start, tab, watch } from "./support.js";

let browser, context, counter, one, two;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

beforeEach(async () => {
  counter = await start("counter");
  context = await browser.newContext();
  one = await tab(context, counter.url);
  two = await tab(context, counter.url);
});
afterEach(async () => {
  await context?.close();
  await counter?.kill();
});

test("a click in one tab shows in the other", async () => {
  await shows(one.page, "count", "0");
  await one.page.click("#more");
  await shows(two.page, "count", "1");
  await two.page.click("#less");
  await two.page.click("#less");
  await shows(one.page, "count", "-1");
  await shows(two.page, "count", "-1");
  assert.deepEqual([...one.errors, ...two.errors], []);
});

test("no click is lost", async () => {
  await shows(one.page, "count", "0");
  await one.page.evaluate(() => {
    for (let click = 0; click < 25; click += 1) document.getElementById("more").click();
  });
  await shows(one.page, "count", "25");
  await shows(two.page, "count", "25");
  await shows(one.page, "problem", "");
});

test("the counter ticks", async () => {
  const tick = await one.page.textContent("#tick");
  await one.page.waitForFunction((tick) => document.getElementById("tick").textContent !== tick, tick);
  assert.deepEqual(one.errors, []);
});

test("people come and go", async () => {
  await shows(one.page, "people", "2");
  await shows(two.page, "people", "2");
  const three = await tab(context, counter.url);
  await shows(one.page, "people", "3");
  await three.page.close();
  await two.page.close();
  await shows(one.page, "people", "1");
  assert.deepEqual(one.errors, []);
});

test("tabs come back when the server does, and agree", async () => {
  await shows(one.page, "count", "0");
  await one.page.click("#more");
  await shows(two.page, "count", "1");
  await counter.kill();
  await shows(one.page, "state", "waiting");
  await shows(one.page, "count", "1");

  counter = await start("counter", counter.port);
  for (const { page } of [one, two]) {
    await shows(page, "state", "open");
    await shows(page, "count", "0");
    await shows(page, "people", "2");
  }
  await two.page.click("#more");
  await shows(one.page, "count", "1");
  await shows(two.page, "count", "1");
  // Chromium itself tells of each attempt to connect while nobody listened.
  const errors = [...one.errors, ...two.errors].filter((error) => !error.includes("ERR_CONNECTION_REFUSED"));
  assert.deepEqual(errors, []);
});

test("clicks while the server is away are counted once it is back", async () => {
  await shows(one.page, "count", "0");
  await counter.kill();
  await shows(one.page, "state", "waiting");
  for (let click = 0; click < 3; click += 1) await one.page.click("#more");
  await shows(one.page, "count", "3");

  counter = await start("counter", counter.port);
  await shows(two.page, "count", "3");
  await shows(one.page, "count", "3");
  await shows(one.page, "problem", "");
});

test("two browser tabs and a Python client show one counter", async (t) => {
  const python = watch(counter.url);
  t.after(() => python.kill());
  await one.page.click("#more");
  await two.page.waitForFunction(() => document.getElementById("count").textContent === "1");
  await two.page.click("#more");

  const fields = ["count", "label", "people", "tick"];
  const texts = (page) => page.evaluate((fields) => fields.map((id) => document.getElementById(id).textContent), fields);
  const told = async () => {
    const value = await python.value();
    return fields.map((field) => String(value[field]));
  };
  // It goes on while it is looked at, so there may be a step in between; not each time, though.
  for (;;) {
    const expected = await told();
    const shown = [await texts(one.page), await texts(two.page)];
    if (expected[0] === "2" && expected[2] === "3" && shown.every((texts) => String(texts) === String(expected))) break;
  }
  assert.deepEqual([...one.errors, ...two.errors], []);
});
