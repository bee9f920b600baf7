// The tests in a browser, two files at a time; the longest first: node tests/browser/run.mjs

import { resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const files = ["book", "slides", "copies", "lab"].map(name => resolve("tests/browser", `${name}.test.mjs`));
run({ files, concurrency: 2 }).on("test:fail", () => { process.exitCode = 1; }).compose(new spec()).pipe(process.stdout);
