"""`dalle-edu lab`."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from dalle_edu.cli.app import command, err
from dalle_edu.errors import DalleEduError
from dalle_edu.language import languages, reader_language, say

_LOCALES = {"fr": "fr_FR"}  # of JupyterLab's language packs; it speaks English otherwise


@command(
    say(
        "Open JupyterLab on lessons of your own, which nothing overwrites.",
        "Ouvre JupyterLab sur des leçons à vous, que rien n'écrase.",
    ),
)
def lab(
    language: Annotated[str | None, typer.Option(help=say("such as fr or en", "comme fr ou en"))] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "your folder; work/LANGUAGE of a clone, or dalle-lessons/LANGUAGE here, unless given",
                "votre dossier ; à défaut, work/LANGUE d'un clone, ou dalle-lessons/LANGUE ici",
            )
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- OPTIONS",
            help=say("options of jupyter lab, such as -- --port 9000", "des options de jupyter lab, comme -- --port 9000"),
        ),
    ] = None,
) -> None:
    """Get the lessons and open JupyterLab on them, in the reader's language.

    A copy that could not be renewed is named, and the others open. Raises `DalleEduError` for an unknown language, and where JupyterLab is
    not installed or could not start; `typer.Exit` with the status that it ends with.
    """
    if language not in (None, *languages()):
        known = ", ".join(languages())
        raise DalleEduError(f'the language is "{language}"; give one of {known}', f"la langue est « {language} » ; donnez l'une de {known}")
    if importlib.util.find_spec("jupyterlab") is None:
        raise DalleEduError(
            'JupyterLab is not installed; install it: python -m pip install "dalle_edu[course]"',
            'JupyterLab n\'est pas installé ; installez-le : python -m pip install "dalle_edu[course]"',
        )
    from dalle_edu.classroom.copies import own_folder
    from dalle_edu.cli.lessons import get

    chosen = language or reader_language()
    folder = (to or own_folder(chosen)).absolute()
    try:
        get([], chosen, folder)
    except DalleEduError as error:
        err.print(str(error), style="yellow", highlight=False, markup=False, soft_wrap=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dalle-lab-") as settings:
        _settings(Path(settings), chosen)
        ours = {
            "--ServerApp.root_dir": folder,
            "--LabApp.default_url": "/lab/tree/start.ipynb",
            "--LabApp.app_settings_dir": settings,
            "--LabApp.news_url": None,
            "--LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        }
        theirs = {option.partition("=")[0] for option in options or []}
        line = [sys.executable, "-m", "jupyterlab", *(f"{name}={value}" for name, value in ours.items() if name not in theirs)]
        status = _run([*line, *(options or [])], os.environ | {"DALLE_EDU_LANGUAGE": chosen})
    if status:
        raise typer.Exit(status)


# ---------------------------------------------------------------- pieces


def _settings(folder: Path, language: str) -> None:
    """Write JupyterLab's settings for one session: menus in the language, and no news. Those that readers choose in it count for more."""
    menus = {"@jupyterlab/translation-extension:plugin": {"locale": _LOCALES.get(language, language)}}
    (folder / "overrides.json").write_text(json.dumps(menus), encoding="utf-8")
    without = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (folder / "page_config.json").write_text(json.dumps(without), encoding="utf-8")


def _run(line: list[str], environment: dict[str, str]) -> int:
    """The exit status of a program in the foreground. Ctrl-C reaches it, and it is left the time to ask whether to stop; it is ended when
    this one is.
    """
    with subprocess.Popen(line, env=environment) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
