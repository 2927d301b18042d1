// The page of the `rooms` example: two people, a spectator, and whoever runs the house.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { launch, shows, start, tab } from "./support.js";

let browser, context, rooms, house, ann, bob, spectator, admin;

/** Somebody who opens the page with this query. Each has a browser of their own, as far as pages can tell. */
async function guest(query) {
  const own = await browser.newContext();
  context.push(own);
  return tab(own, new URL(query, rooms.url));
}

const lines = (page) => page.$$eval("#lines li", (items) => items.map((item) => item.textContent));

/** Waits until the board shows these lines. */
async function reads({ page }, ...expected) {
  try {
    await page.waitForFunction(
      (expected) => [...document.querySelectorAll("#lines li")].map((item) => item.textContent).join("\n") === expected,
      expected.join("\n"),
    );
  } catch (error) {
    throw new Error(`the board should read ${expected} and reads ${await lines(page)}`, { cause: error });
  }
}

async function write({ page }, text) {
  await page.fill("#say input", text);
  await page.press("#say input", "Enter");
}

/** What the desk shows, once it shows this number of visits and these people. */
async function desk(visits, people) {
  await admin.page.waitForFunction(
    ([visits, people]) => {
      const shown = document.getElementById("desk").textContent;
      const desk = shown && JSON.parse(shown);
      return desk && desk.visits === visits && JSON.stringify(Object.entries(desk.people).sort()) === people;
    },
    [visits, JSON.stringify(Object.entries(people).sort())],
  );
}

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

beforeEach(async () => {
  context = [];
  rooms = await start("rooms");
  await rooms.line();
  house = new URL((await rooms.line()).replace("the house: ", ""));
  ann = await guest("?room=tea&name=ann");
  bob = await guest("?room=tea&name=bob");
  spectator = await guest("?room=tea");
  admin = await guest(house.search);
});
afterEach(async () => {
  await Promise.all(context.map((each) => each.close()));
  await rooms?.kill();
  const errors = [ann, bob, spectator, admin].flatMap(({ errors }) => errors);
  assert.deepEqual(errors, []);
});

test("people share a board, and see who is there", async () => {
  for (const { page } of [ann, bob, spectator]) await shows(page, "people", "ann, bob");
  await write(ann, "tea is ready");
  await write(bob, "<img src=x onerror=alert(1)>");
  const expected = ["ann: tea is ready", "bob: <img src=x onerror=alert(1)>"];
  await reads(ann, ...expected);
  await reads(bob, ...expected);
  await reads(spectator, ...expected);
  const again = await guest("?room=tea&name=bob");
  await shows(again.page, "people", "ann, bob");
  await bob.page.close();
  await write(ann, "still here?");
  await reads(again, ...expected, "ann: still here?");
  await shows(ann.page, "people", "ann, bob");
  await again.page.close();
  for (const { page } of [ann, spectator]) await shows(page, "people", "ann");
});

test("notes are for whoever wrote them, also after a reload", async () => {
  await ann.page.fill("#notes", "hush");
  await write(ann, "done");
  await reads(bob, "ann: done");
  assert.equal(await bob.page.inputValue("#notes"), "");
  assert.equal(await spectator.page.isVisible("#notes"), false);
  await ann.page.reload();
  await ann.page.waitForFunction(() => document.getElementById("notes").value === "hush");
});

test("a spectator looks, and the server takes nothing from one", async () => {
  await shows(spectator.page, "people", "ann, bob");
  assert.equal(await spectator.page.isVisible("#say"), false);
  await spectator.page.evaluate(() => {
    document.querySelector("#say input").value = "boo";
    document.getElementById("say").requestSubmit();
  });
  await shows(spectator.page, "problem", "this model is only to be read here");
  await write(ann, "quiet, please");
  await reads(spectator, "ann: quiet, please");
});

test("the desk sees more, and only with the key", async () => {
  await desk(2, { tea: ["ann", "bob"] });
  const cid = await guest("?room=bar&name=cid");
  await desk(3, { bar: ["cid"], tea: ["ann", "bob"] });
  await cid.page.close();
  await desk(3, { bar: [], tea: ["ann", "bob"] });
  assert.equal(await admin.page.isVisible("#room"), false);
  const refused = await fetch(new URL("/sse?admin=wrong", rooms.url));
  assert.equal(refused.status, 403);
  await refused.body?.cancel();
});
