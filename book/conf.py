"""Sphinx's settings, for both languages: `dalle-edu book` calls it once for each with DALLE_EDU_LANGUAGE set."""

import os
from pathlib import Path

HERE = Path(__file__).parent
language = os.environ.get("DALLE_EDU_LANGUAGE", "en")
french = language == "fr"
other = "en" if french else "fr"
repository = os.environ.get("DALLE_EDU_REPOSITORY", "https://github.com/dalle-edu/dalle-edu")

project = "DALL·E, du perceptron à l'image" if french else "DALL·E, from the perceptron to the picture"
author = "dalle_edu"
copyright = "dalle_edu, MIT & CC BY 4.0"
extensions = ["myst_nb", "sphinx_external_toc", "sphinxcontrib.bibtex", "sphinx_togglebutton", "sphinx_copybutton"]
external_toc_path = str(HERE / "_toc.yml")
bibtex_bibfiles = ["references.bib"]
templates_path = [str(HERE / "templates")]
html_static_path = [str(HERE / "static")]
html_css_files = ["book.css"]
html_js_files = []

nb_execution_mode = "off"  # the notebooks come executed
nb_code_prompt_show = "Voir le code" if french else "Show the code"
nb_code_prompt_hide = "Cacher le code" if french else "Hide the code"
nb_number_source_lines = False
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "deflist", "dollarmath", "colon_fence"]
myst_heading_anchors = 3
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}
togglebutton_hint = "Voir" if french else "Show"
togglebutton_hint_hide = "Cacher" if french else "Hide"

html_theme = "sphinx_book_theme"
html_title = project
html_copy_source = True
html_sourcelink_suffix = ""
html_theme_options = {
    "repository_url": repository,
    "repository_branch": "main",
    "path_to_docs": f"lessons/{language}",
    "use_download_button": True,
    "use_source_button": False,
    "use_issues_button": False,
    "use_edit_page_button": False,
    "launch_buttons": {
        "colab_url": "https://colab.research.google.com",
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    },
    "article_header_end": ["language-switch.html", "article-header-buttons.html"],
    "navbar_persistent": [],
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "home_page_in_toc": True,
    "show_toc_level": 2,
}
html_context = {
    "default_mode": "auto",
    "other_language": other,
    "other_language_name": "English" if french else "Français",
    "slides_label": "Diapositives" if french else "Slides",
    "decks": os.environ.get("DALLE_EDU_DECKS", "").split(),
}
suppress_warnings = ["mystnb.unknown_mime_type"]
