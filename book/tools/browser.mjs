// A browser that may look at this machine only, and remembers whatever a page tried to fetch from elsewhere or complained of.

import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import playwright from "playwright-core";
import { chromium } from "./chromium.mjs";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp",
  ".json": "application/json", ".woff": "font/woff", ".woff2": "font/woff2" };

export async function openBrowser() {
  if (!chromium) throw new Error("no Chromium was found; install it (Debian: apt install chromium) or set CHROMIUM to its path");
  return playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
}

// A page that collects its faults: `page.faults` lists console errors, exceptions and requests that would leave the machine.
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  await context.route(/^(?!data:|blob:|file:|https?:\/\/(127\.0\.0\.1|localhost)[:/])/, route => {
    page.faults.push(`request to ${route.request().url()}`);
    return route.abort();
  });
  page.on("console", message => message.type() === "error" && page.faults.push(`console: ${message.text()}`));
  page.on("pageerror", error => page.faults.push(`exception: ${error.message}`));
  return page;
}

// What readers would see of a formula that MathJax could not read: an error, a macro in red, or the $$ of one that was not found at all.
export function faultyFormulas(page) {
  return page.evaluate(() => {
    const faulty = [...document.querySelectorAll("mjx-merror, merror, [data-mjx-error], mjx-mtext[style*=red], mtext[mathcolor=red]")];
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const left = [];
    while (words.nextNode()) {
      const { data, parentElement } = words.currentNode;
      if (data.includes("$$") && !parentElement.closest("script, style, pre, code, mjx-container")) left.push(data.trim().slice(0, 60));
    }
    return [...faulty.map(node => node.getAttribute("data-mjx-error") || node.textContent || "a formula that failed"), ...left];
  });
}

// A server of files on this machine alone; returns its address and a way to stop it.
export function serve(folder) {
  const server = createServer((request, response) => {
    const path = join(folder, normalize(decodeURIComponent(request.url.split(/[?#]/)[0])));
    const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "index.html") : path;
    if (!path.startsWith(folder) || !existsSync(file)) {
      const page = join(folder, "404.html");
      return response.writeHead(404, { "content-type": TYPES[".html"] }).end(existsSync(page) ? readFileSync(page) : "");
    }
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  return new Promise(resolve => server.listen(0, "127.0.0.1", () =>
    resolve({ address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() })));
}
