// What each slide measures, as JSON: node book/tools/measure.mjs SITE [NAME…]
//
// For each deck "LANGUAGE/NAME" its slides, in pixels of a slide of 1280 × 720: the height and width that it needs (of 672 and 1280), the
// smallest letters of its prose, and of its code, tables, controls and pictures; null where there are none. What MathJax refused is counted.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { openBrowser } from "./browser.mjs";
import { decks, forEach, openPrinted } from "./decks.mjs";

export async function measure(page) {
  return page.evaluate(() => Reveal.getSlides().map(slide => {
    const frame = slide.querySelector(".frame"), box = slide.getBoundingClientRect();
    const sizes = { prose: [], small: [] };
    let right = 0, bottom = 0;
    const walker = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || element.closest("script, style, mjx-container") || !element.checkVisibility()) continue;
      const range = document.createRange();
      range.selectNode(walker.currentNode);
      const rect = range.getBoundingClientRect();
      [right, bottom] = [Math.max(right, rect.right - box.left), Math.max(bottom, rect.bottom - box.top)];
      const isSmall = element.closest("pre, code, table, figcaption, svg, .explorer, label, output, select, button");
      sizes[isSmall ? "small" : "prose"].push(parseFloat(getComputedStyle(element).fontSize));
    }
    for (const each of frame.querySelectorAll("img, svg, mjx-math, table, pre")) {
      const rect = each.getBoundingClientRect();
      if (!rect.width) continue;
      right = Math.max(right, each.tagName === "PRE" ? rect.left - box.left + each.scrollWidth : rect.right - box.left);
      bottom = Math.max(bottom, rect.bottom - box.top);
      if (each.dataset?.smallestText) sizes.small.push(each.dataset.smallestText * rect.width / Number(each.getAttribute("width")));
    }
    const least = list => list.length ? Math.round(10 * Math.min(...list)) / 10 : null;
    return {
      id: slide.id,
      height: Math.round(Math.max(bottom, frame.offsetHeight)),
      width: Math.round(right),
      prose: least(sizes.prose),
      small: least(sizes.small),
      pictures: frame.querySelectorAll("img, svg").length,
      refused: frame.querySelectorAll("mjx-merror, [data-mjx-error]").length + (frame.innerText.includes("$$") ? 1 : 0),
    };
  }));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const site = resolve(process.argv[2] ?? "book/site"), found = {};
  const browser = await openBrowser();
  await forEach(decks(site, process.argv.slice(3)), async deck => {
    const page = await openPrinted(browser, site, deck);
    found[deck] = await measure(page);
    await page.context().close();
  });
  await browser.close();
  console.log(JSON.stringify(found));
}
