// The page of the `monitor` example: a thousand rows, ten times a second.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { launch, shows, start, tab } from "./support.js";

let browser, context, monitor, page, errors;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

beforeEach(async () => {
  monitor = await start("monitor");
  context = await browser.newContext();
  ({ page, errors } = await tab(context, monitor.url));
  await page.waitForFunction(() => document.querySelectorAll(".row").length >= 1000);
});
afterEach(async () => {
  assert.deepEqual(errors, []);
  await context?.close();
  await monitor?.kill();
});

const numbers = () => page.$$eval(".row", (rows) => rows.map((row) => Number(row.children[2].textContent)));
const line = () => page.getAttribute("#processor polyline", "points");

/** Waits for so many changes of the table. */
const changes = (count) =>
  page.evaluate(
    (count) =>
      new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          count -= 1;
          if (count > 0) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(document.getElementById("rows"), { subtree: true, characterData: true });
      }),
    count,
  );

for (const transport of ["ws", "sse"]) {
  test(`rows change and plots move over ${transport}`, async () => {
    await page.selectOption("#transport", transport);
    await changes(3);
    const [before, drawn] = [await numbers(), await line()];
    await changes(3);
    const now = await numbers();
    assert.ok(now.filter((number, index) => number !== before[index]).length > 100, "most rows are others");
    assert.notEqual(await line(), drawn);
    assert.ok((await line()).split(" ").length > 3);
    await shows(page, "state", "open");
  });
}

test("the table is in order", async () => {
  const sorted = (await numbers()).every((number, index, all) => index === 0 || all[index - 1] >= number);
  assert.ok(sorted);
  await page.click("[data-by=id]");
  const ids = await page.$$eval(".row", (rows) => rows.map((row) => Number(row.firstChild.textContent)));
  assert.deepEqual(ids, ids.toSorted((a, b) => a - b));
});

test("the page keeps up", async (t) => {
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  const metrics = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const before = await metrics();
  await changes(30);
  const after = await metrics();
  const per = (name) => (after[name] - before[name]) / (after.Timestamp - before.Timestamp);
  t.diagnostic(`main thread: ${Math.round(1000 * per("TaskDuration"))} ms a second, of it script ${Math.round(1000 * per("ScriptDuration"))} ms`);
  assert.ok(per("TaskDuration") < 0.9, "there is time left");
});

test("it comes back when the server does", async () => {
  const { port } = monitor;
  await monitor.kill();
  await shows(page, "state", "waiting");
  monitor = await start("monitor", port);
  await shows(page, "state", "open");
  await changes(2);
  // Chromium itself tells of each attempt to connect while nobody listened.
  errors = errors.filter((error) => !error.includes("ERR_CONNECTION_REFUSED"));
});
