// The package as an application gets it: packed, installed into a Vite project, checked and built there. The documents'
// examples are checked along.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const project = at("build/vite");

function run(command, args, cwd = project) {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}\n${error.stdout}\n${error.stderr}`, { cause: error });
  }
}

/** The examples of a document, each a module. */
function examples(document, path) {
  const blocks = [...readFileSync(at(path), "utf8").matchAll(/```(tsx?)\n([^]*?)```/g)];
  const [plain, react] = ["ts", "tsx"].map((kind) => blocks.filter(([, tag]) => tag === kind).map(([, , code]) => code));
  assert.ok(plain.length > 0);
  writeFileSync(`${project}/src/${document}.ts`, plain.join("\n"));
  if (react.length > 0) writeFileSync(`${project}/src/${document}-react.tsx`, react.join("\n"));
}

test("a Vite project with React and strict TypeScript builds with it", { timeout: 300_000 }, () => {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(`${project}/src`, { recursive: true });
  const [{ filename, files }] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], at(".")));
  assert.deepEqual(files.map(({ path }) => path).filter((path) => !path.startsWith("dist/")).sort(), ["README.md", "package.json"]);

  const { devDependencies } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const versions = Object.fromEntries(["@types/react", "@types/react-dom", "typescript"].map((name) => [name, devDependencies[name]]));
  const manifest = {
    private: true,
    type: "module",
    dependencies: { react: devDependencies.react, "react-dom": devDependencies["react-dom"], "transports-client": `file:${filename}` },
    devDependencies: { ...versions, "@vitejs/plugin-react": "6.3.0", vite: "8.3.8" },
  };
  const compilerOptions = {
    target: "ES2022",
    module: "ESNext",
    moduleResolution: "bundler",
    lib: ["ES2023", "DOM", "DOM.Iterable"],
    jsx: "react-jsx",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    types: ["react", "react-dom"],
  };
  writeFileSync(`${project}/package.json`, JSON.stringify(manifest));
  writeFileSync(`${project}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["src"] }));
  writeFileSync(`${project}/index.html`, '<div id="root"></div><script type="module" src="/src/main.tsx"></script>');
  writeFileSync(`${project}/vite.config.js`, 'import react from "@vitejs/plugin-react";\nexport default { plugins: [react()] };\n');
  cpSync(at("test/app"), `${project}/src`, { recursive: true });
  examples("readme", "README.md");
  examples("clients", "../docs/clients.md");

  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"]);
  run("npx", ["tsc", "-p", "."]);
  run("npx", ["vite", "build"]);
  const [script] = readdirSync(`${project}/dist/assets`).filter((name) => name.endsWith(".js"));
  assert.match(readFileSync(`${project}/dist/assets/${script}`, "utf8"), /the connection was lost before the server answered/);
});
