// The website in a real browser: no fault, no request to elsewhere, a language switch and a search that work, and nothing that keeps readers out.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { faultyFormulas, openBrowser, openPage, serve } from "../../book/tools/browser.mjs";

const site = resolve("book/site");
const axe = readFileSync(createRequire(resolve("book/package.json")).resolve("axe-core/axe.min.js"), "utf8");
const pages = ["index", "glossary", "comparison", "bibliography",
  ...readdirSync(join(site, "fr", "lessons")).filter(name => name.endsWith(".html")).map(name => `lessons/${name.slice(0, -5)}`)];
let browser, server;

before(async () => { [browser, server] = [await openBrowser(), await serve(site)]; });
after(async () => { await browser.close(); server.close(); });

for (const [language, colorScheme] of [["fr", "light"], ["en", "light"], ["fr", "dark"]]) {
  for (const name of pages) {
    test(`${language}/${name}, ${colorScheme}, loads without a fault and keeps nobody out`, async () => {
      const page = await openPage(browser, { colorScheme });
      await page.goto(`${server.address}/${language}/${name}.html`);
      await page.waitForLoadState("networkidle");
      assert.equal(await page.getAttribute("html", "lang"), language);
      assert.equal(await page.getAttribute("html", "data-theme"), colorScheme);
      assert.deepEqual(await page.$$eval("img", images => images.filter(image => !image.alt).map(image => image.src.slice(0, 80))), []);
      await page.evaluate(() => window.MathJax?.startup?.promise);
      assert.deepEqual(await faultyFormulas(page), []);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      const serious = violations.filter(fault => ["serious", "critical"].includes(fault.impact));
      assert.deepEqual(serious.map(fault => `${fault.id}: ${fault.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`), []);
      await page.setViewportSize({ width: 390, height: 844 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390, "the page is wider than a telephone");
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });
  }
}

test("a French page names its buttons in French", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/fr/${pages.at(-1)}.html`);
  const names = await page.$$eval("[title], [aria-label], img[alt]", boxes =>
    boxes.flatMap(box => ["title", "aria-label", "alt"].map(name => box.getAttribute(name) ?? "")));
  assert.deepEqual(names.filter(name => /^(Toggle|Launch|Search|Main|Download|Print|Fullscreen)|logo$/.test(name)), []);
  await page.context().close();
});

test("the buttons lead to the notebook that students work in", async () => {
  const page = await openPage(browser);
  for (const language of ["fr", "en"]) {
    await page.goto(`${server.address}/${language}/lessons/01_perceptron.html`);
    const links = await page.$$eval("a[href]", links => links.map(link => link.href));
    for (const place of ["colab.research.google.com", "mybinder.org"]) {
      const link = links.find(link => link.includes(place));
      assert.ok(link.endsWith(`/lessons/${language}/01_perceptron.ipynb`), link);
    }
    const download = links.find(link => link.includes("_sources") && link.endsWith(".ipynb"));
    const notebook = await page.request.get(download).then(answer => answer.text());
    assert.ok(notebook.includes("raise NotImplementedError"));
  }
  await page.context().close();
});

test("the language switch leads to the same page, and back", async () => {
  const page = await openPage(browser);
  const name = pages.at(-1);
  await page.goto(`${server.address}/fr/${name}.html`);
  await page.click("a.language-switch");
  assert.equal(page.url(), `${server.address}/en/${name}.html`);
  await page.click("a.language-switch");
  assert.equal(page.url(), `${server.address}/fr/${name}.html`);
  await page.context().close();
});

for (const [language, word] of [["fr", "rétropropagation"], ["en", "backpropagation"]]) {
  test(`the search in ${language} finds « ${word} »`, async () => {
    const page = await openPage(browser);
    await page.goto(`${server.address}/${language}/search.html?q=${encodeURIComponent(word)}`);
    await page.waitForSelector("#search-results li a");
    assert.ok((await page.$$("#search-results li a")).length >= 1);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test("pointing at a token shows where it looks", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/en/lessons/05_attention.html`);
  const box = page.locator(".explorer").filter({ has: page.locator("[role=radiogroup]") });
  await box.locator("label").nth(2).hover();
  const shown = await box.locator("img").getAttribute("alt");
  await box.locator("label").nth(1).hover();
  assert.notEqual(await box.locator("img").getAttribute("alt"), shown);
  await page.context().close();
});

test("a finished widget answers without a kernel", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/en/lessons/01_perceptron.html`);
  const box = page.locator(".explorer").first();
  const before = await box.locator("img").getAttribute("src");
  await box.locator("input[type=range]").first().fill("6");
  assert.notEqual(await box.locator("img").getAttribute("src"), before);
  await page.context().close();
});
