// A slide is 1280 wide and 720 high; the bar has the lowest 48, so that its arrows cover nothing.
const WIDTH = 1280, HEIGHT = 672, BAR = 48;
const printing = /print-pdf/.test(location.search);

Reveal.initialize({
  width: WIDTH, height: printing ? HEIGHT + BAR : HEIGHT, margin: 0, minScale: 0.1, maxScale: 4, embedded: !printing, hash: true,
  controls: false, progress: false, slideNumber: printing ? "c" : false, transition: "none", backgroundTransition: "none", center: false,
  scrollActivationWidth: 0, pdfSeparateFragments: false, pdfMaxPagesPerSlide: 1, plugins: [RevealNotes],
});

// How a slide may be laid out: its picture under its words, or beside them, with this share of the width for the words.
const LAYOUTS = [0, 0.26, 0.32, 0.38, 0.45, 0.52];
const LARGEST = 2.6; // how many times a picture of a page is enlarged at most

const GROWN = 1.6; // how many times the words of a slide without a picture are enlarged at most

// The heading of a slide stands above both columns.
function headed(frame) {
  const before = frame.querySelector(":scope > .heading");
  const words = frame.querySelector(":scope > .words"), heading = words?.querySelector("h1, h2, h3");
  if (before || !heading) return before;
  const box = document.createElement("div");
  box.className = "heading";
  box.append(heading);
  frame.prepend(box);
  if (!words.textContent.trim() && !words.querySelector("mjx-container")) words.remove();
  return box;
}

// Words, code and tables that no picture goes with take the room of the slide.
function grow(frame) {
  const wide = () => Array.from(frame.querySelectorAll("pre, table, mjx-math")).some(box => {
    const whole = frame.getBoundingClientRect(), rect = box.getBoundingClientRect();
    return box.scrollWidth > box.clientWidth + 1 || rect.right - whole.left > whole.width * 0.97;
  });
  for (let twentieths = 20 * GROWN; twentieths >= 20; twentieths--) {
    frame.style.setProperty("--grow", twentieths / 20);
    if (frame.scrollHeight <= HEIGHT && !wide()) break;
  }
}

// The picture of a slide takes the room that the words leave, laid out so that this room is the largest.
function fit(slide) {
  const frame = slide.querySelector(".frame"), shown = frame.querySelector(".shown");
  const images = shown ? Array.from(shown.querySelectorAll("img")) : [];
  const heading = slide.classList.contains("title-slide") ? null : headed(frame);
  if (!images.length) return grow(frame);
  const words = Array.from(frame.querySelectorAll(".words"));
  const style = getComputedStyle(frame), padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
  const widths = images.map(image => Number(image.getAttribute("width")) || image.naturalWidth);
  const heights = images.map((image, i) => widths[i] * image.naturalHeight / image.naturalWidth);
  const enlarge = scale => images.forEach((image, i) => { image.style.width = `${Math.floor(scale * widths[i])}px`; });
  const lay = share => {
    frame.classList.toggle("beside", share > 0);
    frame.style.gridTemplateColumns = share > 0 ? `${share}fr ${1 - share}fr` : "";
  };
  let best = [-1, 0];
  for (const share of words.length ? LAYOUTS : [0]) {
    lay(share);
    enlarge(0);
    const rest = share > 0 ? shown.scrollHeight + padding + (heading ? heading.offsetHeight : 0) : frame.offsetHeight;
    if (share > 0 && (frame.offsetHeight > HEIGHT || words.some(each => each.scrollWidth > each.clientWidth + 1))) continue;
    const scale = Math.min(LARGEST, shown.clientWidth / Math.max(...widths), (HEIGHT - rest) / heights.reduce((a, b) => a + b));
    if (scale > best[0] * 1.02) best = [scale, share];
  }
  lay(best[1]);
  for (let scale = Math.max(best[0], 0.2); scale >= 0.2; scale -= 0.01) {
    enlarge(scale);
    if (frame.offsetHeight <= HEIGHT) break;
  }
}

const formulas = window.MathJax.startup.promise;

// The letters of formulas are loaded when they are first shown, and have another size then.
async function settle(slides) {
  for (let round = 0; round < 3; round++) {
    slides.forEach(fit);
    await new Promise(resolve => setTimeout(resolve, 80));
    await document.fonts.ready;
  }
  slides.forEach(fit);
}
document.fonts.addEventListener("loadingdone", () => Reveal.isReady() && !printing && fit(Reveal.getCurrentSlide()));

const bar = document.querySelector(".bar");
function moved() {
  const slide = Reveal.getCurrentSlide();
  formulas.then(() => settle([slide]));
  bar.querySelector(".place").textContent = `${Reveal.getSlidePastCount() + 1} / ${Reveal.getTotalSlides()}`;
  for (const [name, enabled] of Object.entries({ prev: !Reveal.isFirstSlide(), next: !Reveal.isLastSlide() })) {
    bar.querySelector(`[data-go=${name}]`).disabled = !enabled;
  }
  // The other language opens at the same slide: ids are the same in both.
  document.querySelectorAll("a[data-other]").forEach(link => { link.hash = slide.id === "title" ? "" : `/${slide.id}`; });
}
bar.querySelectorAll("[data-go]").forEach(button => button.addEventListener("click", () => Reveal[button.dataset.go]()));
Reveal.on("slidechanged", moved);
Reveal.on("ready", () => { if (!printing) moved(); });
Reveal.on("pdf-ready", () => formulas.then(() => settle(Reveal.getSlides())).then(() => {
  Reveal.getSlides().forEach(slide => {
    slide.removeAttribute("hidden"); // reveal.js keeps all slides but one from who listens: on paper all are read
    slide.removeAttribute("aria-hidden");
  });
  document.documentElement.dataset.fitted = "yes";
}));
