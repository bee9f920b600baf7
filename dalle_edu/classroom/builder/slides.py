"""Slide decks: the cells of a lesson that are slides, as a page of reveal.js that opens from the book or as a file."""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.linking import on_deck
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside

TEMPLATES = Path(__file__).with_name("templates")
NODE_MODULES = Path(__file__).parents[3] / "book" / "node_modules"


def write_deck(executed: Any, lesson: Lesson, language: str, site: Path) -> Path:
    """Write the deck of an executed notebook to `site/slides/LANGUAGE/`; returns its path. It uses the files of `copy_assets`."""
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    exporter = SlidesExporter(
        config=Config(
            SlidesExporter={"reveal_theme": "white", "reveal_url_prefix": "../assets/reveal.js"},
            TagRemovePreprocessor={"enabled": True, "remove_input_tags": {"hide-input", "output-only-slide"}},
        ),
        template_name="deck",
        extra_template_basedirs=[str(TEMPLATES)],
    )
    style = (TEMPLATES / "deck" / "deck.css").read_text(encoding="utf-8")
    resources = {
        "deck": {"mathjax": "../assets/mathjax", "style": style},
        "metadata": {"name": f"{lesson.number} · {lesson.title[language]}"},
    }
    exporter.language_code = language
    html, _ = exporter.from_notebook_node(on_deck(_shown(executed), lesson, language), resources=resources)
    path = site / "slides" / language / f"{lesson.name}.html"
    write_aside(path, lambda file: file.write(html.encode()))
    return path


def copy_assets(site: Path) -> None:
    """Copy reveal.js and MathJax to `site/slides/assets/`. Raises `DalleEduError` where npm has not installed them in `book/`."""
    for name, parts in {"reveal.js": ["dist"], "mathjax": ["es5/tex-chtml.js", "es5/output/chtml/fonts"]}.items():
        if not (NODE_MODULES / name).is_dir():
            raise DalleEduError(
                f"{NODE_MODULES / name} is missing; run `npm ci` in book/", f"{NODE_MODULES / name} manque ; lancez `npm ci` dans book/"
            )
        for part in parts:
            source, target = NODE_MODULES / name / part, site / "slides" / "assets" / name / part.removeprefix("es5/")
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def _shown(executed: Any) -> Any:
    """The notebook without the cells that are on no slide."""
    notebook = deepcopy(executed)
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("slideshow", {}).get("slide_type", "skip") != "skip"]
    return notebook
