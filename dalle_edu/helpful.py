"""typer's own words in the reader's language."""

from typing import Any

from typer import rich_utils
from typer.core import TyperCommand, TyperGroup

from dalle_edu.language import reader_language, say

if reader_language() == "fr":
    rich_utils.COMMANDS_PANEL_TITLE, rich_utils.ERRORS_PANEL_TITLE = "Commandes", "Erreur"
    rich_utils.DEFAULT_STRING, rich_utils.REQUIRED_LONG_STRING = "[par défaut : {}]", "[obligatoire]"
    rich_utils.RICH_HELP = "[blue]'{command_path} {help_option}'[/] donne de l'aide."


class Command(TyperCommand):
    def get_help_option(self, ctx: Any) -> Any:
        return _translated(super().get_help_option(ctx))


class Group(TyperGroup):
    def get_help_option(self, ctx: Any) -> Any:
        return _translated(super().get_help_option(ctx))


def _translated(option: Any) -> Any:
    if option is not None:
        option.help = say("show this message and exit", "affiche ce message, et rien d'autre")
    return option
