"""What the book needs of Sphinx beyond its extensions: ids that both languages share, and a search that folds accents and skips code."""

import re
import unicodedata
from typing import Any

from docutils import nodes
from docutils.utils.smartquotes import smartchars
from sphinx.search import _MINIFIED_JS_PATH, SearchLanguage
from sphinx.search.en import SearchEnglish
from sphinx.search.fr import SearchFrench

_FOLD = 'word.replace(/œ/g, "oe").replace(/æ/g, "ae").normalize("NFD").replace(/\\p{M}/gu, "")'


def folded(word: str) -> str:
    """A word in small letters without accents and ligatures: "Réseau" gives "reseau"."""
    plain = unicodedata.normalize("NFD", word.lower().replace("œ", "oe").replace("æ", "ae"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _stemmer(name: str) -> str:
    """The JavaScript of a language's stemmer, which folds the words that are looked for as `folded` does those of the pages."""
    parts = [(_MINIFIED_JS_PATH / f"{part}-stemmer.js").read_text(encoding="utf-8") for part in ("base", name.lower())]
    wrapper = (
        f"window.Stemmer = class {{ constructor() {{ this.inner = new {name}Stemmer(); }}\n"
        f"  stemWord(word) {{ return this.inner.stemWord({_FOLD}); }} }};"
    )
    return "\n".join([*parts, wrapper])


def _folding(language: type[SearchLanguage]) -> type[SearchLanguage]:
    class Folding(language):  # type: ignore[misc]
        """A language's search, in which a word is found with and without its accents."""

        js_stemmer_rawcode = ""
        js_stemmer_code = _stemmer(language.language_name)
        stopwords = frozenset(language.stopwords) | {folded(word) for word in language.stopwords}

        def stem(self, word: str) -> str:
            return str(super().stem(folded(word)))

    return Folding


def neutral_ids(app: Any, doctree: Any) -> None:
    """Give each heading after a comment `% id: NAME` this id in place of that made of its words, and lead links within the page to it."""
    renamed, waiting = dict[str, str](), ""
    for node in list(doctree.findall()):
        if isinstance(node, nodes.comment) and (found := re.fullmatch(r"id: (\S+)", node.astext())):
            waiting = found.group(1)
            node.parent.remove(node)
        elif isinstance(node, nodes.section) and waiting:
            explicit = {doctree.nameids[name] for name, is_explicit in doctree.nametypes.items() if is_explicit}
            renamed |= dict.fromkeys(node["ids"], waiting)
            node["ids"] = [waiting, *(old for old in node["ids"] if old in explicit and old != waiting)]
            waiting = ""
    for link in doctree.findall(nodes.reference):
        if link.get("refid") in renamed:
            link["refid"] = renamed[link["refid"]]
    metadata = app.env.metadata[app.env.docname]
    slugs = {slug: (line, renamed.get(name, name), text) for slug, (line, name, text) in metadata.get("myst_slugs", {}).items()}
    metadata["myst_slugs"] = slugs | {name: (line, name, text) for line, name, text in slugs.values()}


def unsearched_code(app: Any, doctree: Any, docname: str) -> None:
    """Keep code, and what it prints, out of the index of the search."""
    for node in doctree.findall(lambda node: isinstance(node, (nodes.literal_block, nodes.raw, nodes.math_block))):
        if isinstance(node, nodes.raw) and not re.search(r"<(script|img|select|pre)\b", node.astext()):
            continue
        node["classes"].append("no-search")


def setup(app: Any) -> dict[str, Any]:
    """Add these parts to Sphinx."""
    smartchars.quotes["fr"] = (*smartchars.quotes["fr"][:2], "’", "’")  # a lone mark is an apostrophe, before a link too
    app.add_search_language(_folding(SearchFrench))
    app.add_search_language(_folding(SearchEnglish))
    app.connect("doctree-read", neutral_ids, priority=400)  # before the tables of contents take the ids
    app.connect("doctree-resolved", unsearched_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
