// A PDF of every deck, and a handout with its notes: node book/tools/pdf.mjs SITE [NAME…]

import { join, resolve } from "node:path";
import { openBrowser } from "./browser.mjs";
import { decks, forEach, openPrinted } from "./decks.mjs";
import { asHandout } from "./handout.mjs";

const site = resolve(process.argv[2] ?? "book/site");
const browser = await openBrowser();
await forEach(decks(site, process.argv.slice(3)), async deck => {
  const page = await openPrinted(browser, site, deck);
  const path = join(site, "slides", `${deck}.pdf`), handout = join(site, "slides", `${deck}.handout.pdf`);
  await page.pdf({ path, preferCSSPageSize: true, printBackground: true, tagged: true, outline: true });
  console.log(`→ ${path}`);
  await page.pdf({ path: handout, ...await asHandout(page), printBackground: true, tagged: true, outline: true });
  console.log(`→ ${handout}`);
  await page.context().close();
});
await browser.close();
