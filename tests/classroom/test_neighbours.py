"""The table of neighbours: what it holds, with a kernel and without one."""

import html
import json
import re

import pytest
import torch

from dalle_edu.bricks.words import Vocabulary
from dalle_edu.classroom.static import VIEW
from dalle_edu.classroom.widgets.neighbours import NeighbourTable
from dalle_edu.errors import DalleEduError

WORDS = ["a", "b", "c", "d", "e", "f", "g"]


def table(start: str = "a") -> NeighbourTable:
    """Seven words on a line, the length of each its place, but for g, which points the other way."""
    vectors = torch.stack([torch.zeros(2), *(torch.tensor([float(place), 1.0]) for place in range(1, 7)), torch.tensor([-9.0, 0.0])])
    company = {word: {"x", word} if word in "ag" else {word} for word in WORDS}
    return NeighbourTable(Vocabulary([WORDS]), vectors, company, start)


def test_each_similarity_has_its_own_neighbours():
    cosine, euclidean, jaccard = table("f").columns("f").values()
    assert [word for word, _ in cosine] == ["e", "d", "c", "b", "a"]
    assert [word for word, _ in euclidean] == ["e", "d", "c", "b", "a"]
    assert [value for _, value in euclidean] == pytest.approx([1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6])
    assert [value for _, value in jaccard] == [0] * 5
    assert next(iter(table().columns("a")["Jaccard, of their company"])) == ("g", pytest.approx(1 / 3))
    assert "g" not in [word for word, _ in table().columns("a")["cosine"]]


def test_what_is_wrong_is_told():
    with pytest.raises(DalleEduError, match="is not among the 7 words"):
        table("z")
    with pytest.raises(DalleEduError, match="3 vectors for 8 words"):
        NeighbourTable(Vocabulary([WORDS]), torch.zeros(3, 2), {}, "a")


def test_typing_a_word_shows_its_table():
    desk = table()
    field, view = desk.widget().children
    field.value = " B "
    assert view.value == desk.table("b")
    field.value = "<z>"
    assert "&lt;z&gt;" in view.value
    assert "none of the sentences" in view.value


def test_a_page_holds_the_tables_of_all_words(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    desk = table()
    page = desk.page()
    data = json.loads(re.search(r'\)\("neighbours-[0-9a-f]{10}", (.*)\);</script>', page)[1].replace("<\\/", "</"))
    assert sorted(data["tables"]) == WORDS
    entries = re.findall(r"<td>(\w+) <small>([-−\d,]+)</small></td>", desk.table("c"))
    assert len(entries) == 15
    assert [tuple(each.split(" ")) for each in data["tables"]["c"].split("|")] == entries
    made = "".join(data["entry"].replace("…", word).replace("#", value) for word, value in entries)
    assert data["frame"].replace("…", "c").replace("@", made) == desk.table("c").replace("</tr><tr><td>", "<td>").replace(
        "<tbody><tr>", "<tbody>"
    ).replace("</tr></tbody>", "</tbody>")
    assert "0,50" in html.unescape(desk.table("f"))
    assert page.count("</script>") == 1


def test_a_notebooks_file_keeps_the_first_table(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    desk = table()
    desk._ipython_display_()
    assert VIEW in shown[0]
    assert desk.table("a") in shown[0]["text/html"]
    assert repr(desk) == shown[0]["text/plain"]
    monkeypatch.setenv("DALLE_EDU_STATIC", "1")
    desk._ipython_display_()
    assert shown[1].data == desk.page()
