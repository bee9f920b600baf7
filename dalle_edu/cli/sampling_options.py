"""The options of commands that draw: one for each setting of sampling, made from its description in `systems/interface/sampling.py`."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.systems.interface.sampling import SETTINGS, check_settings

_FORMER = {"guidance_scale": "--guidance"}  # earlier names of options, which still work
_OTHERS = say(
    "a setting that only one system has, as NAME=VALUE (dalle-edu systems lists them)",
    "un réglage que seul un système a, NOM=VALEUR (dalle-edu systems les énumère)",
)


def sampling_options(command: Callable) -> Callable:
    """Give a command an option for each setting of sampling, and `--set` for those that only one system has. A decorator; the command takes
    `settings`, a dictionary of those that were given.

    The ranges are checked here. Whether the system has a setting is known once it is loaded: `System.sampling` refuses the others.
    """
    own = [each for each in inspect.signature(command).parameters.values() if each.name != "settings"]
    added = [_option(name) for name in SETTINGS]
    several = Annotated[list[str] | None, typer.Option("--set", help=_OTHERS, metavar=say("NAME=VALUE", "NOM=VALEUR"))]
    added.append(inspect.Parameter("others", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=several))

    @wraps(command)
    def with_settings(**values: Any) -> Any:
        settings = {name: value for name in SETTINGS if (value := values.pop(name)) is not None}
        settings |= dict(_pair(text) for text in values.pop("others") or [])
        check_settings(settings)
        return command(**values, settings=settings)

    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    with_settings.__signature__ = inspect.Signature([*named, *added])  # type: ignore[attr-defined]
    with_settings.__annotations__ = {each.name: each.annotation for each in (*named, *added)}
    return with_settings


def _option(name: str) -> inspect.Parameter:
    """The parameter of a command that is a setting's option."""
    setting, flag = SETTINGS[name], "--" + name.replace("_", "-")
    flags = [f"{flag}/--no-{flag[2:]}"] if setting.kind is bool else [flag, *([_FORMER[name]] if name in _FORMER else [])]
    option = typer.Option(*flags, help=say(setting.en, setting.fr))
    annotation = Annotated[setting.kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _pair(text: str) -> tuple[str, Any]:
    """ "momentum=0.5" as ("momentum", 0.5). Raises `DalleEduError` for what is no NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not name.isidentifier() or not equals or not value:
        raise DalleEduError(
            f'"{text}" is no setting; write NAME=VALUE, as in momentum=0.5',
            f"« {text} » n'est pas un réglage ; écrivez NOM=VALEUR, comme momentum=0.5",
        )
    words: dict[str, Any] = {"True": True, "true": True, "False": False, "false": False}
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, words.get(value, value)
