// The example servers.

import { once } from "node:events";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const programs = process.env.TEST_PROGRAMS ?? fileURLToPath(new URL("../../target/debug", import.meta.url));

/** Starts an example; port 0 is any free one. */
export async function start(example, port = 0) {
  const program = spawn(`${programs}/${example}`, ["--port", String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: program.stdout });
  const missing = once(program, "error").then(([error]) => {
    throw new Error(`cargo build -p ${example}`, { cause: error });
  });
  const [line] = await Promise.race([once(lines, "line"), missing]);
  const url = new URL(line.replace("open ", ""));
  return {
    url: url.href,
    port: Number(url.port),
    async kill() {
      const ended = once(program, "exit");
      program.kill("SIGKILL");
      await ended;
    },
  };
}
