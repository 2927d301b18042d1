// Builds the front ends of the Jupyter kernel's widgets, an ES module each. With `--check` they are only compared.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

for (const name of ["view", "plot"]) {
  const { outputFiles } = await build({
    entryPoints: [at(`src/widget/${name}.ts`)],
    bundle: true,
    format: "esm",
    legalComments: "none",
    loader: { ".css": "text" },
    minify: true,
    target: "es2022",
    write: false,
  });
  const path = at(`../transports-adapters/src/jupyter/kernel/widget/${name}.js`);
  const [{ text }] = outputFiles;
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) throw new Error(`${path} is stale: run \`node scripts/widget.js\` in client/ and commit it`);
}
