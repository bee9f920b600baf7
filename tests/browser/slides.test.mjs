// Every slide of every deck fits its frame, opens from a file, asks nothing of the network, and has its page in the PDF.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { faultyFormulas, openBrowser, openPage } from "../../book/tools/browser.mjs";

const folder = resolve("book/site/slides");
let browser;

before(async () => { browser = await openBrowser(); });
after(() => browser.close());

for (const language of ["fr", "en"]) {
  for (const name of readdirSync(join(folder, language)).filter(name => name.endsWith(".html"))) {
    test(`${language}/${name}`, async () => {
      const page = await openPage(browser);
      await page.goto(`file://${join(folder, language, name)}`);
      await page.waitForFunction(() => window.Reveal?.isReady());
      await page.evaluate(() => window.MathJax.startup.promise);
      assert.deepEqual(await faultyFormulas(page), []);
      const slides = await page.evaluate(() => Reveal.getTotalSlides());
      assert.ok(slides >= 20 && slides <= 31, `${slides} slides`);
      const overflowing = [];
      for (let number = 0; number < slides; number++) {
        await page.evaluate(number => {
          const place = Reveal.getIndices(Reveal.getSlides()[number]);
          Reveal.slide(place.h, place.v, 999);
        }, number);
        await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
        const [width, height, widest, title] = await page.evaluate(() => {
          const slide = Reveal.getCurrentSlide();
          const formulas = [...slide.querySelectorAll("mjx-container[display=true] > mjx-math")];
          const widths = formulas.map(formula => formula.getBoundingClientRect().width / Reveal.getScale());
          return [slide.scrollWidth, slide.scrollHeight, Math.max(0, ...widths), slide.innerText.slice(0, 50)];
        });
        if (width > 1280 || height > 720) overflowing.push(`slide ${number + 1}: ${width} × ${height}, ${title}`);
        // The PDF draws formulas up to a tenth larger.
        if (widest > 1160) overflowing.push(`slide ${number + 1}: a formula of ${Math.round(widest)}, ${title}`);
      }
      assert.deepEqual(overflowing, []);
      assert.deepEqual(page.faults, []);
      await page.context().close();
      const pdf = join(folder, language, name.replace(/html$/, "pdf"));
      assert.ok(existsSync(pdf), `${pdf} is missing`);
      const pages = readFileSync(pdf, "latin1").match(/\/Type\s*\/Page\b/g).length;
      assert.equal(pages, slides);
    });
  }
}
