"""Type a word: its nearest words by three similarities side by side, two of vectors and one of the company that words keep."""

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from html import escape
from typing import Any

from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.words import UNKNOWN, Vocabulary, euclidean_similarity, jaccard_similarity, nearest
from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say

SHOWN = 5  # neighbours by each similarity

Column = list[tuple[str, float]]


class NeighbourTable:
    """The nearest words of a word that is typed, by cosine, by Euclidean similarity and by the Jaccard similarity of their company.

    `vectors` has a row for each word of the vocabulary, and `company` the set of words that each was met beside. `start` is shown first.
    Raises `DalleEduError` for vectors of another number than the words, for a start that is not in the vocabulary, and for fewer than
    seven words. Lesson 02.
    """

    def __init__(self, vocabulary: Vocabulary, vectors: Float[Tensor, "v d"], company: Mapping[str, AbstractSet[str]], start: str):
        if len(vectors) != len(vocabulary) or len(vocabulary) < SHOWN + 2:
            raise DalleEduError(
                f"there are {len(vectors)} vectors for {len(vocabulary)} words; give one for each, of {SHOWN + 2} words or more",
                f"il y a {len(vectors)} vecteurs pour {len(vocabulary)} mots ; donnez-en un par mot, pour {SHOWN + 2} mots ou plus",
            )
        vocabulary[start]  # a word that is not known is told of here
        self.vocabulary, self.vectors, self.company, self.start = vocabulary, vectors, company, start

    def __repr__(self) -> str:
        return "\n".join(f"{title}: {', '.join(word for word, _ in found)}" for title, found in self.columns(self.start).items())

    def _ipython_display_(self) -> None:
        show_widget(self.widget, self.page, lambda box: box.children[-1].value, repr(self))

    def columns(self, word: str) -> dict[str, Column]:
        """The nearest words of a word and their similarity to it, by the name of each similarity.

        Raises `DalleEduError` for a word that is not in the vocabulary.
        """
        number, words = self.vocabulary[word], self.vocabulary.words
        cosines, numbers = nearest(self.vectors, self.vectors[number], SHOWN, excluded=(number,))
        near = euclidean_similarity(self.vectors, self.vectors[number].expand_as(self.vectors))
        near[[UNKNOWN, number]] = -1
        best = near.topk(SHOWN)
        beside = self.company.get(word, set())
        shared = {other: jaccard_similarity(beside, self.company.get(other, set())) for other in words[1:] if other != word}
        by_company = sorted(shared.items(), key=lambda each: -each[1])[:SHOWN]
        return {
            say("cosine", "cosinus"): [(words[i], float(value)) for value, i in zip(cosines, numbers.tolist(), strict=True)],
            say("Euclidean", "euclidienne"): [
                (words[i], float(value)) for value, i in zip(best.values, best.indices.tolist(), strict=True)
            ],
            say("Jaccard, of their company", "Jaccard, de leur compagnie"): by_company,
        }

    def table(self, word: str) -> str:
        """The columns of a word as a table in HTML; for a word that is not known, a sentence that says so."""
        if word not in self.vocabulary:
            text = say(f"“{word}” is in none of the sentences.", f"« {word} » n'est dans aucune des phrases.")
            return f'<p role="status">{escape(text)}</p>'
        columns = self.columns(word)
        rows = zip(*columns.values(), strict=True)
        return _table(escape(word), columns, "".join("<tr>" + "".join(_entry(*each) for each in row) + "</tr>" for row in rows))

    def widget(self) -> Any:
        """The form for a notebook, an ipywidgets box: a field for the word, and the table."""
        from ipywidgets import HTML, Text, VBox

        field = Text(value=self.start, description=say("word", "mot"), placeholder=self.start)
        view = HTML(self.table(self.start))

        def typed(change: Any) -> None:
            view.value = self.table(change["new"].strip().lower())

        field.observe(typed, "value")
        return VBox([field, view])

    def page(self) -> str:
        """The form for a page without a kernel: the tables of all words, of which a few lines of JavaScript show the one that is typed."""
        tables = {word: self._entries(word) for word in sorted(self.vocabulary.words[1:])}
        identity = "neighbours-" + hashlib.sha256(json.dumps(tables).encode()).hexdigest()[:10]
        frame = _table("\u2026", self.columns(self.start), "@")
        given = {"tables": tables, "frame": frame, "entry": _entry("\u2026", None), "unknown": self.table("\u2026")}
        data = json.dumps(given, ensure_ascii=False).replace("</", "<\\/")
        options = "".join(f'<option value="{escape(word, quote=True)}">' for word in tables)
        label, start = escape(say("word", "mot")), escape(self.start, quote=True)
        field = f'<p><label for="{identity}-word">{label}</label> <input id="{identity}-word" list="{identity}-words" value="{start}"></p>'
        shown = f'<div data-table aria-live="polite">{self.table(self.start)}</div>'
        return (
            f'<div id="{identity}" class="neighbours">{field}<datalist id="{identity}-words">{options}</datalist>{shown}'
            f'<script>({_SCRIPT})("{identity}", {data});</script></div>'
        )

    def _entries(self, word: str) -> str:
        """What stands in a word's table, row by row: each neighbour and its similarity, two words between bars."""
        rows = zip(*self.columns(word).values(), strict=True)
        return "|".join(f"{escape(other)} {decimal(value, 2)}" for row in rows for other, value in row)


def _table(word: str, columns: Mapping[str, Column], body: str) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in columns)
    caption = say(f"nearest to “{word}”", f"les plus proches de « {word} »")
    return f'<table><caption style="color: inherit">{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _entry(word: str, value: float | None) -> str:
    return f"<td>{escape(word)} <small>{'#' if value is None else decimal(value, 2)}</small></td>"


_SCRIPT = """function (id, data) {
  const box = document.getElementById(id), field = box.querySelector("input"), view = box.querySelector("[data-table]");
  const columns = data.frame.split("<th ").length - 1;
  const entry = each => { const [word, value] = each.split(" "); return data.entry.replace("\u2026", word).replace("#", value); };
  const table = word => {
    const entries = data.tables[word].split("|").map(entry);
    const rows = entries.flatMap((_, i) => i % columns ? [] : ["<tr>" + entries.slice(i, i + columns).join("") + "</tr>"]);
    return data.frame.replace("\u2026", word).replace("@", rows.join(""));
  };
  field.addEventListener("input", () => {
    const word = field.value.trim().toLowerCase();
    if (Object.hasOwn(data.tables, word)) view.innerHTML = table(word);
    else view.textContent = new DOMParser().parseFromString(data.unknown, "text/html").body.textContent.replace("\u2026", word);
  });
}"""
