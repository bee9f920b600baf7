"""The website as a folder: what pages share, what stands at its root, and what is left out of it.

site/fr/…  site/en/…        the book, page for page the same in both languages
site/slides/fr/…            the decks
site/assets/                what they share: MathJax, reveal.js, pictures, the theme's files
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dalle_edu import address
from dalle_edu.files import write_aside
from dalle_edu.language import languages

BOOK = Path(__file__).parents[4] / "book"
_LEFT_OUT = (".doctrees", ".buildinfo", ".buildinfo.bak", "_sources", "jupyter_execute", "objects.inv", "_panels_static")
# Marks of plain names, punctuation and spaces, which have the colour of the rest: a third of a page's code.
_PLAIN = re.compile(r'<span class="[pnw]">([^<]*)</span>')
# The theme draws its icons with a script of 1.5 MB, or with a font of 0.1 MB and the style that it has anyway.
_ICONS = re.compile(r"<script[^>]*scripts/fontawesome\.js[^>]*></script>")
_UNUSED = re.compile(
    r"scripts/fontawesome\.js|fa-regular-|\.map$|\.LICENSE\.txt$|(?:^|/)(?:file|minus|plus)\.png$"
    r"|^sbt-webpack-macros\.html$|^webpack-macros\.html$|^locales/|^\.gitignore"
)


def tidy(site: Path) -> None:
    """Remove what the builds of pages leave behind, and keep once, in `site/assets/theme`, the files of both languages that are equal."""
    for language in languages():
        for name in _LEFT_OUT:
            path = site / language / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(site / language / "_static" / "locales", ignore_errors=True)
        for unused in filter(_UNUSED.search, _files(site / language / "_static")):
            (site / language / "_static" / unused).unlink()
    shutil.rmtree(site / "jupyter_execute", ignore_errors=True)
    _share(site)


def _share(site: Path) -> None:
    first, *others = (site / language / "_static" for language in languages())
    equal = {path for path in _files(first) if all(_same(first / path, other / path) for other in others)}
    shutil.rmtree(site / "assets" / "theme", ignore_errors=True)
    for path in sorted(equal):
        target = site / "assets" / "theme" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(first / path, target)
        for other in others:
            (other / path).unlink()

    def shared(found: re.Match[str]) -> str:
        quote, up, path, rest = found.groups()
        return f"{quote}{up}../assets/theme/{path}{rest}" if path in equal else found.group()

    for language in languages():
        for page in (site / language).rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            moved = re.sub(r"""(["'])((?:\.\./)*)_static/([^"'?#]+)([^"']*["'])""", shared, text)
            moved = _PLAIN.sub(r"\1", _ICONS.sub("", moved))
            write_aside(page, lambda file, text=moved: file.write(text.encode()))  # type: ignore[misc]


def write_root(site: Path) -> None:
    """Write what stands at the root: the door to both languages, the page for addresses that lead nowhere, and, where the site has an
    address, its map.
    """
    shared = site / "assets" / "shared"
    shutil.rmtree(shared, ignore_errors=True)
    shutil.copytree(BOOK / "shared", shared)
    for name in ("index.html", "404.html"):
        shutil.copyfile(BOOK / "root" / name, site / name)
    (site / "sitemap.xml").unlink(missing_ok=True)
    if not address.SITE:
        return
    pages = sorted(path.relative_to(site / "en").as_posix() for path in (site / "en").rglob("*.html"))
    listed = [page for page in pages if page not in ("search.html", "genindex.html")]
    entries = "".join(f"<url><loc>{address.SITE}/{language}/{page}</loc></url>\n" for language in languages() for page in listed)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    write_aside(site / "sitemap.xml", lambda file: file.write(text.encode()))


def settings(path: Path, decks: list[str], descriptions: dict[str, str]) -> None:
    """Write what `conf.py` reads of a build: the lessons that have a deck, and the descriptions of pages for search engines."""
    text = json.dumps({"address": address.SITE, "decks": decks, "descriptions": descriptions}, ensure_ascii=False, indent=1)
    write_aside(path, lambda file: file.write(text.encode()))


def read_settings(path: Path) -> dict[str, Any]:
    """What `settings` wrote; where nothing was built, no deck and no description."""
    if not path.exists():
        return {"address": address.SITE, "decks": [], "descriptions": {}}
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _files(folder: Path) -> Iterator[str]:
    yield from sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()
