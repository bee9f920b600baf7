"""References: what each reader gets of them, in both languages, and every fault in them that the builder must tell."""

import json
import re

import pytest

from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.complaints import Faults
from dalle_edu.classroom.builder.links.glossary import FirstUses, glossary, say_where
from dalle_edu.classroom.builder.links.linking import on_deck, on_page
from dalle_edu.classroom.builder.links.references import faults_of_references
from dalle_edu.classroom.builder.links.works import BOOK, works
from dalle_edu.classroom.builder.nbgrader.assignment import assignment
from dalle_edu.classroom.builder.source import read_lesson
from tests.trial_lesson import GOOD, HEAD, write

OTHER = """# %% [markdown] lang="fr"
# ## 1. Le début
#
# Rien.

# %% [markdown] lang="en"
# ## 1. The start
#
# Nothing.

# %% [markdown] lang="fr"
# ## 2. La *fin* de l'essai
#
# Rien.

# %% [markdown] lang="en"
# ## 2. The *end* of it
#
# Nothing.

# %% level=2
half = 1 / 2
"""
CELL = '# %% [markdown] lang="{language}"\n# {text}\n\n'


def trial(tmp_path, english: str, french: str = "", metadata: str = ""):
    """The trial lesson, 99, with a last cell in each language, beside a lesson 98 of two sections and one exercise."""
    folder = tmp_path / "lessons"
    text = (
        GOOD
        + "\n"
        + "".join(
            CELL.format(language=language, text=said).replace('"\n', f'"{metadata}\n', 1)
            for language, said in (("fr", french or english), ("en", english))
        )
    )
    path = write(folder, text)
    head = HEAD.replace('"99"', '"98"').replace("A trial", "Another").replace("Un essai", "Un autre")
    (path.parent / "98_other.py").write_text(head + OTHER, encoding="utf-8")
    return read_lesson(path)


def faults(lesson) -> list[str]:
    others = [read_lesson(path) for path in sorted(lesson.path.parent.glob("*.py"))]
    return [f"{complaint.line}: {complaint.en}" for complaint in faults_of_references(lesson, others)]


def last(notebook) -> str:
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "markdown" and "Where you stand" not in cell.source and "Où vous" not in cell.source
    ][-1]


def read(lesson, language: str) -> dict[str, str]:
    """The last cell of the lesson as each reader has it."""
    made = notebooks.everything(lesson, language)
    return {
        "notebook": last(notebooks.student(lesson, language)),
        "solved": last(notebooks.solved(lesson, language)),
        "page": last(on_page(made, lesson, language)),
        "deck": last(on_deck(made, lesson, language)),
    }


# ---------------------------------------------------------------- what readers get

CASES = [
    ("see [](lesson:98)", "see [lesson 98](98_other.ipynb)", "98_other.html", "lesson 98"),
    ("see [that one](lesson:98)", "see [that one](98_other.ipynb)", "98_other.html", "that one"),
    ("see [](lesson:98#the-end-of-it)", "see [section 2](98_other.ipynb#2.-The-end-of-it)", "98_other.html#the-end-of-it", "section 2"),
    ("see [](#a-step)", "see [A step](#A-step)", "#a-step", "A step"),
    ("see [](exercise:99/2)", "see [exercise 2](#Exercise-2-%E2%97%8F%E2%97%8F)", "#exercise-2", "exercise 2"),
    ("see [](exercise:99/double)", "see [exercise 2](#Exercise-2-%E2%97%8F%E2%97%8F)", "#exercise-2", "exercise 2"),
    ("see [](exercise:99/step)", "see [exercise 1](#Exercise-1-%E2%97%8F)", "#exercise-1", "exercise 1"),
    ("see [](exercise:99/perceptron:step)", "see [exercise 1](#Exercise-1-%E2%97%8F)", "#exercise-1", "exercise 1"),
    ("see [it](exercise:98/half)", "see [it](98_other.ipynb#Exercise-1-%E2%97%8F%E2%97%8F)", "98_other.html#exercise-1", "it"),
    ("see [](work:cox1958)", "see Cox 1958", "../bibliography.html#work-cox1958", "Cox 1958"),
    ("see [attention](term:attention-layer)", "see attention", "../glossary.html#term-attention-layer", "attention"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "notebook", "page", "words"), CASES)
def test_each_reader_gets_a_link_that_works_there(tmp_path, written, notebook, page, words):
    lesson = trial(tmp_path, written)
    assert faults(lesson) == []
    found = read(lesson, "en")
    assert found["notebook"] == found["solved"] == notebook
    address = re.search(r'href="([^"]*)"', found["page"])[1]
    assert address.removeprefix("../lessons/") == page
    assert re.sub(r"<[^>]*>", "", found["page"]) == re.sub(r"<[^>]*>", "", found["deck"]) == f"see {words}"
    site = (
        f"lessons/99_trial.html{page}"
        if page.startswith("#")
        else page.removeprefix("../")
        if page.startswith("../")
        else f"lessons/{page}"
    )
    assert f'href="../../en/{site}"' in found["deck"]


def test_an_empty_text_is_filled_in_the_language_of_the_edition(tmp_path):
    written = "La [](lesson:98), l'[](exercise:98/half) ; [](work:nair2010) ; [](#a-step)"
    found = read(trial(tmp_path, "x", written), "fr")["notebook"]
    assert re.sub(r"\]\([^)]*\)", "", found).replace("[", "") == "La leçon 98, l'exercice 1\u00a0; Nair et Hinton 2010\u00a0; Une marche"


def test_a_sentence_begins_with_a_capital(tmp_path):
    found = read(trial(tmp_path, "[](lesson:98) is. [](lesson:98) was, and [](lesson:98) of X et al. [](lesson:98)"), "en")["page"]
    assert re.sub(r"<[^>]*>", "", found) == "Lesson 98 is. Lesson 98 was, and lesson 98 of X et al. lesson 98"


def test_words_may_be_no_term_though_the_glossary_has_them(tmp_path):
    lesson = trial(tmp_path, "512 [inputs](term:) and no loss")
    assert faults(lesson) == []
    found = read(lesson, "en")
    assert {found["notebook"], found["deck"]} == {"512 inputs and no loss"}
    assert re.findall('href="([^"]*)"', found["page"]) == ["../glossary.html#term-loss"]


def test_a_lesson_to_come_is_text(tmp_path):
    lesson = trial(tmp_path, "see [](lesson:16), [its end](lesson:16#end)")
    assert faults(lesson) == []
    assert set(read(lesson, "en").values()) == {"see lesson 16, its end"}


def test_a_file_of_the_library_is_in_its_repository(tmp_path, monkeypatch):
    monkeypatch.setattr("dalle_edu.address.REPOSITORY", "https://github.com/someone/course")
    lesson = trial(tmp_path, "see [](source:bricks/attention.py) and [`attend`](source:bricks/attention.py)")
    assert faults(lesson) == []
    where = "(https://github.com/someone/course/blob/main/dalle_edu/bricks/attention.py)"
    assert read(lesson, "en")["notebook"] == f"see [`bricks/attention.py`]{where} and [`attend`]{where}"
    assert where[1:-1] in read(lesson, "en")["page"]
    monkeypatch.setattr("dalle_edu.address.REPOSITORY", "")  # no address: plain text, and no link to somewhere else
    assert set(read(lesson, "en").values()) == {"see `bricks/attention.py` and `attend`"}


def test_code_and_formulas_hold_no_reference(tmp_path):
    lesson = trial(tmp_path, "`[](lesson:98)`, $[x](#y)$, ![a picture](lesson.png)")
    assert faults(lesson) == []
    assert set(read(lesson, "en").values()) == {"`[](lesson:98)`, $[x](#y)$, ![a picture](lesson.png)"}


def test_graded_editions_have_their_references_resolved(tmp_path):
    text = GOOD.replace(
        "# %% implements",
        '# %% [markdown] lang="fr"\n# Voir la [](lesson:98).\n\n# %% [markdown] lang="en"\n# See [](lesson:98).\n\n# %% implements',
    )
    lesson = trial(tmp_path, "x")
    lesson.path.write_text(HEAD + text, encoding="utf-8")
    found = "\n".join(cell.source for cell in assignment(read_lesson(lesson.path), "fr").cells)
    assert "Voir la [leçon 98](98_other.ipynb)." in found


def test_no_notebook_holds_a_raw_reference():
    for path in sorted((build.LESSONS).glob("*/*.ipynb")):
        prose = [
            "".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "markdown"
        ]
        assert not re.search(r"\]\((?:lesson|exercise|term|work|source):|\[\]\(", "\n".join(prose)), path


# ---------------------------------------------------------------- faults

PLANTED = [
    ("see [](lesson:42)", 'no lesson is called "42"'),
    ("see [](lesson:98#the-ends-of-it)", 'no section of lesson 98 is called "the-ends-of-it"; near it are: the-end-of-it'),
    ("see [](#a-stop)", 'no section of lesson 99 is called "a-stop"; near it are: a-step'),
    ("see [](exercise:99/3)", 'no exercise of lesson 99 is called "3"'),
    ("see [](exercise:99/doubel)", 'no exercise of lesson 99 is called "doubel"; near it are: double'),
    ("see [](exercise:99/0)", 'no exercise of lesson 99 is called "0"'),
    ("see [layers](term:attention-layers)", 'no term of the glossary is called "attention-layers"; near it are: attention-layer'),
    ("see [](term:attention-layer)", "a reference to a term without a text"),
    ("see [](work:vaswani2018)", 'no work of references.bib is called "vaswani2018"; near it are: vaswani2017'),
    ("see [x](source:bricks/atention.py)", 'no file of dalle_edu is called "bricks/atention.py"; near it are: bricks/attention.py'),
    ("see [x](source:../README.md)", 'no file of dalle_edu is called "../README.md"'),
    ("see [x](leson:98)", 'an unknown kind of reference, "leson"'),
    ("see [](lesson:16#end)", "lesson 16 is not written yet; give a text"),
    ("see [lesson 97](lesson:98)", "the text says 97, but lesson:98 has the number 98"),
    ("see [section 1](lesson:98#the-end-of-it)", "the text says 1, but lesson:98#the-end-of-it has the number 2"),
    ("## A heading with [](lesson:98)", "a reference in a heading: lesson:98"),
    ("as lesson 07 says", '"lesson 07" is no reference; write [](lesson:07)'),
    ("as lessons [98](lesson:98) and 07 say", '"lessons […] and 07" is no reference; write [07](lesson:07)'),
    ("as section 3 says", '"section 3" is no reference; write [](#id-of-the-heading)'),
    ("as exercise 2 says", '"exercise 2" is no reference; write [](exercise:99/2)'),
    ("as Vaswani et al. (2017) say", '"Vaswani et al. (2017" is no reference; write [](work:vaswani2017)'),
    ("as Nair and Hinton 2010 say", '"Nair and Hinton 2010" is no reference; write [](work:nair2010)'),
    ("in *Attention is all you need*, 2017", "is no reference; write [](work:vaswani2017)"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "told"), PLANTED)
def test_a_fault_is_told_with_its_line(tmp_path, written, told):
    lesson = trial(tmp_path, f"One line.\n#\n# {written}", "Une ligne.\n#\n# Rien.")
    line = lesson.path.read_text(encoding="utf-8").splitlines().index(f"# {written}") + 1
    found = [each for each in faults(lesson) if told in each]
    assert [each.split(":")[0] for each in found] == [str(line)], found


def test_french_mentions_are_told_too(tmp_path):
    found = faults(trial(tmp_path, "Nothing.", "La leçon 07, l'exercice 2, les leçons 07 et 08 ; Nair et Hinton (2010)."))
    assert [re.search('"(.*?)" is no reference', each)[1] for each in found] == [
        "leçon 07",
        "exercice 2",
        "leçons 07",
        "Nair et Hinton (2010",
    ]


def test_slides_may_name_what_they_like_but_not_link_it_wrongly(tmp_path):
    assert faults(trial(tmp_path, "as lesson 07 says", metadata=" slide_only=true")) == []
    assert len(faults(trial(tmp_path, "as [](lesson:42) says", metadata=" slide_only=true"))) == 2  # one in each language


def test_both_editions_refer_to_the_same(tmp_path):
    assert "unequally often: fr 0, en 1" in "".join(faults(trial(tmp_path, "see [](lesson:98)", "Rien.")))


def test_all_lessons_are_checked(tmp_path):
    folder = trial(tmp_path, "see [](lesson:42)").path.parents[1]
    with pytest.raises(Faults, match="42"):
        build.lessons(folder)


def test_the_lessons_have_no_fault():
    found = build.lessons()
    assert [complaint for lesson in found for complaint in faults_of_references(lesson, found)] == []


# ---------------------------------------------------------------- glossary and works


def test_both_glossaries_have_the_same_ids():
    assert set(glossary("fr")) == set(glossary("en"))
    assert len(glossary("en")) == (BOOK / "en" / "glossary.md").read_text(encoding="utf-8").count("]{#term-")


def test_a_term_is_known_by_its_names_and_not_by_those_of_the_other_language():
    assert glossary("fr")["gan"].names == ("GAN", "réseau antagoniste génératif")
    assert glossary("fr")["deep-learning"].names == ("Apprentissage profond", "DL")
    assert glossary("fr")["prompt"].names == ("Prompt", "invite")
    assert glossary("en")["prompt"].names == ("Prompt",)


@pytest.mark.parametrize(
    ("language", "text", "linked"),
    [
        ("en", "Two attention\nlayers, an attention layer.", ["attention\nlayers"]),
        ("fr", "Des réseaux récurrents et des pertes, une perte.", ["réseaux récurrents", "pertes"]),
        ("en", "## The loss\n\nThe loss.", ["loss"]),
        ("en", "`loss`, $loss$, *the loss*, [loss](x), <b loss>, ```\nloss\n``` and **the loss**", ["loss"]),
        ("en", "a Gumbel-softmax, then a softmax", ["Gumbel-softmax", "softmax"]),
        ("en", "lossless, pre-loss, a clip, CLIP", ["CLIP"]),
        ("en", '<a class="term" href="../glossary.html#term-loss">what is lost</a>, a loss', ["what is lost"]),
    ],
)
def test_the_first_use_of_a_term_is_linked(language, text, linked):
    found = FirstUses(glossary(language)).linked(text)
    assert re.findall(r'<a class="term" id="use-[^"]*" href="[^"]*">(.*?)</a>', found, flags=re.DOTALL) == linked
    assert re.sub(r"</?a\b[^>]*>", "", found) == re.sub(r"</?a\b[^>]*>", "", text)


def test_a_first_use_is_one_of_the_lesson_not_of_each_cell():
    uses = FirstUses(glossary("en"))
    assert 'id="use-loss"' in uses.linked("A loss.")
    assert uses.linked("A loss.") == "A loss."


def test_the_glossary_says_where_a_term_is_used(tmp_path):
    lesson, pages = trial(tmp_path, "The loss."), tmp_path / "pages"
    (pages / "lessons").mkdir(parents=True)
    (pages / "glossary.md").write_text((BOOK / "en" / "glossary.md").read_text(encoding="utf-8"), encoding="utf-8")
    page = on_page(notebooks.everything(lesson, "en"), lesson, "en")
    (pages / "lessons" / f"{lesson.name}.ipynb").write_text(json.dumps(page), encoding="utf-8")
    say_where(pages, "en", [lesson])
    said = (pages / "glossary.md").read_text(encoding="utf-8")
    assert 'training brings down.\n\n  <span class="uses">Lesson <a href="lessons/99_trial.html#use-loss">99</a></span>\n' in said
    assert said.count('class="uses"') == 1


def test_works_are_named_as_prose_names_them():
    named = {
        key: (works()[key].named("en"), works()[key].named("fr")) for key in ("cox1958", "ho2021", "jang2017", "cho2014", "vandenoord2017")
    }
    assert named["cox1958"] == ("Cox 1958", "Cox 1958")
    assert named["ho2021"] == ("Ho and Salimans 2021", "Ho et Salimans 2021")
    assert named["jang2017"][0] == "Jang et al. 2017"
    assert named["cho2014"][1] == "Cho et al. 2014"
    assert named["vandenoord2017"][0] == "van den Oord et al. 2017"
