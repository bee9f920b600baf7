// A PDF of every deck: node book/tools/pdf.mjs SITE

import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { openBrowser, openPage } from "./browser.mjs";

const site = resolve(process.argv[2] ?? "book/site");
const browser = await openBrowser();
for (const language of ["fr", "en"]) {
  const folder = join(site, "slides", language);
  for (const name of readdirSync(folder).filter(name => name.endsWith(".html"))) {
    const page = await openPage(browser);
    await page.goto(`file://${join(folder, name)}?print-pdf`);
    await page.waitForFunction(() => window.Reveal?.isReady() && document.querySelector(".pdf-page"));
    await page.evaluate(() => window.MathJax?.startup?.promise);
    const path = join(folder, name.replace(/html$/, "pdf"));
    await page.pdf({ path, preferCSSPageSize: true, printBackground: true });
    console.log(`→ ${path}`);
    await page.context().close();
  }
}
await browser.close();
