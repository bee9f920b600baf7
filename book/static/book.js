// A formula wider than its page scrolls; let the keyboard scroll it, too.
function reachable() {
  for (const box of document.querySelectorAll("mjx-container[display=true]")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
  }
}
addEventListener("load", () => window.MathJax?.startup?.promise.then(reachable));
addEventListener("resize", reachable);
