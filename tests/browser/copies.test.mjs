// A student's own copy in JupyterLab: answered by keyboard alone, saved, read again without a kernel, and renewed with the answer in it.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { openBrowser, openPage } from "../../book/tools/browser.mjs";

const token = "a-token-for-the-test", port = 9399 + (process.pid % 500), address = `http://127.0.0.1:${port}`;
const shots = process.env.SHOTS; // a folder for screenshots, to look at
let browser, lab;

before(async () => { browser = await openBrowser(); });
after(() => browser.close());
afterEach(async () => {
  const gone = new Promise(resolve => lab.once("exit", resolve));
  lab.kill();
  await gone;
});

const ask = (path, options = {}) => fetch(`${address}/api/${path}?token=${token}`, options);

async function startLab(language, folder) {
  lab = spawn(resolve(".venv/bin/dalle-edu"), ["lab", "--language", language, "--to", folder, "--", "--no-browser", "--allow-root",
    "--ServerApp.ip=127.0.0.1", `--ServerApp.port=${port}`, `--IdentityProvider.token=${token}`, "--LabApp.expose_app_in_browser=True"],
    { stdio: "ignore", env: { ...process.env, DALLE_EDU_DESK: join(folder, ".desk"), JUPYTERLAB_WORKSPACES_DIR: join(folder, ".tabs") } });
  for (let i = 0; i < 120 && !await ask("status").then(answer => answer.ok, () => false); i++) await new Promise(resolve => setTimeout(resolve, 500));
}

const get = (language, folder) => execFileSync(resolve(".venv/bin/dalle-edu"), ["lessons", "get", "start", "--language", language, "--to", folder],
  { encoding: "utf8", env: { ...process.env, DALLE_EDU_LANGUAGE: language } });

async function open(page) {
  await page.goto(`${address}/?token=${token}`); // the start page is its default
  await page.waitForSelector(".jp-Notebook .jp-CodeCell", { timeout: 60_000 });
}

async function idle(page) {
  for (let i = 0; i < 240; i++) {
    const kernels = await ask("kernels").then(answer => answer.json());
    if (Array.isArray(kernels) && kernels.some(kernel => kernel.execution_state === "idle" && kernel.connections > 0)) return;
    await page.waitForTimeout(250);
  }
  throw new Error("the kernel never came to rest");
}

// Save until the file has some words: what was typed last may still be on its way to the kernel or back.
async function save(page, file, words) {
  for (let i = 0; i < 60 && !readFileSync(file, "utf8").includes(words); i++) {
    if (i % 12 === 0) await page.keyboard.press("Control+s");
    await page.waitForTimeout(250);
  }
}

async function shutDown() {
  for (const { id } of await ask("sessions").then(answer => answer.json())) await ask(`sessions/${id}`, { method: "DELETE" });
}

// Choose the cell whose text has some words, as arrows would, and leave the keyboard in it.
const choose = (page, words) => page.evaluate(words => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = content.widgets.findIndex(({ model }) => model.type === "code" && model.sharedModel.source.includes(words));
  content.activate();
}, words);

async function run(page, words) {
  await choose(page, words);
  await page.keyboard.press("Shift+Enter");
}

const words = {
  fr: { skipped: "n'est pas encore connu", back: "Bon retour", right: "juste", answered: "Juste", again: "relancez la cellule", changed: "Cette leçon a changé" },
  en: { skipped: "is not known yet", back: "Welcome back", right: "right", answered: "Right", again: "run the cell", changed: "This lesson has changed" },
};

for (const language of ["fr", "en"]) {
  test(`a copy in ${language} keeps what was written`, { timeout: 240_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "copies-")), file = join(folder, "start.ipynb"), said = words[language];
    get(language, folder);
    await startLab(language, folder);
    let page = await openPage(browser, { viewport: { width: 1200, height: 1000 } });
    await open(page);
    await idle(page);
    await run(page, "find_spec");
    await choose(page, "def double");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("def double(x):\nreturn 2 * x");
    await page.keyboard.press("Shift+Enter");
    await run(page, "expect(");
    await page.waitForFunction(word => document.querySelector(".jp-Notebook").innerText.match(`✓.*${word}`), said.right, { timeout: 60_000 });
    await run(page, "Number(");
    await page.waitForSelector(".jp-OutputArea .jupyter-widgets input[type=text]", { timeout: 60_000 });
    await page.waitForTimeout(500); // Shift+Enter chooses the next cell, and takes the keyboard there
    await page.locator(".jp-OutputArea .jupyter-widgets input[type=text]").first().focus();
    await page.keyboard.type("3");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.waitForFunction(word => document.querySelector(".jp-OutputArea .jupyter-widgets")?.closest(".jp-OutputArea").innerText.includes(word),
      said.answered, { timeout: 30_000 });
    if (shots) await page.screenshot({ path: join(shots, `${language}-live.png`) });
    await save(page, file, said.again);
    await page.context().close();
    await shutDown();

    assert.ok(!readFileSync(file, "utf8").includes("widget-view"), "the file names a widget that is no more");
    page = await openPage(browser, { viewport: { width: 1200, height: 1000 } });
    await open(page);
    await choose(page, "Number("); // JupyterLab draws the cells that are in sight
    await page.waitForFunction(word => document.querySelector(".jp-Notebook").innerText.includes(word), said.again, { timeout: 30_000 });
    const text = await page.locator(".jp-Notebook").innerText();
    assert.match(text, /✓/);
    assert.doesNotMatch(text, /model not found|Loading widget|Error displaying|VBox\(/);
    if (shots) await page.screenshot({ path: join(shots, `${language}-reopened.png`) });

    await idle(page); // the next day: a new kernel, which knows nothing yet
    await run(page, "expect(");
    await page.waitForFunction(word => document.querySelector(".jp-Notebook").innerText.includes(word), said.skipped, { timeout: 30_000 });
    await run(page, "find_spec");
    await page.waitForFunction(word => document.querySelector(".jp-Notebook").innerText.includes(word), said.back, { timeout: 60_000 });
    await choose(page, "find_spec");
    await page.keyboard.press("Escape");
    await page.keyboard.press("b");
    await page.keyboard.press("Enter");
    await page.keyboard.type("take_up()");
    await page.keyboard.press("Shift+Enter");
    await run(page, "expect(");
    await page.waitForFunction(word => document.querySelector(".jp-Notebook").innerText.match(`✓.*${word}`), said.right, { timeout: 30_000 });
    if (shots) await page.screenshot({ path: join(shots, `${language}-next-day.png`) });
    await save(page, file, "take_up()\"");
    await page.context().close();
    await shutDown();

    const older = JSON.parse(readFileSync(file, "utf8")); // as if the lesson had had one paragraph less
    older.metadata.dalle_edu.cells.splice(3, 1);
    older.cells.splice(3, 1);
    writeFileSync(file, JSON.stringify(older));
    get(language, folder);
    const renewed = JSON.parse(readFileSync(file, "utf8")).cells.map(cell => [cell.source].flat().join(""));
    assert.ok(renewed.some(source => source.includes("return 2 * x")), "the answer is lost");
    assert.ok(renewed[1].includes(said.changed));
  });
}
