"""Careless edits of a lesson: the builder tells each at its line, all in one run, and none ends in a traceback."""

import shutil

import pytest

from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.complaints import REPOSITORY, Complaint, Faults
from dalle_edu.classroom.builder.latex import faults_of_formulas
from dalle_edu.language import speak
from tests.careful_lesson import CAREFUL, NAME, write

# What is edited: the text that is found, what takes its place, the text of the line that is told, and words of the complaint.
EDITS = {
    # the file and its header
    "header not closed": ("# ---\n\n# %%", "\n# %%", "# ---", "the header is not closed"),
    "header no YAML": ("hours: [0.5,", "hours: [0.5, [", "title:", "the header is no YAML"),
    "hours are three": ("[0.5, 0.1, 0.2, 0.1]", "[0.5, 0.1, 0.2]", "hours:", "they are four"),
    "hours in words": ("[0.5, 0.1, 0.2, 0.1]", '[0.5, 0.1, 0.2, "little"]', "hours:", "they are four"),
    "title in one language": ('{en: "A careful trial", fr: "Un essai soigné"}', '{en: "A careful trial"}', "title:",
            "a title in each language"),
    "unknown key": ('#     number: "98"', '#     number: "98"\n#     author: "me"', "author:", "unknown key author"),
    "key misspelt": ("hours: [", "hour: [", "lesson:", "the header lacks hours"),
    "number unquoted": ('number: "98"', "number: 98", "number:", "between quotation marks"),
    "another lesson's number": ('number: "98"', 'number: "97"', "number:", 'the number is "97"'),
    "tab": ("# Now write the step.", "#\tNow write the step.", "Now write", "a tab"),
    "byte order mark": ("# ---\n# jupyter", "\ufeff# ---\n# jupyter", "# ---", "byte order mark"),
    "prose without #": ("# Now write the step.", "Now write the step.", "Now write", "without # before it"),
    # markers
    "marker cannot be read": ('lang="en" slide="slide"', 'lang="en slide="slide"', 'lang="en ', "cannot be read"),
    "marker without a space": ("# %% level=2", "#%% level=2", "#%% level", "cannot be read"),
    "unknown tag": ('tags=["hide-input"]', 'tags=["hide-inputs"]', "hide-inputs", "unknown tag"),
    "tags no list": ('tags=["hide-input"]', 'tags="hide-input"', 'tags="hide', "tags is"),
    "unknown slide type": ('lang="en" slide="slide"', 'lang="en" slide="slides"', "slides", "slide is 'slides'"),
    "unknown level": ("# %% level=2", "# %% level=4", "level=4", "level is 4"),
    "level in quotes": ("# %% level=2", '# %% level="2"', 'level="2"', "level is '2'"),
    "unknown fact": ("# %% level=2", "# %% levle=2", "levle", "unknown metadata levle"),
    "unknown language": ('lang="en" slide', 'lang="de" slide', 'lang="de"', "lang is 'de'"),
    "code with a language": ("# %% level=2", '# %% level=2 lang="fr"', "level=2 lang", "code exists once"),
    "quiz and level": ('# %% quiz="careful"', '# %% quiz="careful" level=1', 'quiz="careful"', "one of level, quiz"),
    # structure
    "translation lost": ('# %% [markdown] lang="en"\n# ## A second', '# %% [markdown] lang="fr"\n# ## A second', "", "2 cells in French"),
    "heading of another level": ("# ## A step", "# ### A step", "### A step", "headings differ"),
    "slide in one edition": ('lang="en" slide="slide"', 'lang="en"', '# %% [markdown] lang="en"', "slide differs"),
    "hint in one edition": ("# <details><summary>A hint</summary>\n#\n# It is enough to compare with zero.\n#\n# </details>",
                            "# It is enough to compare with zero.", "<details>", "hints differ"),
    "empty cell": ("# %% claims=true\nassert double(2) == 4", "# %%", "", "an empty cell"),
    "cell too long": ("z = np.linspace(-1, 1, 5)\n", "z = np.linspace(-1, 1, 5)\n" * 12, "tags=", "more than 18"),
    "prose without a language": ("# $$ y =", "# A sentence of words.\n#\n# $$ y =", "# %% [markdown]\n", "prose without a language"),
    # languages
    "English sentence in French": ("Elle vaut 0 avant,", "Now it is the value that we have before,", "Now it is", "English in the fr"),
    "French sentence in English": ("It is enough to compare with zero.", "Il suffit de comparer à zéro pour la marche.",
            "marche.\n#\n# </d", "French in the en"),
    "alt text untranslated": ("Une courbe qui saute de 0 à 1 au milieu.", "It is a curve that jumps from 0 to 1.",
            "It is a curve", "English in the fr"),
    "quiz untranslated": ("Deux fois quatre font huit.", "This is twice the four that we have.", "This is twice", "English in the fr"),
    "text not said": ('say("the double of 3", "le double de 3")', '"the double of 3 is what you have"', "is what you",
            "in one language only"),
    "comment in one language": ("# en: a line of numbers\n", "", "# fr: une ligne", "in one language only"),
    # typography
    "English quotes in French": ("« un pas »", '"un pas"', '"un pas"', "quotation marks of English"),
    "curly quotes in French": ("« un pas »", "“un pas”", "“un", "quotation marks of English"),
    "guillemet without space": ("« un pas »", "«un pas »", "«un", "« without a space"),
    "guillemet not closed": ("« un pas »", "« un pas", "« un pas", "a quotation is not closed"),
    "guillemets in English": ('"a step"', "« a step »", "« a step", "quotation marks of French"),
    "no space before semicolon": ("un pas » ;", "un pas » et c'est tout;", "tout;", "no space before"),
    "no space before colon": ("moins souvent :", "moins souvent:", "souvent:", "no space before"),
    "no space in a string": ("noté $2 x$ ?", "noté $2 x$?", "noté $2 x$?", "no space before"),
    "space before an English colon": ("less often:", "less often :", "often :", "a space before"),
    # numbers
    "number differs": ("1.5 times", "1.6 times", "1.6", "numbers differ: 1.5 in French, 1.6 in English"),
    "number in a string differs": ("saute de 0 à 1", "saute de 0 à 2", "A curve that jumps", "numbers differ: 2 in French, 1 in English"),
    "number lost": ("is 1 from zero", "is so from zero", "vaut 1 à", "numbers differ: 1 in French"),
    # pictures
    "figure shown bare": ('picture(figure, say("A curve that jumps from 0 to 1 in the middle.",\n'
                          '                    "Une courbe qui saute de 0 à 1 au milieu."))', "figure", "\nfigure\n",
            "a figure shown without"),
    "plt.show": ("figure, axes = plot()", "figure, axes = plot()\nplt.show()", "plt.show", "a figure shown without"),
    "picture without alt": ('picture(figure, say("A curve that jumps from 0 to 1 in the middle.",\n'
                            '                    "Une courbe qui saute de 0 à 1 au milieu."))', "picture(figure)",
            "picture(figure)", "shown without"),
    "picture with empty alt": ('say("A curve that jumps from 0 to 1 in the middle.",\n'
                               '                    "Une courbe qui saute de 0 à 1 au milieu.")', '""', 'picture(figure, "")',
            "described as ''"),
    "image without alt": ("# $$ y =", "# ![](marks.png)\n#\n# $$ y =", "![]", "a picture without a description"),
    "HTML image without alt": ("# $$ y =", '# <img src="marks.png">\n#\n# $$ y =', "<img", "a picture without a description"),
    # links
    "anchor of no heading": ("[rest](#a-second-step)", "[rest](#the-second-step)", "the-second-step", "no section of lesson 98"),
    "file that is not there": ("[from the start](98_careful.ipynb)", "[from the start](97_lost.ipynb)", "97_lost", "leads to no file"),
    "empty link": ("[from the start](98_careful.ipynb)", "[from the start]()", "[from the start]()", "a link without an address"),
    "address misspelt": ("[from the start](98_careful.ipynb)", "[from the start](https:/arxiv.org)", "https:/", "is no address"),
    "unknown work": ("See {cite}`rosenblatt1958`", "See {cite}`rosenblat1958`", "rosenblat1958", "no work is called"),
    "work named and no link": ("See {cite}`rosenblatt1958`", "See Rosenblatt (1958)", "Rosenblatt (1958)", "write [](work:rosenblatt1958)"),
    "works' authors named": ("See {cite}`rosenblatt1958`", "See Minsky\n# and Papert, 1969", "Minsky", "write [](work:minsky1969)"),
    # marks
    "hint not closed": ("# </details>\n\n# %% implements", "\n# %% implements", "<summary>A hint", "<details> is not closed"),
    "fence not closed": ("# two = 1 + 1\n# ```\n\n# %% level", "# two = 1 + 1\n\n# %% level", "# ```python\n# two = 1 + 1\n\n",
            "``` is not closed"),
    "bold not closed": ("It is written $y$", "It is **written $y$", "**written", "** is not closed"),
    "backquote not closed": ("It is written $y$", "It is `written $y$", "`written", "` is not closed"),
    # code
    "no Python": ("    return 2 * x", "    return 2 *", "return 2 *", "this is no Python"),
    "indent lost": ("    return 2 * x", "return 2 * x", "return 2 * x", "this is no Python"),
    "say with one text": ('say("the double of 3", "le double de 3")', 'say("the double of 3")', 'say("the double', "say takes two strings"),
    "code too wide": ("z = np.linspace(-1, 1, 5)", "z = np.linspace(-1, 1, 5)" + " + 0" * 20, "+ 0 + 0", "more than 84"),
    "comment not said twice": ("figure, axes = plot()", "figure, axes = plot()  # the figure", "# the figure", "in one language only"),
    # exercises and quizzes
    "target that does not exist": ("perceptron:step", "perceptron:stride", "perceptron:stride", "no function or class stride"),
    "module that does not exist": ("perceptron:step", "perceptrons:step", "perceptrons:step", "there is no module"),
    "target no target": ("perceptron:step", "step", 'implements="step"', "name a module and an object"),
    "exercise without a level": ('"perceptron:step" level=1', '"perceptron:step"', "perceptron:step", "an exercise without a level"),
    "hollow without a method": ('"perceptron:step" level=1', '"perceptron:step" level=1 hollow=["forward"]', "hollow",
            "has no method forward"),
    "translation missing": ('"""La fonction marche : 1 là où z >= 0, 0 ailleurs.\n\n'
                            'Comme activation, 1 signifie que le neurone s\'active (Rosenblatt 1958).\n"""\n', "",
            "perceptron:step", "to be put into French"),
    "translated comment of nothing": ("# %% scratch=true", "# a comment => un commentaire\n\n# %% scratch=true",
            "perceptron:step", "to be put into French"),
    "example after no exercise": ("# %% claims=true\nassert double(2) == 4", "# %% scratch=true\ndouble(2)  # → 4",
            "# %% scratch=true\ndouble", "after no exercise"),
    "example without a value": ("  # → array([0., 1., 1.])", "", "# %% scratch", "says its value 0 times"),
    "exercise without a name": ("def double(x):\n    return 2 * x", "print(2)", "# %% level=2", "defines no name"),
    "nothing checks": ('expect(lambda: double(3), 6, say("the double of 3", "le double de 3"))', "double(3)", "# %% level=2",
            "nothing checks"),
    "exercise twice": ("# %% claims=true", "# %% level=1\ndouble = 4\n\n# %%\nexpect(double, 4)\n\n# %% claims=true",
            "# %% level=1\ndouble", "used at line"),
    "quiz without a quiz": ('quiz(\n    Number', 'print(\n    Number', 'quiz="careful"', "a quiz without quiz"),
    # formulas
    "brace missing": (r"\frac{1}{1 + e^{-x}} $$", r"\frac{1}{1 + e^{-x} $$", "$$ y", "Missing close brace"),
    "unknown macro": (r"\frac{1}", r"\fraction{1}", r"\fraction", r"Undefined control sequence \fraction"),
    "lone dollar": ("It is written $y$", "It is written y$", "written y$", "a $ without its other one"),
    "macro that Python reads": ("written $2 x$?", r"written $2 \times x$?", r"\times", "write the string raw"),
    "formula in a quiz": ('say("What is the double of 4, written $2 x$?"',
            r'say(r"What is the double of 4, written $2 \tims x$?"', r"\tims",
                          r"Undefined control sequence \tims"),
}  # fmt: skip
FORMULAS = ("brace missing", "unknown macro", "lone dollar", "macro that Python reads", "formula in a quiz")


def edited(name: str) -> tuple[str, int, str]:
    """The lesson after an edit, the number of the line that should be told, and words of the complaint."""
    found, put, told, words = EDITS[name]
    assert CAREFUL.count(found) == 1, found
    text = CAREFUL.replace(found, put)
    place = text.index(told) if told else CAREFUL.index(found)
    return text, text.count("\n", 0, place + (1 if told.startswith("\n") else 0)) + 1, words


def needs_mathjax() -> None:
    """Leave a test out where formulas cannot be compiled."""
    if shutil.which("node") is None or not (REPOSITORY / "book/node_modules/mathjax").is_dir():
        pytest.skip("needs Node.js and `npm ci` in book/")


def complaints(folder, formulas: bool = False) -> list[Complaint]:
    lessons, faults = build.with_faults(folder)
    return faults + (faults_of_formulas(lessons, pages=[]) if formulas else [])


def test_the_lesson_has_no_fault_before_it_is_edited(tmp_path):
    needs_mathjax()
    write(tmp_path)
    assert complaints(tmp_path, formulas=True) == []
    build.build(tmp_path)
    assert build.stale(tmp_path) == []


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_told_at_its_line(tmp_path, name):
    if name in FORMULAS:
        needs_mathjax()
    text, line, words = edited(name)
    path = write(tmp_path, text)
    found = complaints(tmp_path, name in FORMULAS)
    told = [str(fault) for fault in found if fault.line == line and words in fault.en and fault.path == path]
    assert told, (line, words, list(map(str, found)))
    assert told[0].startswith(f"{path}:{line}")
    if name not in FORMULAS:
        with pytest.raises(Faults) as raised:
            build.build(tmp_path)
        assert told[0] in str(raised.value)
        assert not list(tmp_path.rglob("*.ipynb"))


def test_all_edits_are_told_in_one_run(tmp_path):
    """In one lesson as in several: what is wrong in one cell hides nothing of the others."""
    needs_mathjax()
    text = CAREFUL
    names = [
        "unknown tag",
        "heading of another level",
        "no Python",
        "brace missing",
        "number differs",
        "no space before colon",
        "hours are three",
    ]
    for name in names:
        text = text.replace(*EDITS[name][:2])
    write(tmp_path, text)
    write(tmp_path, CAREFUL.replace('"98"', '"99"').replace("level=2", "level=9").replace("98_careful", "99_other"), "99_other.py")
    found = complaints(tmp_path, formulas=True)
    for name in names:
        assert any(EDITS[name][3] in fault.en and fault.path.name == NAME for fault in found), name
    assert any("level is 9" in fault.en and fault.path.name == "99_other.py" for fault in found)
    assert len(found) == len(names) + 1, list(map(str, found))


def test_two_lessons_do_not_share_a_number(tmp_path):
    write(tmp_path)
    write(tmp_path, CAREFUL.replace("98_careful", "98_twin"), "98_twin.py")
    (fault,) = complaints(tmp_path)
    assert fault.path.name == "98_twin.py"
    assert fault.line == 4
    assert "number 98 is that of 98_careful.py too" in fault.en


def test_the_same_sentence_in_both_editions_is_told(tmp_path):
    both = "Comparison against zero suffices entirely"
    text = CAREFUL.replace("Il suffit de comparer à zéro", both).replace("It is enough to compare with zero", both)
    path = write(tmp_path, text)
    (fault,) = complaints(tmp_path)
    assert "the same sentence in both editions" in fault.en
    assert fault.line == text[: text.rindex(both)].count("\n") + 1
    assert fault.path == path


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", 1, "the file is empty"),
        (CAREFUL.replace("soigné", "soign\udce9").encode("utf-8", "surrogateescape"), 6, "is not UTF-8"),
    ],
    ids=["empty", "latin-1"],
)
def test_a_file_that_is_no_text_is_told(tmp_path, data, line, words):
    path = write(tmp_path)
    path.write_bytes(data)
    assert any(fault.line == line and words in fault.en for fault in complaints(tmp_path))


def test_a_complaint_is_in_the_language_of_its_reader(tmp_path, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    speak("fr")
    write(tmp_path, edited("unknown tag")[0])
    (fault,) = complaints(tmp_path)
    assert "étiquette inconnue" in str(fault)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["taken out", "doubled", "cut", "emptied"])
def test_no_edit_of_a_line_ends_in_a_traceback(tmp_path, kind):
    """Whatever becomes of a line, the lesson is built, or its faults are told."""
    lines = CAREFUL.split("\n")
    for number, line in enumerate(lines):
        put = {"taken out": [], "doubled": [line, line], "cut": [line[: len(line) // 2]], "emptied": [""]}[kind]
        write(tmp_path, "\n".join([*lines[:number], *put, *lines[number + 1 :]]))
        lessons, faults = build.with_faults(tmp_path)
        if not faults:
            notebooks.everything(lessons[0], "fr")
            build.stale(tmp_path)
