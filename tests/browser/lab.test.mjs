// JupyterLab as a student meets it: lesson 01 opens, all its cells run, a slider moves and the figure answers, a wrong answer gets its diagnosis.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { openBrowser, openPage } from "../../book/tools/browser.mjs";

const token = "a-token-for-the-test", port = 8899 + (process.pid % 500);
const address = `http://127.0.0.1:${port}`;
const folder = mkdtempSync(join(tmpdir(), "lessons-"));
let browser, lab;

// JupyterLab as `make lab LANG=…` opens it.
async function startLab(language) {
  lab = spawn(resolve(".venv/bin/dalle-edu"), ["lab", "--language", language, "--to", join(folder, language), "--", "--no-browser", "--allow-root",
    "--ServerApp.ip=127.0.0.1", `--ServerApp.port=${port}`, `--IdentityProvider.token=${token}`, "--LabApp.expose_app_in_browser=True"],
    { stdio: "ignore", env: { ...process.env, DALLE_EDU_DESK: join(folder, ".desk"), JUPYTERLAB_WORKSPACES_DIR: join(folder, ".tabs") } });
  for (let i = 0; i < 120; i++) {
    if (await fetch(`${address}/api/status?token=${token}`).then(answer => answer.ok, () => false)) break;
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}

async function stopLab() {
  const gone = new Promise(resolve => lab.once("exit", resolve));
  lab.kill();
  await gone;
}

before(async () => { browser = await openBrowser(); });
after(() => browser.close());
afterEach(stopLab);

async function idle(page) {
  for (let i = 0; i < 600; i++) {
    const kernels = await fetch(`${address}/api/kernels?token=${token}`).then(answer => answer.json());
    if (kernels.some(kernel => kernel.execution_state === "idle" && kernel.connections > 0)) return;
    await page.waitForTimeout(250);
  }
  throw new Error("the kernel never came to rest");
}

test("lesson 01, from top to bottom, as a student", { timeout: 600_000 }, async () => {
  await startLab("en");
  const page = await openPage(browser, { viewport: { width: 1400, height: 1000 } });
  await page.goto(`${address}/lab/tree/01_perceptron.ipynb?token=${token}`);
  await page.waitForSelector(".jp-Notebook .jp-CodeCell", { timeout: 120_000 });
  await idle(page);

  await page.evaluate(() => window.jupyterapp.commands.execute("notebook:run-all-cells"));
  await page.waitForFunction(() => window.jupyterapp.shell.currentWidget.content.widgets.every(({ model }) =>
    model.type !== "code" || model.executionCount > 0), null, { timeout: 240_000 });
  await idle(page);
  const said = await page.evaluate(() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(({ model }) =>
    model.type === "code" && !(model.getMetadata("tags") ?? []).includes("scratch") // an example stops until its exercise is done
      ? Array.from({ length: model.outputs.length }, (_, i) => JSON.stringify(model.outputs.get(i).toJSON())) : []));
  assert.ok(said.filter(output => output.includes("Your turn: replace the line")).length >= 6, "untouched exercises are told to begin");
  assert.deepEqual(said.filter(output => output.includes('"stderr"') || output.includes('"output_type":"error"')), []);

  assert.equal(await page.getByText("Jupyter news").count(), 0, "JupyterLab offers to fetch news");

  const explorer = page.locator(".widget-vbox").filter({ has: page.locator(".widget-slider, .jupyter-widget-slider") }).first();
  await explorer.scrollIntoViewIfNeeded();
  const before = await explorer.locator("img").getAttribute("alt");
  await explorer.locator(".noUi-handle, [role=slider]").first().focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  await page.waitForFunction(([alt]) => !Array.from(document.querySelectorAll(".widget-vbox img")).some(image => image.alt === alt), [before], { timeout: 60_000 });

  // The classic mistake of lesson 01: a softmax that overflows.
  await page.evaluate(() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets;
    const cell = cells.find(cell => cell.model.sharedModel.source.startsWith("def softmax("));
    const body = "exponentials = np.exp(z)\n    return exponentials / exponentials.sum(axis=-1, keepdims=True)";
    cell.model.sharedModel.source = cell.model.sharedModel.source.replace(/raise NotImplementedError.*/, body);
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = cells.indexOf(cell);
  });
  for (const cell of ["exercise", "example", "check"])
    await page.evaluate(() => window.jupyterapp.commands.execute("notebook:run-cell-and-select-next"), cell);
  await page.waitForSelector("text=The exponential overflows on large logits", { state: "attached", timeout: 120_000 });
  assert.deepEqual(page.faults.filter(fault => fault.startsWith("request")), []);
  await page.context().close();
});

test("its menus speak French to a French reader", { timeout: 120_000 }, async () => {
  await startLab("fr");
  const page = await openPage(browser, { viewport: { width: 1400, height: 1000 } });
  await page.goto(`${address}/lab?token=${token}`);
  await page.waitForFunction(() => document.querySelector("#jp-MainMenu")?.innerText.startsWith("Fichier"), null, { timeout: 60_000 });
  await page.context().close();
});
