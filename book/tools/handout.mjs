// A printed deck becomes a handout: each slide small, its notes beside it. Returns the options of the PDF to be printed from it.

const WORDS = {
  fr: { title: "Notes de l'orateur", page: "page" },
  en: { title: "Speaker's notes", page: "page" },
};
const SMALL = 0.36; // the size of a slide beside its notes

export async function asHandout(page) {
  const [language, title] = await page.evaluate(() => [document.documentElement.lang, document.title]);
  const words = WORDS[language] ?? WORDS.en;
  await page.evaluate(async ([words, small]) => {
    const handout = document.createElement("main");
    handout.className = "handout";
    document.querySelectorAll(".pdf-page").forEach((sheet, i) => {
      const row = document.createElement("div"), frame = document.createElement("div"), notes = document.createElement("div");
      [row.className, frame.className, notes.className] = ["row", "slide reveal", "told"];
      const told = sheet.querySelector("aside.notes");
      notes.innerHTML = `<p class="number">${i + 1}</p>${told ? told.innerHTML : ""}`;
      frame.append(sheet);
      row.append(frame, notes);
      handout.append(row);
    });
    document.body.replaceChildren(handout);
    document.documentElement.classList.remove("reveal-print");
    document.title += ` · ${words.title}`;
    for (const style of document.querySelectorAll("style")) if (/^@page/.test(style.textContent.trim())) style.remove();
    const style = document.createElement("style");
    style.textContent = `
      @page { size: A4; }
      html, body { width: auto !important; height: auto !important; background: white; overflow: visible; }
      .handout { font: 13px/1.4 system-ui, "DejaVu Sans", sans-serif; color: #123; }
      .row { display: flex; gap: 16px; break-inside: avoid; min-height: 300px; padding: 12px 0; border-bottom: 1px solid #ccd3dc; }
      .row .slide.reveal { flex: none; width: ${1280 * small}px; height: ${720 * small}px; overflow: hidden; border: 1px solid #99a; position: relative; }
      .row .pdf-page { width: 1280px; height: 720px; zoom: ${small}; position: relative; overflow: hidden; margin: 0 !important; break-after: auto; page-break-after: auto; }
      .told p { margin: 0 0 0.5em; }
      .told ol, .told ul { margin: 0 0 0.5em; padding-left: 1.4em; }
      .told .number { font-weight: 650; color: #456; }
    `;
    document.head.append(style);
    await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
  }, [words, SMALL]);
  const label = text => `<div style="font-size: 8px; width: 100%; padding: 0 12mm; display: flex; justify-content: space-between">${text}</div>`;
  return {
    format: "A4",
    margin: { top: "14mm", bottom: "14mm", left: "12mm", right: "12mm" },
    displayHeaderFooter: true,
    headerTemplate: label(`<span>${title.replace(/[<&]/g, "")} · ${words.title}</span>`),
    footerTemplate: label(`<span>CC BY 4.0</span><span>${words.page} <span class="pageNumber"></span> / <span class="totalPages"></span></span>`),
  };
}
