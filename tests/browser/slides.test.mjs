// Every slide of every deck fits its frame and is read from the last row, opens from a file, asks nothing of the network, keeps its place when
// the language changes, and has its page in the PDF, which has a title, a language, bookmarks and tags. A handout has the notes.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { inflateSync } from "node:zlib";
import { faultyFormulas, openBrowser, openPage } from "../../book/tools/browser.mjs";
import { decks, openPrinted } from "../../book/tools/decks.mjs";
import { measure } from "../../book/tools/measure.mjs";

const site = resolve("book/site");
const ids = {};
let browser;

before(async () => { browser = await openBrowser(); });
after(() => browser.close());

// The PDF's objects as text, those in compressed object streams too.
function textOf(path) {
  const bytes = readFileSync(path), text = bytes.toString("latin1");
  const packed = [...text.matchAll(/\/Type\s*\/ObjStm[\s\S]*?stream\r?\n/g)].map(match => {
    const start = match.index + match[0].length;
    return inflateSync(bytes.subarray(start, text.indexOf("endstream", start))).toString("latin1");
  });
  return text + packed.join("\n");
}

async function opened(page, deck, hash = "") {
  await page.goto(`file://${join(site, "slides", `${deck}.html`)}${hash}`);
  await page.waitForFunction(() => window.Reveal?.isReady());
  await page.evaluate(() => window.MathJax.startup.promise);
}

for (const deck of decks(site)) {
  test(`${deck}: slides fit and are read from afar`, async () => {
    const page = await openPrinted(browser, site, deck);
    const slides = await measure(page);
    assert.deepEqual(await faultyFormulas(page), []);
    ids[deck] = slides.map(slide => slide.id);
    assert.ok(slides.length >= 25 && slides.length <= 50, `${slides.length} slides`);
    const faults = slides.flatMap(({ id, height, width, prose, small, refused }) => [
      ...(height > 672 || width > 1280 ? [`${id}: ${width} × ${height}`] : []),
      ...(prose !== null && prose < 24 ? [`${id}: prose of ${prose} px`] : []),
      ...(small !== null && small < 20 && id !== "title" ? [`${id}: code, table or picture of ${small} px`] : []),
      ...(refused ? [`${id}: a formula is refused`] : []),
    ]);
    assert.deepEqual(faults, []);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

  test(`${deck}: nothing is covered, at any size of the window`, async () => {
    const page = await openPage(browser);
    await opened(page, deck);
    for (const viewport of [{ width: 1280, height: 720 }, { width: 1024, height: 768 }, { width: 390, height: 844 }, { width: 844, height: 390 }]) {
      await page.setViewportSize(viewport); // as when a telephone is turned
      const covered = await page.evaluate(async () => {
        const drawn = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        await drawn();
        const found = [], bar = document.querySelector(".bar").getBoundingClientRect();
        const last = Reveal.getTotalSlides() - 1; // slides end where the bar begins, each within its 672 pixels: a few will do
        for (const number of [0, 1, 3, Math.floor(last / 2), last]) {
          Reveal.slide(Reveal.getIndices(Reveal.getSlides()[number]).h, 0, 999);
          await drawn();
          const slide = Reveal.getCurrentSlide(), frame = slide.querySelector(".frame").getBoundingClientRect();
          if (frame.bottom > bar.top + 1 || frame.right > innerWidth + 1) found.push(slide.id);
        }
        const buttons = [...document.querySelectorAll(".bar button")].map(button => button.getBoundingClientRect());
        if (buttons.some(box => box.right > innerWidth || box.bottom > innerHeight || box.height < 10)) found.push("arrows are cut");
        const other = document.querySelector(".bar a[data-other]");
        if (other.scrollWidth > other.clientWidth) found.push("the other language is cut");
        return found;
      });
      assert.deepEqual(covered, [], `${viewport.width} × ${viewport.height}`);
    }
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

  test(`${deck}: the other language opens at the same slide`, async () => {
    const page = await openPage(browser);
    await opened(page, deck);
    const [language, name] = deck.split("/");
    const other = language === "fr" ? "en" : "fr";
    const id = await page.evaluate(() => { Reveal.slide(7); return Reveal.getCurrentSlide().id; });
    await page.click(".bar a[data-other]");
    await page.waitForFunction(() => window.Reveal?.isReady());
    assert.equal(await page.evaluate(() => document.documentElement.lang), other);
    assert.equal(await page.evaluate(() => Reveal.getCurrentSlide().id), id);
    if (ids[`${other}/${name}`]) assert.deepEqual(ids[deck], ids[`${other}/${name}`]);
    await page.context().close();
  });

  test(`${deck}: the PDF has a page for each slide, a title, a language, bookmarks and tags`, async () => {
    const path = join(site, "slides", `${deck}.pdf`);
    assert.ok(existsSync(path), `${path} is missing`);
    const text = textOf(path);
    assert.equal(text.match(/\/Type\s*\/Page\b/g).length, ids[deck].length);
    assert.match(text, /\/Title\s*[(<]/);
    assert.match(text, new RegExp(`/Lang\\s*\\(${deck.split("/")[0]}`));
    assert.match(text, /\/Outlines \d+ 0 R/);
    assert.match(text, /\/MarkInfo\s*<<[^>]*\/Marked true/);
    assert.match(text, /\/StructTreeRoot \d+ 0 R/);
    const bookmarks = text.match(/\/Title\s*[(<]/g).length - 1; // one is the document's own
    assert.ok(bookmarks >= ids[deck].length - 5, `${bookmarks} bookmarks for ${ids[deck].length} slides`);
    const handout = join(site, "slides", `${deck}.handout.pdf`);
    assert.ok(existsSync(handout), `${handout} is missing`);
    const pages = textOf(handout).match(/\/Type\s*\/Page\b/g).length;
    assert.ok(pages >= ids[deck].length / 4 && pages <= ids[deck].length, `${pages} pages of ${ids[deck].length} slides`);
  });
}
