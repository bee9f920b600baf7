// What MathJax says of formulas: node book/tools/latex.mjs < formulas.json
// Reads a JSON list of [formula, displayed?] and writes the list of its errors, "" for a formula that compiles. The packages are those that
// pages and decks have, but for the two that show a faulty formula in place of an error (noerrors, noundefined) and the one that would fetch
// a package from elsewhere (autoload).

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const mathjax = await createRequire(import.meta.url)("mathjax").init({
  loader: { load: ["input/tex-base", "[tex]/ams", "[tex]/newcommand", "[tex]/configmacros"] },
  tex: { packages: ["base", "ams", "newcommand", "configmacros"], formatError: (jax, error) => { throw error; } },
});

const errors = JSON.parse(readFileSync(0, "utf8")).map(([formula, display]) => {
  try {
    mathjax.tex2mml(formula, { display });
    return "";
  } catch (error) {
    return error.message;
  }
});
console.log(JSON.stringify(errors));
