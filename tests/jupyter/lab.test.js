// The kernel of `examples/notebook` in a real JupyterLab, in a real browser.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const { chromium } = createRequire(new URL("../browser/package.json", import.meta.url))("playwright-core");

const { TEST_PROGRAMS, TEST_JUPYTER, TEST_SCREENSHOT } = process.env;
const PATIENCE = 60_000; // ms; only a failure waits for it

let folder, lab, address, browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lab-"));
  const program = join(TEST_PROGRAMS, "notebook");
  const installed = spawnSync(program, ["--install", "--prefix", folder], { encoding: "utf8", timeout: PATIENCE });
  assert.equal(installed.status, 0, installed.stderr);
  const port = await freePort();
  const options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", `--port=${port}`, "--ServerApp.port_retries=0"];
  options.push("--IdentityProvider.token=test", "--LabApp.expose_app_in_browser=True", `--ServerApp.root_dir=${folder}`);
  // Says nothing of its own accord, on screenshots least of all.
  writeFileSync(join(folder, "overrides.json"), JSON.stringify({ "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false } }));
  const settings = join(folder, "lab-settings");
  cpSync(join(folder, "overrides.json"), join(settings, "overrides.json"));
  const paths = { JUPYTER_PATH: join(folder, "share/jupyter"), JUPYTER_CONFIG_DIR: join(folder, "config"), JUPYTER_DATA_DIR: join(folder, "data"), JUPYTER_RUNTIME_DIR: join(folder, "runtime"), JUPYTERLAB_WORKSPACES_DIR: join(folder, "workspaces"), HOME: folder };
  options.push(`--LabApp.app_settings_dir=${settings}`);
  lab = spawn(TEST_JUPYTER, ["lab", ...options], { env: { ...process.env, ...paths }, stdio: ["ignore", "ignore", "pipe"], detached: true });
  let log = "";
  lab.stderr.on("data", (text) => (log += text));
  address = `http://127.0.0.1:${port}`;
  await eventually("the server answers", async () => {
    assert.equal(lab.exitCode, null, log);
    return (await fetch(`${address}/api/status?token=test`)).ok;
  });
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  if (lab?.exitCode === null) {
    const gone = new Promise((resolve) => lab.once("exit", resolve));
    lab.kill();
    await gone;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function eventually(what, check) {
  const deadline = Date.now() + PATIENCE;
  let last;
  while (Date.now() < deadline) {
    try {
      const value = await check();
      if (value) return value;
      last = value;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: never, but ${last}`);
}

/** The picture of `docs/jupyter.md`. */
async function takePicture() {
  const page = await Page.open(notebook("show", "set Greenhouse.mode = Automatic", "watch Greenhouse.celsius 4"));
  for (const index of [0, 1, 2]) await page.run(index);
  await eventually("the plot is done", async () => (await page.output(2).allTextContents()).join("").includes("changes, from"));
  await page.tab.setViewportSize({ width: 1100, height: 860 });
  await page.tab.locator(".jp-NotebookPanel").screenshot({ path: TEST_SCREENSHOT });
  await page.close();
}

let notebooks = 0;

/** A notebook with these cells, not yet open. */
function notebook(...cells) {
  return notebookOf("greenhouse", cells);
}

function notebookOf(kernel, cells) {
  const name = `n${(notebooks += 1)}.ipynb`;
  const content = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: kernel, display_name: kernel, language: "text" } },
    cells: cells.map((source, index) => ({ cell_type: "code", id: `c${index}`, metadata: {}, execution_count: null, outputs: [], source })),
  };
  writeFileSync(join(folder, name), JSON.stringify(content));
  return name;
}

class Page {
  static async open(name) {
    const page = new Page();
    page.name = name;
    page.tab = await (await browser.newContext({ viewport: { width: 1100, height: 760 } })).newPage();
    page.tab.setDefaultTimeout(PATIENCE);
    const workspace = `w${Math.random().toString(36).slice(2)}`;
    await page.tab.goto(`${address}/lab/workspaces/${workspace}/tree/${name}?token=test`);
    await page.kernelReady();
    return page;
  }

  async kernelReady() {
    await this.tab.waitForFunction((name) => {
      const panel = [...(window.jupyterapp?.shell.widgets("main") ?? [])].find((widget) => widget.context?.path === name);
      return panel?.sessionContext.session?.kernel?.status === "idle";
    }, this.name);
  }

  /** Runs a cell by its number. */
  async run(index) {
    await this.tab.evaluate(
      async ([name, index]) => {
        const { shell, commands } = window.jupyterapp;
        const panel = [...shell.widgets("main")].find((widget) => widget.context?.path === name);
        shell.activateById(panel.id);
        panel.content.activeCellIndex = index;
        await commands.execute("notebook:run-cell");
      },
      [this.name, index],
    );
  }

  output(index) {
    return this.tab.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea-output");
  }

  /** The widget of a cell: the element itself, not what looks like it. */
  widget(index) {
    return this.tab.locator(".jp-Notebook .jp-Cell").nth(index).locator(".transports");
  }

  row(index, name) {
    return this.widget(index).locator(`.row:has(> .name:text-is("${name}"))`).first();
  }

  /** What the view holds, straight from its client. */
  value(index) {
    return this.widget(index).evaluate((root) => {
      let element = root;
      while (!element.transports) element = element.parentElement ?? element.getRootNode().host;
      return element.transports.client.model(1).value;
    });
  }

  async close() {
    await this.tab.context().close();
  }
}

test("a widget is live, and edits go both ways", async () => {
  const page = await Page.open(notebook("show", "get Greenhouse.wanted", "set Greenhouse.wanted = 30", "get Greenhouse.name", "watch Greenhouse.celsius 2"));
  await page.run(0);
  await page.row(0, "steps").waitFor();
  const steps = async () => Number(await page.row(0, "steps").locator("output").textContent());

  const [first, at] = [await steps(), Date.now()];
  await eventually("twenty steps more are shown", async () => (await steps()) >= first + 20);
  const seconds = (Date.now() - at) / 1000;
  assert.ok(seconds < 10, `20 steps of 10 Hz took ${seconds} s to be seen`);

  // A slider keeps to its range, and what it is dragged to arrives.
  const slider = page.row(0, "wanted").locator("input[type=range]");
  assert.deepEqual(
    await slider.evaluate(({ min, max, step, value }) => [min, max, step, value]),
    ["5", "35", "1", "21"],
  );
  await slider.focus();
  await slider.press("End");
  await eventually("the slider's end arrives", async () => (await page.value(0)).wanted === 35);
  await page.run(1);
  await eventually("a cell reads it", async () => (await page.output(1).textContent()).includes("35"));

  // And from a cell to the slider.
  await page.run(2);
  await eventually("the slider follows", async () => (await slider.inputValue()) === "30");

  const select = page.row(0, "mode").locator("select");
  assert.deepEqual(await select.locator("option").allTextContents(), ["Manual", "Automatic", "Closed"]);
  await select.selectOption("Automatic");
  await eventually("the heating turns on", async () => page.row(0, "heating").locator("input[role=switch]").isChecked());
  assert.equal(await page.row(0, "steps").locator("input").count(), 0, "only the host changes it");

  const name = page.row(0, "name").locator("input");
  // Each of these letters is a shortcut of the notebook.
  await name.fill("");
  await name.pressSequentially("abxm");
  await name.press("Enter");
  await page.run(3);
  await eventually("a cell reads the name", async () => (await page.output(3).textContent()).includes("abxm"));

  await page.run(4);
  const plot = page.tab.locator(".jp-Notebook .jp-Cell").nth(4).locator(".transports-plot");
  await eventually("the plot grows", async () => Number(await plot.getAttribute("data-points")) > 5);
  await eventually("the plot says what it saw", async () => (await page.output(4).allTextContents()).join("").includes("changes, from"));
  if (TEST_SCREENSHOT) await takePicture();
  await page.close();
});

test("a refused edit shows path and reason, and the control goes back", async () => {
  const page = await Page.open(notebook("show"));
  await page.run(0);
  // Deeper than two levels it shows on demand.
  await page.row(0, "0").locator("summary").click();
  const moisture = page.row(0, "moisture").locator("input");
  await moisture.waitFor();
  // As from another front end, that knows of no range.
  await moisture.evaluate((input) => {
    input.max = "5";
    input.value = "3";
    input.dispatchEvent(new Event("change"));
  });
  const alert = page.widget(0).getByRole("alert");
  await alert.waitFor({ state: "visible" });
  assert.match(await alert.textContent(), /^beds\[0\]\.moisture: 3\.0 is not in 0\.0\.\.=1\.0$/);
  assert.equal(await moisture.inputValue(), "0.5");
  await page.close();
});

test("items are added and taken out by the schema", async () => {
  const page = await Page.open(notebook("show"));
  await page.run(0);
  await page.row(0, "beds").waitFor();
  const labelled = (name) => page.widget(0).getByLabel(name, { exact: true });
  await labelled("add to beds").click();
  await eventually("a third bed", async () => (await page.value(0)).beds.length === 3);
  assert.deepEqual((await page.value(0)).beds[2], { plant: "", moisture: 0 });
  await labelled("remove beds.0").click();
  await eventually("the first is gone", async () => (await page.value(0)).beds.map(({ plant }) => plant).join() === "basil,");
  assert.equal(await page.widget(0).getByRole("alert").isVisible(), false);
  await page.close();
});

test("a page that is loaded anew is live again", async () => {
  const page = await Page.open(notebook("show"));
  await page.run(0);
  await page.row(0, "steps").waitFor();
  await page.tab.evaluate((name) => window.jupyterapp.serviceManager.contents && [...window.jupyterapp.shell.widgets("main")].find((w) => w.context?.path === name).context.save(), page.name);
  const before = (await page.value(0)).steps;
  await page.tab.reload();
  await page.kernelReady();
  await page.row(0, "steps").waitFor();
  const after = (await page.value(0)).steps;
  assert.ok(after > before, "it is the same greenhouse");
  await eventually("it is live", async () => (await page.value(0)).steps > after + 5);
  await page.close();
});

test("two tabs on one kernel hold the same", async () => {
  const name = notebook("show");
  const one = await Page.open(name);
  await one.run(0);
  await one.row(0, "steps").waitFor();
  await one.tab.evaluate((name) => [...window.jupyterapp.shell.widgets("main")].find((w) => w.context?.path === name).context.save(), name);
  const two = await Page.open(name);
  await two.row(0, "steps").waitFor();
  // Both name their proposals alike; neither may take the other's answer for its own.
  for (const [here, there, value] of [[one, two, "a"], [two, one, "b"], [one, two, "c"]]) {
    const input = here.row(0, "name").locator("input");
    await input.fill(value);
    await input.press("Enter");
    await eventually(`the other tab has ${value}`, async () => (await there.value(0)).name === value);
  }
  for (const page of [one, two]) assert.equal(await page.widget(0).getByRole("alert").isVisible(), false);
  const [a, b] = [(await one.value(0)).steps, (await two.value(0)).steps];
  await eventually("both are live", async () => (await one.value(0)).steps > a + 3 && (await two.value(0)).steps > b + 3);
  await one.close();
  await two.close();
});

test("a burst of 50,000 updates ends equal", async () => {
  const page = await Page.open(notebook("show", "burst 50000"));
  await page.run(0);
  await page.row(0, "steps").waitFor();
  await page.run(1);
  await eventually("the cell is done", async () => (await page.output(1).allTextContents()).join("").includes("at least"));
  const least = Number((await page.output(1).textContent()).match(/at least (\d+) steps/)[1]);
  assert.ok(least >= 50_000);
  await eventually("the view has it all", async () => (await page.value(0)).steps >= least);
  assert.equal((await page.output(1).allTextContents()).join("").includes("rate exceeded"), false);
  await page.close();
});

test("a restarted kernel begins anew", async () => {
  const page = await Page.open(notebook("set Greenhouse.name = south", "show", "get Greenhouse.name"));
  await page.run(0);
  await page.run(2);
  await eventually("it is set", async () => (await page.output(2).textContent()).includes("south"));
  await page.tab.evaluate((name) => [...window.jupyterapp.shell.widgets("main")].find((w) => w.context?.path === name).sessionContext.session.kernel.restart(), page.name);
  await page.kernelReady();
  await page.run(2);
  await eventually("it is as at first", async () => (await page.output(2).textContent()).includes("north"));
  await page.run(1);
  await page.row(1, "steps").waitFor();
  const steps = (await page.value(1)).steps;
  await eventually("a new widget is live", async () => (await page.value(1)).steps > steps + 3);
  await page.close();
});

test("the widget of the published package works against this server", async () => {
  const { stdout } = spawnSync(join(dirname(TEST_JUPYTER), "python"), ["-c", "import transports, pathlib; print(pathlib.Path(transports.__file__).parent / 'extension/cdn/widget.js')"], { encoding: "utf8" });
  const page = await Page.open(notebook(`front-end ${stdout.trim()}`, "set Greenhouse.name = south", "get Greenhouse.name"));
  await page.run(0);
  // It shows the model as JSON.
  const view = page.output(0).locator("pre").filter({ hasText: '"steps"' });
  const shown = async () => JSON.parse(await view.textContent());
  const { steps, name } = await shown();
  assert.equal(name, "north");
  await eventually("it is live", async () => (await shown()).steps > steps + 5);
  await page.run(1);
  await eventually("it shows what a cell set", async () => (await shown()).name === "south");
  await view.evaluate((element) => {
    while (!element.transports) element = element.parentElement;
    element.transports.edit(1, ["name"], "east");
  });
  await eventually("it shows its own edit", async () => (await shown()).name === "east");
  await page.run(2);
  await eventually("its edit arrives", async () => (await page.output(2).textContent()).includes("east"));
  await page.close();
});

test("the view works against the published package in a Python kernel", async () => {
  const module = fileURLToPath(new URL("../../transports-adapters/src/jupyter/kernel/widget/view.js", import.meta.url));
  const setup = `
import pathlib, anywidget, transports
from pydantic import BaseModel
class Lamp(BaseModel):
    name: str = "lamp"
    level: float = 1.0
session = transports.Session()
lamp = Lamp()
session.host(lamp)
server = transports.Server(session)
class View(anywidget.AnyWidget):
    _esm = pathlib.Path(${JSON.stringify(module)}).read_text()
view = View()
transports.serve_anywidget(server, view)
view`;
  const page = await Page.open(notebookOf("python3", [setup, "lamp.level = 2.5\ntransports.sync(server)", "lamp.name"]));
  await page.run(0);
  await page.row(0, "name").waitFor();
  await page.run(1);
  await eventually("it shows what the host set", async () => (await page.value(0)).level === 2.5);
  const name = page.row(0, "name").locator("input");
  await name.fill("bulb");
  await name.press("Enter");
  await eventually("the answer came", async () => (await page.value(0)).name === "bulb");
  await page.run(2);
  await eventually("its edit arrives", async () => (await page.output(2).textContent()).includes("bulb"));
  await page.close();
});

test("a notebook of another kernel connects to a server, directly and through the proxy", async () => {
  const server = spawn(join(TEST_PROGRAMS, "remote"), ["--origin", address, "--port", "0"], { env: { ...process.env, TOKEN: "secret" }, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await new Promise((resolve) => server.stdout.once("data", (line) => resolve(String(line).trim())));
    const { port } = new URL(url);
    const example = fileURLToPath(new URL("../../examples/notebook", import.meta.url));
    const page = await Page.open(
      notebookOf("python3", [
        `import sys; sys.path.insert(0, ${JSON.stringify(example)}); sys.dont_write_bytecode = True\nfrom remote import remote\nremote(${JSON.stringify(url)}, token="secret")`,
        `remote("proxy/${port}/ws", token="secret")`,
        `remote("proxy/${port}/ws", token="wrong")`,
      ]),
    );
    for (const index of [0, 1, 2]) await page.run(index);
    for (const index of [0, 1]) {
      const view = page.output(index).locator("pre[data-state]");
      await eventually(`cell ${index} is live`, async () => /"seconds": [1-9]/.test(await view.textContent()));
    }
    const refused = page.output(2).locator("pre[data-state]");
    await eventually("a wrong token is refused", async () => (await refused.getAttribute("data-state")) === "waiting");
    assert.equal(await refused.textContent(), "");
    await page.close();
  } finally {
    server.kill();
  }
});
