// The tests in a browser, two files at a time; those that take longest first: node tests/browser/run.mjs

import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const folder = resolve("tests/browser"), first = ["book.test.mjs", "slides.test.mjs"];
const others = readdirSync(folder).filter(name => name.endsWith(".test.mjs") && !first.includes(name));
const files = [...first, ...others].map(name => resolve(folder, name));
run({ files, concurrency: 2 }).on("test:fail", () => { process.exitCode = 1; }).compose(new spec()).pipe(process.stdout);
