// The website in a real browser: no fault, no request to elsewhere, a language switch and a search that work, and nothing that keeps readers out.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { faultyFormulas, openBrowser, openPage, serve } from "../../book/tools/browser.mjs";

const site = resolve("book/site");
const axe = readFileSync(createRequire(resolve("book/package.json")).resolve("axe-core/axe.min.js"), "utf8");
const pages = ["index", "own_pictures", "training", "golf", "grading", "offline", "glossary", "comparison", "bibliography",
  ...readdirSync(join(site, "fr", "lessons")).filter(name => name.endsWith(".html")).map(name => `lessons/${name.slice(0, -5)}`)];
const lessons = pages.filter(name => name.startsWith("lessons/"));
let browser, server;

// An address of dalle_edu/address.py; empty where it is not set.
function addressed(name) {
  const written = new RegExp(`^${name} = os.environ.get\\("DALLE_EDU_${name}", "([^"]*)"\\)`, "m").exec(readFileSync("dalle_edu/address.py", "utf8"));
  return process.env[`DALLE_EDU_${name}`] ?? written[1];
}

// What ends beyond the window's right edge, with no box around it that scrolls: nobody can see its end.
function cut() {
  const scrolls = box => { for (let around = box; around && around !== document.body; around = around.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(around).overflowX)) return true; return false; };
  return [...document.querySelectorAll("main article *")].filter(box => {
    const place = box.getBoundingClientRect();
    return place.width > 1 && place.right > innerWidth + 1 && !box.closest("mjx-assistive-mml, details:not([open]), svg") && !scrolls(box);
  }).slice(0, 3).map(box => box.outerHTML.slice(0, 120));
}

before(async () => { [browser, server] = [await openBrowser(), await serve(site)]; });
after(async () => { await browser.close(); server.close(); });

// What axe finds that keeps readers out. Contrast, the dearest of its rules, depends on the style and not on the language.
async function barriers(page, options = {}) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(options => window.axe.run(document, { resultTypes: ["violations"], ...options }), options);
  return violations.filter(fault => ["serious", "critical"].includes(fault.impact))
    .map(fault => `${fault.id}: ${fault.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`);
}

// What a page says of itself: its description, its picture for those who share it, its icon, its editions.
async function checkHead(page, name, language) {
  const head = await page.evaluate(() => {
    const value = (selector, name) => document.querySelector(selector)?.getAttribute(name);
    return { words: value("meta[name=description]", "content"), picture: value("meta[property='og:image']", "content"), icon: document.querySelector("link[rel=icon]").href,
      languages: [...document.querySelectorAll("link[rel=alternate][hreflang]")].map(link => [link.hreflang, link.href]) };
  });
  assert.ok(head.words.length > 20 && head.words.length < 250);
  if (addressed("SITE")) assert.ok(head.picture.endsWith(`/assets/shared/cards/${language}.png`));
  else assert.equal(head.picture, undefined); // whoever shares a page fetches its picture from an address
  assert.deepEqual(Object.fromEntries(head.languages).fr.split("/").slice(-name.split("/").length - 1).join("/"), `fr/${name}.html`);
  assert.deepEqual(head.languages.map(([name]) => name).sort(), ["en", "fr", "x-default"]);
  assert.equal((await page.request.get(head.icon)).status(), 200);
}

for (const language of ["fr", "en"]) {
  for (const name of pages) {
    test(`${language}/${name} loads without a fault, says what it is, and keeps nobody out`, async () => {
      const page = await openPage(browser, { colorScheme: "light" });
      await page.goto(`${server.address}/${language}/${name}.html`);
      await page.evaluate(() => window.MathJax?.startup?.promise);
      assert.equal(await page.getAttribute("html", "lang"), language);
      assert.equal(await page.getAttribute("html", "data-theme"), "light");
      await checkHead(page, name, language);
      assert.deepEqual(await page.$$eval("img", images => images.filter(image => !image.alt).map(image => image.src.slice(0, 80))), []);
      assert.deepEqual(await faultyFormulas(page), []);
      if (language === "fr") {
        assert.deepEqual(await barriers(page), []);
        await page.emulateMedia({ colorScheme: "dark" });
        await page.waitForSelector("html[data-theme=dark]");
        await page.evaluate(() => Promise.all(document.getAnimations().map(each => each.finished))); // colours change in a tenth of a second
        assert.deepEqual(await barriers(page, { runOnly: ["color-contrast"] }), []);
      } else assert.deepEqual(await barriers(page, { rules: { "color-contrast": { enabled: false } } }), []);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.waitForTimeout(200);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390, "the page is wider than a telephone");
      assert.deepEqual(await page.evaluate(cut), [], "something is cut on a telephone");
      await page.waitForLoadState("networkidle");
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
      if (!addressed("REPOSITORY")) {
        assert.equal(link, undefined); // nothing leads to an address that is not set
        continue;
      }
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

for (const [language, word] of [["fr", "rétropropagation"], ["fr", "retropropagation"], ["fr", "reseau"], ["fr", "réseau"], ["fr", "Réseaux"],
  ["en", "backpropagation"], ["en", "bàckpropagation"]]) {
  test(`the search in ${language} finds « ${word} »`, async () => {
    const page = await openPage(browser);
    await page.goto(`${server.address}/${language}/search.html?q=${encodeURIComponent(word)}`);
    await page.waitForSelector("#search-results li a");
    assert.ok((await page.$$("#search-results li a")).length >= 1);
    const shown = await page.waitForSelector("#search-results p.context");
    const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    assert.ok(plain(await shown.textContent()).includes(plain(word).replace(/x?s?$/, "").slice(0, 6)), await shown.textContent());
    for (const context of await page.$$eval("#search-results p.context", boxes => boxes.map(box => box.textContent))) {
      assert.doesNotMatch(context, /import |def \w+\(|(?:return |if )self\.|self\.\w+ = |= torch/);
    }
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

test("code is not in the index of the search", async () => {
  for (const language of ["fr", "en"]) {
    const index = readFileSync(join(site, language, "searchindex.js"), "utf8");
    for (const word of ["unsqueeze", "nonlocal", "linspace"]) assert.ok(!index.includes(`"${word}"`), `${language}: ${word}`);
  }
});

test("a lesson's page weighs less than 400 kB, and its pictures are files with sizes that come late", async () => {
  for (const language of ["fr", "en"]) {
    for (const name of lessons) {
      const path = join(site, language, `${name}.html`);
      assert.ok(statSync(path).size < 400_000, `${path}: ${statSync(path).size} bytes`);
      const html = readFileSync(path, "utf8");
      assert.doesNotMatch(html, /data:image\/(png|jpeg|webp|gif)/);
      const pictures = html.match(/<img [^>]*assets\/pictures[^>]*>/g);
      assert.ok(pictures.length > 5);
      for (const picture of pictures) for (const part of [/loading="lazy"/, /width="\d+"/, /height="\d+"/, /alt="[^"]{8,}"/]) assert.match(picture, part);
      for (const [, file] of html.matchAll(/assets\/(pictures\/\w+\.webp)/g)) assert.ok(existsSync(join(site, "assets", file)), file);
    }
  }
});

test("pictures keep their shape, and stand on a light card where the page is dark", async () => {
  const page = await openPage(browser, { colorScheme: "dark" });
  await page.goto(`${server.address}/fr/${lessons[0]}.html`);
  const image = page.locator("article img[loading=lazy]").first();
  await image.scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelector("article img[loading=lazy]").naturalWidth > 0);
  const [shape, card] = await image.evaluate(box => {
    const style = getComputedStyle(box), inner = side => parseFloat(style[side]);
    return [inner("width") / inner("height") * box.naturalHeight / box.naturalWidth, style.backgroundColor + style.filter];
  });
  assert.ok(Math.abs(shape - 1) < 0.02, `${shape}`);
  assert.equal(card, "rgb(255, 255, 255)none");
  await page.context().close();
});

test("the language switch keeps the place", async () => {
  const page = await openPage(browser);
  for (const [name, id] of [[lessons[0], "exercise-3"], [lessons.at(-1), "exercise-2"], ["grading", "what-a-point-says"], ["index", "the-lessons"]]) {
    await page.goto(`${server.address}/fr/${name}.html`);
    await page.waitForLoadState("networkidle");
    await page.evaluate(() => window.MathJax?.startup?.promise);
    await page.evaluate(id => { document.getElementById(id).scrollIntoView({ behavior: "instant" }); scrollBy({ top: 10, behavior: "instant" }); }, id);
    await page.waitForTimeout(200);
    const box = await page.locator("a.language-switch").boundingBox(); // a locator's own click would scroll the page
    await Promise.all([page.waitForURL(/\/en\//), page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)]);
    assert.equal(page.url(), `${server.address}/en/${name}.html#${id}`);
    const top = await page.evaluate(id => document.getElementById(id).getBoundingClientRect().top, id);
    assert.ok(top > -200 && top < 300, `${name}: ${top}`);
  }
  await page.context().close();
});

test("headings have the same ids in both languages, and each exercise is a heading", () => {
  for (const name of pages) {
    const [fr, en] = ["fr", "en"].map(language =>
      [...readFileSync(join(site, language, `${name}.html`), "utf8").matchAll(/<section id="([^"]*)"/g)].map(found => found[1]));
    assert.deepEqual(fr, en, name);
    assert.equal(new Set(fr).size, fr.length, name);
    if (lessons.includes(name)) assert.ok(fr.includes("exercise-1") && fr.includes("exercise-4"), name);
  }
});

test("an apostrophe before a link stays one", () => {
  for (const name of pages) {
    const html = readFileSync(join(site, "fr", `${name}.html`), "utf8");
    assert.deepEqual(html.match(/.{0,40}\p{L}[“”]<a.{0,40}/gu) ?? [], [], name);
  }
});

test("no page shows a check's verdict, since it has no kernel", () => {
  for (const name of lessons) assert.doesNotMatch(readFileSync(join(site, "en", `${name}.html`), "utf8"), /✓ (Right|Correct)|open_lesson\([^)]*\)<\/pre>\s*<div class="output/);
});

test("paper is light and shows no navigation, nothing folded, no code that is cut", async () => {
  const page = await openPage(browser, { colorScheme: "dark" });
  await page.goto(`${server.address}/en/${lessons[0]}.html`);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.waitForTimeout(300);
  const seen = await page.evaluate(() => {
    const shown = selector => [...document.querySelectorAll(selector)].some(box => box.getClientRects().length > 0);
    return { navigation: shown("#pst-primary-sidebar, #pst-secondary-sidebar, .bd-header-article, .prev-next-area"), folded: shown("details:not([open])"),
      code: getComputedStyle(document.querySelector(".highlight pre")).whiteSpace, paper: getComputedStyle(document.body).backgroundColor,
      ink: getComputedStyle(document.querySelector("article p")).color };
  });
  assert.deepEqual({ navigation: seen.navigation, folded: seen.folded, code: seen.code }, { navigation: false, folded: false, code: "pre-wrap" });
  assert.equal(seen.paper, "rgb(255, 255, 255)");
  assert.ok(Math.max(...seen.ink.match(/\d+/g).slice(0, 3).map(Number)) < 100, seen.ink);
  await page.context().close();
});

test("code of 84 columns fits on a laptop", async () => {
  const page = await openPage(browser);
  for (const name of lessons) {
    await page.goto(`${server.address}/en/${name}.html`);
    await page.$$eval("details", boxes => boxes.forEach(box => { box.open = true; }));
    const wide = await page.$$eval("article .highlight pre", boxes => boxes.filter(box => box.getClientRects().length && box.scrollWidth > box.clientWidth + 1
      && box.textContent.split("\n").every(line => line.length <= 84)).map(box => box.textContent.slice(0, 100)));
    assert.deepEqual(wide, [], name);
  }
  await page.context().close();
});

test("an address that leads nowhere has a page, in both languages, that leads back", async () => {
  const page = await openPage(browser);
  for (const path of ["/nothing.html", "/fr/lessons/99_nothing.html"]) {
    const answer = await page.goto(server.address + path);
    assert.equal(answer.status(), 404);
    for (const language of ["fr", "en"]) {
      const link = await page.getAttribute(`a[data-to^=${language}]`, "href");
      assert.equal((await page.request.get(new URL(link, page.url()).href)).status(), 200);
    }
    assert.deepEqual(await barriers(page), []);
  }
  await page.context().close();
});

test("the front page shows drawings and a button on the first screen, and every link of its cards leads somewhere", async () => {
  for (const viewport of [{ width: 1280, height: 720 }, { width: 390, height: 844 }]) {
    const page = await openPage(browser, { viewport });
    for (const language of ["fr", "en"]) {
      await page.goto(`${server.address}/${language}/index.html`);
      const places = await page.$$eval("ul.drawings img, a.start", boxes => boxes.map(box => box.getBoundingClientRect().bottom));
      assert.equal(places.length, 5);
      assert.ok(Math.max(...places) <= viewport.height, `${language}: ${places}`);
      const links = await page.$$eval("a.start, .lessons a", links => links.map(link => link.href));
      for (const link of new Set(links)) assert.equal((await page.request.get(link)).status(), 200, link);
      assert.equal((await page.$$(".lessons li")).length, 18);
    }
    await page.context().close();
  }
});

test("the site holds one MathJax, and nothing that a build leaves behind", () => {
  const files = readdirSync(site, { recursive: true }).map(String);
  assert.deepEqual(files.filter(path => /\.doctrees|\.buildinfo|jupyter_execute|\.map$|fontawesome\.js|locales/.test(path)), []);
  assert.deepEqual(files.filter(path => /tex-chtml\.js$/.test(path) && !path.startsWith("slides")), ["assets/mathjax/tex-chtml.js"]);
  assert.deepEqual(files.filter(path => /^(fr|en)\/.*\.ipynb$/.test(path) && !/^(fr|en)\/_sources\/lessons\//.test(path)), []);
});
