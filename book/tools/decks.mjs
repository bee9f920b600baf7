// The decks of a site, opened as they are printed: every slide in sight at its own size, its formulas set and its picture fitted.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openPage } from "./browser.mjs";

// The decks of SITE as "LANGUAGE/NAME", or those among `names`.
export function decks(site, names = []) {
  const folder = join(site, "slides");
  const languages = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).filter(each => each.isDirectory()) : [];
  return languages.flatMap(({ name: language }) => readdirSync(join(folder, language)).filter(file => file.endsWith(".html"))
    .map(file => `${language}/${file.replace(/\.html$/, "")}`)).filter(deck => !names.length || names.includes(deck.split("/")[1]));
}

// Do something with each of several things, two at a time: browsers draw a page on one core.
export async function forEach(things, action) {
  const left = [...things];
  const work = async () => { while (left.length) await action(left.shift()); };
  await Promise.all([work(), work()]);
}

export async function openPrinted(browser, site, deck) {
  const page = await openPage(browser);
  await page.goto(`file://${join(site, "slides", `${deck}.html`)}?print-pdf`);
  await page.waitForFunction(() => document.documentElement.dataset.fitted === "yes");
  return page;
}
