// Builds `dist` from `src`, and the module that the Rust adapter serves. With `--check` that one is only compared, and
// the sizes are held against their limits.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => readFileSync(path, "utf8");

rmSync(at("dist"), { recursive: true, force: true });
const options = { format: "esm", target: "es2022", bundle: true, minify: true, legalComments: "none" };
await build({ ...options, entryPoints: [at("src/index.ts"), at("src/mirror.ts")], outdir: at("dist") });
// One module for both, so that a client made by the one is a client to the other.
await build({ ...options, entryPoints: [at("src/react.ts")], outdir: at("dist"), packages: "external", external: ["./index.js"] });
execFileSync(process.execPath, [at("node_modules/typescript/bin/tsc"), "-p", at("tsconfig.json")], { stdio: "inherit" });

const module = read(at("dist/index.js"));
const served = {
  "client.js": module,
  // The first 16 hex digits of its SHA-256.
  "client.js.hash": createHash("sha256").update(module).digest("hex").slice(0, 16),
};
for (const [name, text] of Object.entries(served)) {
  const path = at(`../transports-adapters/src/client_js/${name}`);
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (read(path) !== text) throw new Error(`${name} is stale: run \`npm run build\` in client/ and commit it`);
}

/** Bytes with gzip -9. */
const LIMITS = { "index.js": 12_000, "mirror.js": 6_000, "react.js": 1_000 };
for (const [name, limit] of Object.entries(LIMITS)) {
  const size = gzipSync(readFileSync(at(`dist/${name}`)), { level: 9 }).length;
  console.log(`${name}: ${size} bytes gzipped, of ${limit}`);
  if (size > limit) throw new Error(`${name} is too large`);
}
