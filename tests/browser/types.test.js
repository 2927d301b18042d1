// The types of models for other languages, which `tests/it/bindings.rs` keeps up to date: the TypeScript compiles and
// refuses what it should, and so does the JSON Schema.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import Ajv from "ajv/dist/2020.js";

const here = dirname(fileURLToPath(import.meta.url));

test("TypeScript takes and refuses what it should", () => {
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const options = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--target", "es2022", "--module", "nodenext"];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options, "types.ts"], { cwd: here, encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

// As the server shows it, which the Rust test sees to.
const device = JSON.parse(readFileSync(join(here, "device.json"), "utf8"));

// Each is a change of the device above that has to be refused.
const wrong = {
  "a missing field": { name: undefined }, // JSON has no undefined
  "an empty name": { name: "" },
  "a number out of range": { brightness: 101 },
  "a limit that is excluded": { gain: 1.5 },
  "a number beyond its type": { small: 256 },
  "a number with a point": { id: 1.5 },
  "an unknown name": { "fan-mode": "loud" },
  "an unknown variant": { motion: { kind: "flying" } },
  "a variant without its field": { motion: { kind: "driving" } },
  "two variants": { last: { Failed: "why", Moved: [1, 2] } },
  "content of another variant": { shape: { t: "Box", c: 1 } },
  "an item twice": { tags: ["x", "x"] },
  "too many items": { tags: ["a", "b", "c", "d"] },
  "a short array": { position: [1, 2] },
  "a long tuple": { pair: [1, null, 2] },
  "an error deep below": { boxed: { leaf: "a", below: [{ leaf: 1, below: [] }] } },
};

test("JSON Schema takes and refuses what it should", () => {
  const schema = JSON.parse(readFileSync(join(here, "models.schema.json"), "utf8"));
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
  const check = ajv.compile({ $ref: "#/$defs/Device", $defs: schema.$defs });
  assert.ok(check(device), ajv.errorsText(check.errors));
  for (const [what, change] of Object.entries(wrong)) {
    assert.equal(check(JSON.parse(JSON.stringify({ ...device, ...change }))), false, what);
  }
  const either = ajv.compile(schema);
  assert.ok(either({ volume: 3, more: 4 }) && either(device));
  assert.equal(either({ volume: 3, more: "loud" }), false);
});
