// Where Chromium is. `node book/tools/chromium.mjs` says it, or fails where there is none, or where this Node.js is too old to run the tests.

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

export const chromium = PLACES.find(place => place && existsSync(place));

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const recent = Number(process.versions.node.split(".")[0]) >= 18;
  if (chromium && recent) console.log(chromium);
  else console.error(recent ? "no Chromium was found; install it (Debian: apt install chromium) or set CHROMIUM to its path"
    : `this is Node.js ${process.versions.node}; the tests in a browser need 18 or later`);
  process.exitCode = chromium && recent ? 0 : 1;
}
