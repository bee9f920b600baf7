"""Sphinx's settings, for both languages: `dalle-edu book` calls it once for each with DALLE_EDU_LANGUAGE set."""

import os
from pathlib import Path
from typing import Any

from dalle_edu.address import BRANCH, REPOSITORY, on_github
from dalle_edu.classroom.builder.book import bibliography
from dalle_edu.classroom.builder.book.site import read_settings
from dalle_edu.classroom.builder.slides.deck import COURSE

HERE = Path(__file__).parent
language = os.environ.get("DALLE_EDU_LANGUAGE", "en")
french = language == "fr"
other = "en" if french else "fr"

project = COURSE["fr" if french else "en"]
built = read_settings(HERE / "pages" / f"{language}.json")
author = "dalle_edu"
copyright = "dalle_edu, MIT & CC BY 4.0"
extensions = ["myst_nb", "sphinx_external_toc", "sphinxcontrib.bibtex", "sphinx_togglebutton", "sphinx_copybutton"]
extensions += ["dalle_edu.classroom.builder.book.sphinx_parts"]
external_toc_path = str(HERE / "_toc.yml")
bibtex_bibfiles = ["references.bib"]
bibtex_cite_id = "work-{key}"
bibliography.register()
bibtex_default_style = f"dalle_edu_{'fr' if french else 'en'}"
templates_path = [str(HERE / "templates")]
html_static_path = [str(HERE / "static")]
html_css_files = ["book.css"]
html_js_files = ["book.js"]

nb_execution_mode = "off"  # the notebooks come executed
nb_code_prompt_show = "Voir le code" if french else "Show the code"
nb_code_prompt_hide = "Cacher le code" if french else "Hide the code"
nb_number_source_lines = False
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "attrs_inline", "deflist", "dollarmath", "colon_fence"]
myst_heading_anchors = 3
mathjax_path = "../../assets/mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}
togglebutton_hint = "Voir" if french else "Show"
togglebutton_hint_hide = "Cacher" if french else "Hide"

html_theme = "sphinx_book_theme"
html_title = project
html_baseurl = f"{built['address']}/{language}/" if built["address"] else ""
html_use_index = False
html_permalinks_icon = "#"
html_copy_source = True
html_sourcelink_suffix = ""
html_theme_options = {
    **({"repository_url": REPOSITORY} if REPOSITORY else {}),  # without it, no button leads to the repository, to Colab or to Binder
    "repository_branch": BRANCH,
    "path_to_docs": f"lessons/{language}",
    "use_download_button": True,
    "use_source_button": False,
    "use_issues_button": False,
    "use_edit_page_button": False,
    "launch_buttons": {
        **({"colab_url": "https://colab.research.google.com"} if on_github() else {}),
        **({"binderhub_url": "https://mybinder.org"} if REPOSITORY else {}),
        "notebook_interface": "jupyterlab",
    },
    "article_header_end": ["language-switch.html", "article-header-buttons.html"],
    "navbar_persistent": [],
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "home_page_in_toc": True,
    "show_toc_level": 1,
    "search_bar_text": "Rechercher…" if french else "Search…",
}
html_context = {
    "default_mode": "auto",
    "other_language": other,
    "other_language_name": "English" if french else "Français",
    "slides_label": "Diapositives" if french else "Slides",
    "decks": built["decks"],
    "descriptions": built["descriptions"],
    "address": built["address"],
}
suppress_warnings = ["mystnb.unknown_mime_type"]
if os.environ.get("DALLE_EDU_PARTIAL") == "1":  # a part of the lessons: the others are not there to be linked to
    suppress_warnings += ["myst.xref_missing", "ref.ref", "toc.glob", "toc.empty_glob"]


def students_notebook(found: Any) -> Any:
    """The theme's buttons, led from a page `lessons/NAME` to the notebook `lessons/LANGUAGE/NAME` that students work in."""
    if isinstance(found, str):
        return found.replace(f"lessons/{language}/lessons/", f"lessons/{language}/")
    if isinstance(found, list):
        return [students_notebook(each) for each in found]
    return {key: students_notebook(value) for key, value in found.items()} if isinstance(found, dict) else found


# What Sphinx's extensions tell screen readers, and should not: labels that hide the words shown, lists without items.
MISLEADING = (' aria-label="Toggle hidden content"', ' role="list" class="citation-list"')


def mend(app: Any, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    context["header_buttons"] = students_notebook(context.get("header_buttons", []))
    body = context.get("body", "")
    for words in MISLEADING:
        body = body.replace(words, "")
    context["body"] = body


# What the theme says in English whatever the language: names of buttons, for screen readers and under the pointer.
UNTRANSLATED = {
    "Toggle primary sidebar": "Afficher ou cacher le sommaire",
    "Toggle secondary sidebar": "Afficher ou cacher le contenu de la page",
    "Launch interactive content": "Ouvrir le notebook ailleurs",
    "Launch on Colab": "Ouvrir dans Colab",
    "Launch on Binder": "Ouvrir dans Binder",
    "Colab logo": "logo de Colab",
    "Binder logo": "logo de Binder",
    "Main": "Navigation principale",
}


def translate_names(app: Any, exception: Exception | None) -> None:
    for path in Path(app.outdir).rglob("*.html") if french and exception is None else []:
        text = path.read_text(encoding="utf-8")
        for english, translated in UNTRANSLATED.items():
            for attribute in ("title", "aria-label", "alt"):
                text = text.replace(f'{attribute}="{english}"', f'{attribute}="{translated}"')
        path.write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    app.connect("html-page-context", mend, priority=900)  # after the theme's own
    app.connect("build-finished", translate_names)
