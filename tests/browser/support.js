// Programs and browsers for the tests, and ways to wait for what they show. Nothing here sleeps.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../../", import.meta.url));
const programs = process.env.TEST_PROGRAMS ?? `${root}target/debug`;
const python = process.env.TEST_PYTHON ?? `${root}.test/venv/bin/python`;

/** Milliseconds until something awaited counts as missing. */
export const PATIENCE = 15_000;

/** A program that writes lines. */
class Program {
  #process;
  #lines;

  constructor(command, args) {
    this.#process = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** The next line. */
  async line() {
    const late = new Promise((_, reject) => {
      const timer = setTimeout(() => reject(new Error("no line came")), PATIENCE);
      timer.unref();
    });
    const { value, done } = await Promise.race([this.#lines.next(), late]);
    if (done) throw new Error("the program ended");
    return value;
  }

  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

/** Starts an example; `port` 0 is any free one. */
export async function start(example, port = 0, more = []) {
  const program = new Program(`${programs}/${example}`, ["--port", String(port), ...more]);
  const url = new URL((await program.line()).replace("open ", ""));
  return { url, port: Number(url.port), line: () => program.line(), kill: () => program.kill() };
}

/** A Python client that tells each state of a counter. */
export function watch(url) {
  const script = fileURLToPath(new URL("../interop/watch_counter.py", import.meta.url));
  const program = new Program(python, [script, `ws://${url.host}/ws`]);
  return { value: async () => JSON.parse(await program.line()), kill: () => program.kill() };
}

export function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`there is no ${executablePath}: install Chromium or set CHROMIUM`);
  // The profile is a new one each time.
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A tab, with the errors that its page has had. */
export async function tab(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url.href);
  await shows(page, "state", "open");
  return { page, errors };
}

/** Waits until the element shows this text. */
export async function shows(page, id, text) {
  try {
    await page.waitForFunction(([id, text]) => document.getElementById(id).textContent === text, [id, text]);
  } catch (error) {
    throw new Error(`#${id} should show "${text}" and shows "${await page.textContent(`#${id}`)}"`, { cause: error });
  }
}

/** Waits until the input holds this value. */
export async function holds(page, id, value) {
  await page.waitForFunction(([id, value]) => document.getElementById(id).value === value, [id, value]);
}
