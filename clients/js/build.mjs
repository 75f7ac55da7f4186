// Fills dist/ with the modules of the panel that clients use, and their types: `npm pack` runs it.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const SOURCE = folder("../../examples/www/");
const TARGET = folder("dist/");

/** What the package exports, and all that it imports. */
const names = new Set(["vscp.js", "vscp-widgets.js", "measurement.js"]);
for (const name of names) {
  const text = readFileSync(SOURCE + name, "utf8");
  for (const [, imported] of text.matchAll(/"\.\/([\w.-]+)"/g)) {
    if (existsSync(SOURCE + imported)) {
      names.add(imported);
    }
  }
}

rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET);
for (const name of names) {
  copyFileSync(SOURCE + name, TARGET + name);
  const license = name.replace(/\.js$/, ".LICENSE.txt");
  if (existsSync(SOURCE + license)) {
    copyFileSync(SOURCE + license, TARGET + license);
  }
}
copyFileSync(folder("../../LICENSE"), TARGET + "LICENSE");
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
execFileSync(process.execPath, [compiler, "--project", folder("tsconfig.json")], { stdio: "inherit" });
