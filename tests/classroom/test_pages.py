"""Lessons as pages: what they show and leave out, their ids, their pictures as files; the search and the bibliography of the site."""

import base64
import io
import re

import pybtex
import pytest
import snowballstemmer
from PIL import Image

from dalle_edu.classroom.builder import notebooks
from dalle_edu.classroom.builder.book import bibliography
from dalle_edu.classroom.builder.book.page import as_page
from dalle_edu.classroom.builder.book.pictures import with_files
from dalle_edu.classroom.builder.book.publish import _chosen
from dalle_edu.classroom.builder.book.site import BOOK, tidy
from dalle_edu.classroom.builder.book.sphinx_parts import _folding, folded
from dalle_edu.classroom.builder.source import read_lesson
from dalle_edu.errors import DalleEduError
from tests.trial_lesson import GOOD, write


def a_page(tmp_path, language, text=GOOD, pictured=()):
    """The page of the trial lesson, in which the code cells in `pictured` show a picture."""
    lesson = read_lesson(write(tmp_path, text))
    notebook = notebooks.everything(lesson, language)
    from nbformat.v4 import new_output

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for place in pictured:
        code[place].outputs = [new_output("display_data", {"text/html": '<img src="x.png" alt="a small picture">'})]
    for cell in code:
        if "check(" in cell.source or "expect(" in cell.source:
            cell.outputs.append(new_output("stream", name="stdout", text="✓ Right"))
    return as_page(notebook, lesson, language, {})


def test_a_page_shows_what_is_asked_before_the_folded_solution_and_no_check(tmp_path):
    cells = a_page(tmp_path, "en").cells
    place = next(i for i, cell in enumerate(cells) if cell.source.startswith("def step"))
    assert "hide-input" in cells[place].metadata["tags"]
    assert cells[place].metadata["mystnb"]["code_prompt_show"] == "Show the solution"
    asked = cells[place - 1].source
    assert asked.startswith("```python\ndef step(")
    assert '"""' in asked
    assert "NotImplementedError" not in asked
    assert "return" not in asked
    assert any("half = ..." in cell.source for cell in cells)
    assert not any(' = check("' in cell.source for cell in cells)
    assert "✓" not in str([cell.get("outputs") for cell in cells])


def test_exercises_are_headings_under_those_of_the_lesson_with_an_id(tmp_path):
    text = GOOD.replace(
        "# %% level=2",
        '# %% [markdown] lang="fr"\n# ## Deux\n#\n# Doublez.\n\n# %% [markdown] lang="en"\n# ## Two\n#\n# Double.\n\n# %% level=2',
    )
    prose = "\n".join(cell.source for cell in a_page(tmp_path, "en", text).cells if cell.cell_type == "markdown")
    assert "\n% id: exercise-1\n\n### Exercise 1 ●" in prose
    assert re.search(r"% id: two\n\n## Two\n+% id: exercise-2\n\n### Exercise 2 ●●\n\nDouble\.", prose)


def test_both_languages_have_the_same_ids(tmp_path):
    ids = [
        [found for cell in a_page(tmp_path, language).cells for found in re.findall(r"^% id: (\S+)", cell.source, flags=re.MULTILINE)]
        for language in ("fr", "en")
    ]
    assert ids[0] == ids[1] == ["a-trial", "a-step", "exercise-1", "exercise-2"]


def test_a_page_opens_with_its_picture_and_says_its_cost_after(tmp_path):
    cells = a_page(tmp_path, "en", pictured=[1]).cells  # the cell of numbers
    cost = next(i for i, cell in enumerate(cells) if "{container} cost" in cell.source)
    picture = next(i for i, cell in enumerate(cells) if "linspace" in cell.source)
    first = next(i for i, cell in enumerate(cells) if "open_lesson" in cell.source)
    assert cells[0].source.endswith("# 99 · A trial")
    assert picture < cost < first
    assert "hide-input" in cells[first].metadata["tags"]


def png(colour, size=(40, 20)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, format="PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def test_pictures_are_files_named_by_their_content_lazy_and_with_sizes(tmp_path):
    html = (
        f'<img src="{png("red")}" alt="a red card" width="20" style="max-width: 100%"><script>f(["{png("red")}", "{png("blue")}"])</script>'
    )
    found = with_files(html, tmp_path, "../assets")
    assert "base64" not in found
    image = re.search(r"<img [^>]*>", found).group()
    for attribute in ('alt="a red card"', 'width="20"', 'height="10"', 'loading="lazy"'):
        assert attribute in image
    names = re.findall(r"\.\./assets/(\w+\.webp)", found)
    assert names[0] == names[1] != names[2]
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    with Image.open(tmp_path / names[0]) as picture:
        assert picture.size == (40, 20)
        assert picture.getpixel((5, 5))[:3] == (255, 0, 0)
    assert with_files(html, tmp_path, "../assets") == found
    assert with_files('<img src="data:image/svg+xml,x">', tmp_path, "..") == '<img src="data:image/svg+xml,x">'


def test_words_are_found_with_and_without_their_accents():
    assert folded("Réseau") == folded("reseau") == "reseau"
    assert folded("cœur") == "coeur"
    from sphinx.search.fr import SearchFrench

    french = _folding(SearchFrench)({})
    plain = snowballstemmer.stemmer("french")
    for word in ("réseaux", "rétropropagation", "forêt"):
        assert french.stem(word) == french.stem(folded(word)) == plain.stemWord(folded(word))
    assert not french.word_filter("meme")
    assert 'normalize("NFD")' in french.js_stemmer_code
    assert "FrenchStemmer" in french.js_stemmer_code


def test_the_bibliography_speaks_the_language_of_its_page():
    bibliography.register()
    english, french = (
        pybtex.format_from_file(str(BOOK / "references.bib"), style=f"dalle_edu_{language}", output_backend="plaintext")
        for language in ("en", "fr")
    )
    assert "Yonghui Wu et al. Google" in english
    assert "Yonghui Wu et al. Google" in french
    assert "Minsky and Seymour Papert" in english
    assert "Minsky et Seymour Papert" in french
    assert "In ICML" in english
    assert "Dans ICML" in french
    assert "Rapport technique, OpenAI" in french
    assert not re.search(r"and others|et others|\bet al\.\.|\. In |, and [A-Z]\w+ [A-Z]", french)
    assert len(english.splitlines()) == len(french.splitlines())


def test_a_site_holds_no_leftovers_and_shared_files_once(tmp_path):
    for language in ("fr", "en"):
        static = tmp_path / language / "_static"
        (static / "scripts").mkdir(parents=True)
        (tmp_path / language / "lessons").mkdir()
        (tmp_path / language / ".doctrees").mkdir()
        (tmp_path / language / ".buildinfo").touch()
        (static / "scripts" / "theme.js").write_text("same")
        (static / "scripts" / "theme.js.map").write_text("map")
        (static / "scripts" / "fontawesome.js").write_text("icons")
        (static / "words.js").write_text(language)
        links = '<script src="../_static/scripts/theme.js?v=1"></script><script src="../_static/words.js"></script>'
        icons = '<script defer src="../_static/scripts/fontawesome.js?d=1"></script>'
        (tmp_path / language / "lessons" / "a.html").write_text(f'{links}{icons}<span class="n">x</span><span class="k">def</span>')
    tidy(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    pages = {f"{language}/{name}" for language in ("fr", "en") for name in ("_static/words.js", "lessons/a.html")}
    assert left == {"assets/theme/scripts/theme.js", *pages}
    page = (tmp_path / "fr" / "lessons" / "a.html").read_text()
    assert 'src="../../assets/theme/scripts/theme.js?v=1"' in page
    assert 'src="../_static/words.js"' in page
    assert page.endswith('x<span class="k">def</span>')
    assert "fontawesome" not in page


def test_only_the_lessons_that_are_named_are_built(tmp_path):
    lesson = read_lesson(write(tmp_path, GOOD))
    assert _chosen([lesson], []) == _chosen([lesson], ["99"]) == _chosen([lesson], ["99_trial"]) == [lesson]
    with pytest.raises(DalleEduError, match="no lesson is called 98; there are 99_trial"):
        _chosen([lesson], ["98"])
