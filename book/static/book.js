// A formula wider than its page scrolls; let the keyboard scroll it, too. So with code and outputs.
function reachable() {
  const inline = [...document.querySelectorAll(".bd-article mjx-container:not([display])")];
  for (const box of inline) box.classList.remove("wide");
  const wide = inline.filter(box => box.offsetWidth > (box.closest("p, li, td, dd, div")?.clientWidth ?? Infinity));
  for (const box of wide) box.classList.add("wide");
  for (const box of document.querySelectorAll("mjx-container[display=true], mjx-container.wide, .bd-article pre, .bd-article .cell_output, .bd-article .output, "
    + ".pst-scrollable-table-container")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
  }
}
addEventListener("load", () => { reachable(); window.MathJax?.startup?.promise.then(reachable); });
addEventListener("resize", reachable);

// The language switch keeps the place: the ids of headings are the same in both languages.
function place() {
  if (scrollY < 100) return "";
  const above = [...document.querySelectorAll("article section[id], article dt[id]")].filter(box => box.getBoundingClientRect().top < innerHeight / 3);
  return above.length ? `#${above.at(-1).id}` : "";
}
document.addEventListener("DOMContentLoaded", () => {
  const link = document.querySelector("a.language-switch");
  const aim = () => { link.href = link.href.split("#")[0] + place(); };
  for (const event of ["pointerdown", "focus", "click"]) link?.addEventListener(event, aim);
});

// Paper is light, whatever the screen is.
let before = null;
function lighten() { before ??= document.documentElement.dataset.theme; document.documentElement.dataset.theme = "light"; }
function restore() { if (before) document.documentElement.dataset.theme = before; before = null; }
addEventListener("beforeprint", lighten);
addEventListener("afterprint", restore);
matchMedia("print").addEventListener("change", media => media.matches ? lighten() : restore());

// What a search shows of a page: prose without code, around the first word that was looked for, with or without its accents.
const bare = text => [...text].map(letter => letter.normalize("NFD")[0].replace("œ", "o").replace("æ", "a")).join("").toLowerCase();
function proseOf(html, anchor) {
  const page = new DOMParser().parseFromString(html, "text/html");
  page.querySelectorAll(".headerlink, script, style, pre, .highlight, .cell_output, .no-search, mjx-container, .math, figure, details").forEach(box => box.remove());
  const main = page.querySelector('[role="main"], main');
  return ((anchor && main?.querySelector(anchor)) || main)?.textContent.replace(/\s+/g, " ") ?? "";
}
function summary(html, words, anchor) {
  const text = proseOf(html, anchor), plain = bare(text);
  if (!text) return null;
  const places = [...words].map(word => plain.indexOf(bare(word))).filter(place => place >= 0);
  const from = Math.max((places.length ? Math.min(...places) : 0) - 120, 0);
  const box = document.createElement("p");
  box.classList.add("context");
  box.textContent = (from ? "… " : "") + text.slice(from, from + 240).trim() + (from + 240 < text.length ? " …" : "");
  return box;
}
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search !== "undefined") { Search.htmlToText = proseOf; Search.makeSearchSummary = summary; }
});
