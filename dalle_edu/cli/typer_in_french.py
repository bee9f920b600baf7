"""typer's own texts in the reader's language: the titles of its help, and its errors."""

import re
from typing import Any

from typer import rich_utils
from typer.core import TyperCommand, TyperGroup

from dalle_edu.language import reader_language, say

if reader_language() == "fr":
    rich_utils.COMMANDS_PANEL_TITLE = "Commandes"
    rich_utils.DEFAULT_STRING, rich_utils.REQUIRED_LONG_STRING = "[par défaut : {}]", "[obligatoire]"


class Command(TyperCommand):
    """A command whose help is in the reader's language throughout."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option `--help`."""
        return _translated(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        """The line of usage."""
        return _usage(super().get_usage(ctx))


_COMPLETION = {
    "install_completion": say("let the shell complete commands and options", "laisse le terminal compléter commandes et options"),
    "show_completion": say("show what that adds to the shell's settings", "montre ce que cela ajoute aux réglages du terminal"),
}


class Group(TyperGroup):
    """A group of commands whose help is in the reader's language throughout."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options of the group."""
        options: list[Any] = super().get_params(ctx)
        for option in options:
            if option.name in _COMPLETION:
                option.help = _COMPLETION[option.name]
        return options

    def get_help_option(self, ctx: Any) -> Any:
        """The option `--help`."""
        return _translated(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        """The line of usage."""
        return _usage(super().get_usage(ctx))


def _translated(option: Any) -> Any:
    """The option `--help` with its help in the reader's language."""
    if option is not None:
        option.help = say("show this message and exit", "affiche ce message, et rien d'autre")
    return option


def _usage(english: str) -> str:
    """The line of usage in the reader's language."""
    return say(english, english.replace("Usage:", "Usage :").replace("COMMAND [ARGS]", "COMMANDE [ARGUMENTS]"))


_FRENCH = {
    r"No such option: (\S+?)\.? .*?(-[^?)]+)": "l'option {} n'existe pas (peut-être {})",
    r"No such option: (\S+)": "l'option {} n'existe pas",
    r"No such command '(.+?)'\. Did you mean '(.+?)'": "la commande « {} » n'existe pas (peut-être « {} »)",
    r"No such command '(.+?)'": "la commande « {} » n'existe pas",
    r"Missing argument '(.+?)'": "il manque l'argument « {} »",
    r"Missing command": "il manque une commande",
    r"Missing option '(.+?)'": "il manque l'option {}",
    r"Got unexpected extra argument\(s\) \((.+)\)": "il y a un mot de trop ({})",
    r"Option '(.+?)' requires an argument": "l'option {} demande une valeur",
    r"Invalid value for '(.+?)': .*greater than or equal to (\S+)$": "la valeur donnée à {} ne convient pas : il faut au moins {}",
    r"Invalid value for '(.+?)': .*less than or equal to (\S+)$": "la valeur donnée à {} ne convient pas : il faut au plus {}",
    r"Invalid value for '(.+?)': .*valid integer": "la valeur donnée à {} ne convient pas : il faut un nombre entier",
    r"Invalid value for '(.+?)': .*valid number": "la valeur donnée à {} ne convient pas : il faut un nombre",
    r"Invalid value for '(.+?)': .*is not one of (.+?)\.?$": "la valeur donnée à {} ne convient pas : choisissez parmi {}",
    r"Invalid value for '(.+?)'": "la valeur donnée à {} ne convient pas",
}


def complaint(error: Exception) -> str | None:
    """An error of typer's as one sentence in the reader's language; None for an exception that is not typer's."""
    if not hasattr(error, "format_message"):
        return None
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "dalle-edu"
    english = str(error.format_message())
    found = (wording.format(*match.groups()) for pattern, wording in _FRENCH.items() if (match := re.search(pattern, english)))
    french = next(found, "cette commande ne se comprend pas")
    english = f"{english[:1].lower()}{english[1:]}".rstrip(".?")
    return say(f'{english}; "{path} --help" tells what there is', f"{french} ; « {path} --help » énumère ce qui existe")
