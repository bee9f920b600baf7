"""The front page of the book: drawings with their sentences, the machines' marks, and the lessons as cards, filled into its Markdown.

A line `% drawings`, `% start`, `% marks` or `% lessons` of `index.md` is replaced by what it names.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.source import Lesson, source_language
from dalle_edu.language import chosen, language_named, typeset
from dalle_edu.scorecard.compare import table

ROOT = Path(__file__).parents[4]
_WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "drawn": "“{sentence}”", "alt": "{name}'s drawing: {sentence}", "start": "Start", "all": "See the lessons",
        "machine": "machine", "right": "right, in percent", "rate": "all, in English", "seconds": "a picture, CPU seconds",
        "millions": "million parameters", "coming": "to come", "hours": "about {total} h: reading {reading} h, exercises {exercises} h",
        "lesson": "Read", "notebook": "Notebook", "slides": "Slides", "pdf": "PDF", "builds": "You build: {builds}.",
        "written": "{written} of {all} are written; the others are marked “to come”.",
        "course": "A course of eighteen lessons, in French and in English, on a laptop.",
        "headings": ["million parameters", "seconds a picture"], "lesson_of": "lesson {number}",
    },
    "fr": {
        "drawn": "« {sentence} »", "alt": "Dessin de {name} : {sentence}", "start": "Commencer", "all": "Voir les leçons",
        "machine": "machine", "right": "juste, en pour cent", "rate": "tout, en français", "seconds": "une image, s CPU",
        "millions": "millions de paramètres", "coming": "à venir",
        "hours": "environ {total} h : lecture {reading} h, exercices {exercises} h",
        "lesson": "Lire", "notebook": "Notebook", "slides": "Diapositives", "pdf": "PDF", "builds": "On y construit : {builds}.",
        "written": "{written} sur {all} sont écrites ; les autres portent la mention « à venir ».",
        "course": "Un cours de dix-huit leçons, en français et en anglais, sur un ordinateur portable.",
        "headings": ["millions de paramètres", "secondes par image"], "lesson_of": "leçon {number}",
    },
}  # fmt: skip


def _words(language: str) -> dict[str, Any]:
    """The front page's words in a language; those that are not written here come from its phrasebook."""
    say = language_named(language).phrase
    return _WORDS.get(language) or {
        key: list(map(say, text)) if isinstance(text, list) else say(text) for key, text in _WORDS["en"].items()
    }


def course(folder: Path = ROOT / "lessons") -> list[dict[str, Any]]:
    """The lessons of the whole course, written or to come: their numbers, titles, and what each builds."""
    return list(json.loads((folder / "course.json").read_text(encoding="utf-8")))


def filled(page: str, language: str, lessons: Sequence[Lesson], site: Path, pictures: Mapping[str, str]) -> str:
    """The front page's Markdown with its parts filled in; `pictures` are the `img` of lessons by name, seen from the language's folder.

    A lesson's deck and its PDF are linked to where they are in `site`.
    """
    front = json.loads((ROOT / "book" / "front.json").read_text(encoding="utf-8"))
    marks = json.loads((ROOT / "data" / "marks.json").read_text(encoding="utf-8"))
    parts = {
        "drawings": drawings(front["drawings"], language),
        "start": _start(lessons, language),
        "marks": bars(front["machines"], marks["systems"], language),
        "lessons": cards(lessons, language, site, pictures),
        "sentence": f'<p class="lead">{_typeset(chosen(front["sentence"], language), language)}</p>',
    }
    return re.sub(r"^% (\w+)$", lambda found: parts.get(found.group(1), found.group()), page, flags=re.MULTILINE)


def described(lessons: Sequence[Lesson], language: str) -> dict[str, str]:
    """What each lesson builds, by the name of its page, for search engines."""
    builds = {row["number"]: chosen(row["builds"], language) for row in course()}
    words = _words(language)
    pages = {
        f"lessons/{lesson.name}": words["builds"].format(builds=builds[lesson.number]) for lesson in lessons if lesson.number in builds
    }
    front = json.loads((ROOT / "book" / "front.json").read_text(encoding="utf-8"))["sentence"]
    front = chosen(front, language)
    return {name: _typeset(text, language) for name, text in {"front": f"{front} {words['course']}", **pages}.items()}


def drawings(wanted: Sequence[dict[str, str]], language: str) -> str:
    """The row of drawings, each above its sentence and the name of the machine that drew it."""
    words, items = _words(language), []
    for drawing in wanted:
        alt = _typeset(words["alt"].format(name=drawing["name"], sentence=chosen(drawing, source_language(language))), language)
        source = f"../assets/shared/drawings/{drawing['system']}.{source_language(language)}.webp"
        sentence = _typeset(words["drawn"].format(sentence=chosen(drawing, source_language(language))), language)
        items.append(
            f'<li><figure><img src="{source}" alt="{escape(alt, quote=True)}" width="256" height="256">'
            f"<figcaption>{escape(sentence)} <span>{escape(drawing['name'])}</span></figcaption></figure></li>"
        )
    return "\n".join(['<ul class="drawings">', *items, "</ul>"])


def bars(machines: Sequence[dict[str, str]], measured: Sequence[dict[str, Any]], language: str) -> str:
    """A table of the machines: the share of right answers in this language as a bar, their size, and the time that a picture takes."""
    words = _words(language)
    systems = [entry["system"] for entry in measured]
    costs = {row[0]: dict(zip(systems, row[1:], strict=True)) for row in table(measured, source_language(language))[1]}
    rows = []
    for machine in machines:
        rate, millions, seconds = (
            costs[_WORDS[source_language(language)][what]][machine["system"]] for what in ("rate", "millions", "seconds")
        )
        made = escape(_typeset(chosen(machine, language), language))
        share = f'<span class="bar" style="--share: {rate.replace(",", ".")}%" aria-hidden="true"></span>'
        rows.append(
            f'<tr><th scope="row">{escape(machine["name"])}<small>{made}</small></th><td class="share">{share}<span>{rate}</span></td>'
            f"<td>{millions}</td><td>{seconds}</td></tr>"
        )
    names = "".join(f'<th scope="col">{name}</th>' for name in (words["machine"], words["right"], *words["headings"]))
    return "\n".join(['<div class="marks"><table>', f"<thead><tr>{names}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table></div>"])


def cards(lessons: Sequence[Lesson], language: str, site: Path, pictures: Mapping[str, str]) -> str:
    """The lessons of the course as cards: what each builds, its hours, a picture and its forms; those to come are marked so."""
    written = {lesson.number: lesson for lesson in lessons}
    items = []
    for row in course():
        lesson = written.get(row["number"])
        builds = escape(_typeset(_words(language)["builds"].format(builds=chosen(row["builds"], language)), language))
        title = escape(_typeset(chosen(lesson.title if lesson else row["title"], language), language))
        head = f'<p class="number">{row["number"]}{"" if lesson else _coming(language)}</p>'
        if lesson is None:
            items.append(f'<li class="coming">{head}<h3>{title}</h3><p>{builds}</p></li>')
            continue
        links = " ".join(f'<a href="{address}">{words}</a>' for words, address in _forms(lesson, language, site))
        named = f'<h3><a href="lessons/{lesson.name}.html">{title}</a></h3>'
        hours = f'<p class="hours">{_hours(lesson, language)}</p><p class="forms">{links}</p>'
        items.append(f"<li>{pictures.get(lesson.name, '')}{head}{named}<p>{builds}</p>{hours}</li>")
    count = _typeset(_words(language)["written"].format(written=len(written), all=len(items)), language)
    return "\n".join([f"<p>{count}</p>", '<ol class="lessons">', *items, "</ol>"])


def _forms(lesson: Lesson, language: str, site: Path) -> Iterator[tuple[str, str]]:
    """The forms of a lesson that there are, and where each is, seen from the language's folder."""
    words, deck = _words(language), f"slides/{language}/{lesson.name}"
    yield words["lesson"], f"lessons/{lesson.name}.html"
    yield words["notebook"], f"_sources/lessons/{lesson.name}.ipynb"
    for name, kind in ((words["slides"], "html"), (words["pdf"], "pdf")):
        if (site / f"{deck}.{kind}").exists():
            yield name, f"../{deck}.{kind}"


def _hours(lesson: Lesson, language: str) -> str:
    values = {"total": sum(lesson.hours), "reading": lesson.hours[0], "exercises": sum(lesson.hours[1:])}
    said = {name: language_named(language).number(f"{hours:g}") for name, hours in values.items()}
    return _typeset(_words(language)["hours"].format(**said), language)


def _coming(language: str) -> str:
    return f" <span>{_words(language)['coming']}</span>"


def _start(lessons: Sequence[Lesson], language: str) -> str:
    words = _words(language)
    first = f'<a class="start" href="lessons/{lessons[0].name}.html">{words["start"]}</a>'
    return f'<p class="begin">{first} <a href="#the-lessons">{words["all"]}</a></p>'


def _typeset(text: str, language: str) -> str:
    return typeset(text) if language == "fr" else text
