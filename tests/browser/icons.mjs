// Makes the PNG icon of the panel anew from icon.svg, for what takes no SVG: node tests/browser/icons.mjs

import { readFileSync, writeFileSync } from "node:fs";

import { launch } from "./browser.mjs";

const WWW = new URL("../../examples/www/", import.meta.url);
const SIZE = 192;

const browser = await launch();
const svg = readFileSync(new URL("icon.svg", WWW), "utf8");
const page = await browser.newPage({ viewport: { width: SIZE, height: SIZE } });
await page.setContent(`<style>* { margin: 0 } svg { display: block; width: 100vw; height: 100vh }</style>${svg}`);
writeFileSync(new URL(`icon-${SIZE}.png`, WWW), await page.screenshot());
await browser.close();
